/// Why a text is no JSON.
package struct JSONError: Error, Hashable {
    package enum Code: Hashable, Sendable { case malformed, duplicateName, tooDeep, notUTF8 }

    package var code: Code
    /// Byte offset of what is wrong.
    package var offset: Int
}

extension OrderedJSON {
    /// Reads a text: strict as RFC 8259 has it, no name twice in an object, and nested no deeper than `depth`.
    package init(parsing text: [UInt8], depth: Int = 32) throws(JSONError) {
        guard String(validating: text, as: UTF8.self) != nil else { throw JSONError(code: .notUTF8, offset: 0) }
        var reader = JSONReader(text)
        self = try reader.value(depth: depth)
        try reader.end()
    }
}

private struct JSONReader {
    private let text: [UInt8]
    private var offset = 0

    init(_ text: [UInt8]) { self.text = text }

    private func failure(_ code: JSONError.Code = .malformed) -> JSONError { JSONError(code: code, offset: offset) }

    private var next: UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func skipSpaces() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    mutating func end() throws(JSONError) {
        skipSpaces()
        guard offset == text.count else { throw failure() }
    }

    mutating func value(depth: Int) throws(JSONError) -> OrderedJSON {
        guard depth > 0 else { throw failure(.tooDeep) }
        skipSpaces()
        switch next {
        case 0x7B: return try object(depth: depth)
        case 0x5B: return try array(depth: depth)
        case 0x22: return .string(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: OrderedJSON) throws(JSONError) -> OrderedJSON {
        let end = offset + word.utf8CodeUnitCount
        guard end <= text.count, text[offset..<end].elementsEqual(word.description.utf8) else { throw failure() }
        offset = end
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> OrderedJSON {
        offset += 1
        var members: [OrderedJSON.Member] = []
        var names: Set<String> = []
        skipSpaces()
        if take(0x7D) { return .object([]) }
        repeat {
            skipSpaces()
            guard next == 0x22 else { throw failure() }
            let name = try string()
            guard names.insert(name).inserted else { throw failure(.duplicateName) }
            skipSpaces()
            guard take(0x3A) else { throw failure() }
            members.append(OrderedJSON.Member(name, try value(depth: depth - 1)))
            skipSpaces()
        } while take(0x2C)
        guard take(0x7D) else { throw failure() }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> OrderedJSON {
        offset += 1
        var elements: [OrderedJSON] = []
        skipSpaces()
        if take(0x5D) { return .array([]) }
        repeat {
            elements.append(try value(depth: depth - 1))
            skipSpaces()
        } while take(0x2C)
        guard take(0x5D) else { throw failure() }
        return .array(elements)
    }

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        var value: [UInt8] = []
        while let byte = next {
            offset += 1
            switch byte {
            case 0x22: return String(decoding: value, as: UTF8.self)
            case 0x5C: value.append(contentsOf: try escape())
            case ..<0x20: throw failure()
            default: value.append(byte)
            }
        }
        throw failure()
    }

    private mutating func escape() throws(JSONError) -> [UInt8] {
        guard let byte = next else { throw failure() }
        offset += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: return [byte]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75:
            let first = try hexadecimal()
            guard (0xD800...0xDFFF).contains(first) else { return try encoded(first) }
            // A surrogate pair, or a surrogate alone, which is no character.
            guard first < 0xDC00, take(0x5C), take(0x75) else { throw failure() }
            let second = try hexadecimal()
            guard (0xDC00...0xDFFF).contains(second) else { throw failure() }
            return try encoded(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        default: throw failure()
        }
    }

    private func encoded(_ code: UInt32) throws(JSONError) -> [UInt8] {
        guard let scalar = Unicode.Scalar(code) else { throw failure() }
        return Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard offset + 4 <= text.count else { throw failure() }
        var code: UInt32 = 0
        for byte in text[offset..<offset + 4] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw failure()
            }
            code = code << 4 | UInt32(digit)
        }
        offset += 4
        return code
    }

    private mutating func digits() throws(JSONError) {
        let start = offset
        while let byte = next, (0x30...0x39).contains(byte) { offset += 1 }
        guard offset > start else { throw failure() }
    }

    private mutating func number() throws(JSONError) -> OrderedJSON {
        let start = offset
        _ = take(0x2D)
        if !take(0x30) { try digits() }
        var isWhole = true
        if take(0x2E) {
            isWhole = false
            try digits()
        }
        if take(0x65) || take(0x45) {
            isWhole = false
            if !take(0x2B) { _ = take(0x2D) }
            try digits()
        }
        let written = String(decoding: text[start..<offset], as: UTF8.self)
        if isWhole, let number = Int64(written) { return .integer(number) }
        guard let number = Double(written), number.isFinite else { throw failure() }
        return .number(number)
    }
}
