/// Reads JSON (RFC 8259) token by token from bytes that are known to be UTF-8. Without recursion, except in `skipValue`,
/// which is bounded.
struct JSONScanner {
    private let bytes: UnsafeRawBufferPointer
    /// Where the scanner stands.
    private(set) var offset = 0

    /// The bytes must outlive the scanner.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func seek(to offset: Int) { self.offset = offset }

    /// The next byte that is not white space.
    mutating func peek() throws(ModelError) -> UInt8 {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset &+= 1
            case let byte: return byte
            }
        }
        throw ModelError(.truncated, at: offset)
    }

    /// Goes past that byte if it comes next.
    mutating func take(_ byte: UInt8) throws(ModelError) -> Bool {
        guard try peek() == byte else { return false }
        offset &+= 1
        return true
    }

    mutating func expect(_ byte: UInt8) throws(ModelError) {
        guard try take(byte) else { throw ModelError(.malformed, at: offset) }
    }

    /// Goes past `null` if it comes next.
    mutating func takeNull() throws(ModelError) -> Bool {
        guard try peek() == 0x6E else { return false }
        try takeLiteral("null")
        return true
    }

    mutating func takeLiteral(_ text: StaticString) throws(ModelError) {
        let length = text.utf8CodeUnitCount
        guard bytes.count - offset >= length else { throw ModelError(.truncated, at: bytes.count) }
        for index in 0..<length where bytes[offset + index] != text.utf8Start[index] {
            throw ModelError(.malformed, at: offset)
        }
        offset += length
    }

    /// Nothing but white space may follow.
    mutating func finish() throws(ModelError) {
        while offset < bytes.count {
            guard [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) else { throw ModelError(.trailingBytes, at: offset) }
            offset += 1
        }
    }

    /// Reads a number and returns its text.
    mutating func number() throws(ModelError) -> UnsafeRawBufferPointer {
        _ = try peek()
        let start = offset
        if bytes[offset] == 0x2D { offset += 1 }
        let leading = offset
        try digits()
        guard bytes[leading] != 0x30 || offset == leading + 1 else { throw ModelError(.malformed, at: start) }
        if offset < bytes.count, bytes[offset] == 0x2E {
            offset += 1
            try digits()
        }
        if offset < bytes.count, bytes[offset] | 0x20 == 0x65 {
            offset += 1
            if offset < bytes.count, bytes[offset] == 0x2B || bytes[offset] == 0x2D { offset += 1 }
            try digits()
        }
        return bytes.slice(start, offset)
    }

    private mutating func digits() throws(ModelError) {
        let start = offset
        while offset < bytes.count, bytes[offset] &- 0x30 < 10 { offset &+= 1 }
        guard offset > start else { throw ModelError(offset < bytes.count ? .malformed : .truncated, at: offset) }
    }

    /// Reads a string and appends what it means, in UTF-8.
    mutating func string(into output: inout [UInt8]) throws(ModelError) {
        try expect(0x22)
        while true {
            let start = offset
            while offset < bytes.count, bytes[offset] >= 0x20, bytes[offset] != 0x22, bytes[offset] != 0x5C {
                offset &+= 1
            }
            output.append(contentsOf: bytes.slice(start, offset))
            guard offset < bytes.count else { throw ModelError(.truncated, at: offset) }
            switch bytes[offset] {
            case 0x22:
                offset += 1
                return
            case 0x5C: try escape(into: &output)
            default: throw ModelError(.malformed, at: offset)
            }
        }
    }

    private mutating func escape(into output: inout [UInt8]) throws(ModelError) {
        let start = offset
        guard bytes.count - offset >= 2 else { throw ModelError(.truncated, at: bytes.count) }
        offset += 2
        switch bytes[start + 1] {
        case 0x22, 0x5C, 0x2F: output.append(bytes[start + 1])
        case 0x62: output.append(0x08)
        case 0x66: output.append(0x0C)
        case 0x6E: output.append(0x0A)
        case 0x72: output.append(0x0D)
        case 0x74: output.append(0x09)
        case 0x75:
            var scalar = try hexadecimal()
            switch scalar {
            case 0xD800..<0xDC00:
                guard bytes.count - offset >= 2, bytes[offset] == 0x5C, bytes[offset + 1] == 0x75 else {
                    throw ModelError(.loneSurrogate, at: start)
                }
                offset += 2
                let low = try hexadecimal()
                guard 0xDC00..<0xE000 ~= low else { throw ModelError(.loneSurrogate, at: start) }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            case 0xDC00..<0xE000: throw ModelError(.loneSurrogate, at: start)
            default: break
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw ModelError(.malformed, at: start) }
            output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw ModelError(.malformed, at: start)
        }
    }

    private mutating func hexadecimal() throws(ModelError) -> UInt32 {
        guard bytes.count - offset >= 4 else { throw ModelError(.truncated, at: bytes.count) }
        var value: UInt32 = 0
        for index in offset..<offset + 4 {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw ModelError(.malformed, at: index)
            }
            value = value << 4 | UInt32(digit)
        }
        offset += 4
        return value
    }

    /// Goes past any value, checking its form.
    mutating func skipValue(limit: Int, level: Int = 0) throws(ModelError) {
        guard level < limit else { throw ModelError(.nestingTooDeep(limit: limit), at: offset) }
        switch try peek() {
        case 0x7B:
            offset += 1
            guard try !take(0x7D) else { return }
            repeat {
                var key: [UInt8] = []
                try string(into: &key)
                try expect(0x3A)
                try skipValue(limit: limit, level: level + 1)
            } while try take(0x2C)
            try expect(0x7D)
        case 0x5B:
            offset += 1
            guard try !take(0x5D) else { return }
            repeat { try skipValue(limit: limit, level: level + 1) } while try take(0x2C)
            try expect(0x5D)
        case 0x22:
            var text: [UInt8] = []
            try string(into: &text)
        case 0x74: try takeLiteral("true")
        case 0x66: try takeLiteral("false")
        case 0x6E: try takeLiteral("null")
        default: _ = try number()
        }
    }
}
