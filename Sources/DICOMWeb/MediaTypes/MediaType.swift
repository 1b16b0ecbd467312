/// A media type or media range with its parameters (RFC 9110 8.3.1, PS3.18 8.7.1).
///
/// Type, subtype and parameter names are held in lower case, parameter values as sent, without quotes.
public struct MediaType: Hashable, Sendable {
    /// One `name=value`.
    public struct Parameter: Hashable, Sendable {
        /// In lower case.
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// In lower case, `*` in a range.
    public var type: String
    /// In lower case, `*` in a range.
    public var subtype: String
    /// In the order in which they were sent, repetitions included.
    public var parameters: [Parameter]

    public init(type: String, subtype: String, parameters: [Parameter] = []) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
    }

    /// Reads one media type; `nil` unless the whole text is one.
    ///
    /// Tolerates blanks around `;` and `=`, empty parameters such as a trailing `;`, and values that would have needed
    /// quotes, as in `type=application/dicom`.
    public init?(_ text: some StringProtocol) {
        var scanner = MediaTypeScanner(text)
        guard let value = scanner.mediaType() else { return nil }
        self = value
    }

    /// `type/subtype` without parameters.
    public var essence: String { "\(type)/\(subtype)" }

    /// The first value of a parameter; the name in lower case.
    public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// Whether a parameter occurs twice, which makes a range of an Accept header void (PS3.18 8.7.3.5).
    public var hasRepeatedParameter: Bool {
        parameters.indices.contains { index in
            parameters[..<index].contains { $0.name == parameters[index].name }
        }
    }

    /// Whether this is `*/*` or `type/*`.
    public var isWildcard: Bool { subtype == "*" }

    /// Whether `other` falls into this range; parameters are not compared.
    public func covers(_ other: MediaType) -> Bool {
        if type == "*" { return subtype == "*" }
        return type == other.type && (subtype == "*" || subtype == other.subtype)
    }
}

extension MediaType: CustomStringConvertible {
    /// The form that is sent: every value that is not a token in quotes.
    public var description: String {
        var text = essence
        for parameter in parameters {
            text += "; \(parameter.name)="
            let isToken = !parameter.value.isEmpty && parameter.value.utf8.allSatisfy(MediaTypeScanner.isTokenByte)
            if isToken {
                text += parameter.value
            } else {
                text += "\""
                for character in parameter.value.unicodeScalars {
                    if character == "\"" || character == "\\" { text += "\\" }
                    text.unicodeScalars.append(character)
                }
                text += "\""
            }
        }
        return text
    }
}

/// Reads the grammar of RFC 9110 5.6 over the bytes of a field value.
struct MediaTypeScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    /// The characters of a token (RFC 9110 5.6.2).
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    mutating func mediaType() -> MediaType? {
        skipBlanks()
        guard let type = token(), take(0x2F), let subtype = token() else { return nil }
        var result = MediaType(type: type.lowercased(), subtype: subtype.lowercased())
        guard result.type != "*" || result.subtype == "*" else { return nil }
        while true {
            skipBlanks()
            guard position < bytes.count else { return result }
            guard take(0x3B) else { return nil }
            skipBlanks()
            guard position < bytes.count, bytes[position] != 0x3B else { continue }
            guard let parameter = parameter() else { return nil }
            result.parameters.append(parameter)
        }
    }

    private mutating func parameter() -> MediaType.Parameter? {
        guard let name = token() else { return nil }
        skipBlanks()
        guard take(0x3D) else { return nil }
        skipBlanks()
        guard let value = take(0x22) ? quotedRest() : bareValue() else { return nil }
        return MediaType.Parameter(name.lowercased(), value)
    }

    /// Up to the next `;`, blanks at the end left out.
    private mutating func bareValue() -> String? {
        let start = position
        var end = start
        while position < bytes.count, bytes[position] != 0x3B {
            let byte = bytes[position]
            guard byte == 0x09 || byte >= 0x20 && byte != 0x7F && byte != 0x22 else { return nil }
            position += 1
            if byte != 0x20 && byte != 0x09 { end = position }
        }
        return String(validating: bytes[start..<end], as: UTF8.self)
    }

    /// What follows an opening quote, up to the closing one.
    private mutating func quotedRest() -> String? {
        var value: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22: return String(validating: value, as: UTF8.self)
            case 0x5C:
                guard position < bytes.count, bytes[position] >= 0x20 else { return nil }
                value.append(bytes[position])
                position += 1
            case 0x00..<0x09, 0x0A..<0x20, 0x7F: return nil
            default: value.append(byte)
            }
        }
        return nil
    }

    private mutating func token() -> String? {
        let start = position
        while position < bytes.count, Self.isTokenByte(bytes[position]) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private mutating func skipBlanks() {
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }
}
