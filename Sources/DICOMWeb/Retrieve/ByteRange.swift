/// What a Range header asks of a body (RFC 9110 14.2).
public enum ByteRange: Hashable, Sendable {
    /// All of it: there is no header, it is not understood, or it names several ranges, which a server may ignore.
    case whole
    /// One part: answered with 206.
    case part(Range<Int>)
    /// Nothing of it: answered with 416.
    case unsatisfiable

    public init(_ fieldValue: String?, length: Int) {
        self = .whole
        guard let fieldValue else { return }
        let parts = fieldValue.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Self.trimmed(parts[0]).lowercased() == "bytes" else { return }
        let bounds = Self.trimmed(parts[1]).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard bounds.count == 2, bounds.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return
        }
        switch (Self.number(bounds[0]), Self.number(bounds[1])) {
        case (nil, nil): return
        case (nil, .some(let suffix)):
            self = suffix == 0 || length == 0 ? .unsatisfiable : .part(length - min(suffix, length)..<length)
        case (.some(let first), nil): self = first < length ? .part(first..<length) : .unsatisfiable
        case (.some(let first), .some(let last)):
            guard first <= last else { return }
            self = first < length ? .part(first..<min(last, length - 1) + 1) : .unsatisfiable
        }
    }

    /// The value of the Content-Range header of the answer; `nil` for a whole body.
    public func contentRange(length: Int) -> String? {
        switch self {
        case .whole: nil
        case .part(let range): "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
        case .unsatisfiable: "bytes */\(length)"
        }
    }

    /// A number too large counts as the largest one.
    private static func number(_ text: Substring) -> Int? { text.isEmpty ? nil : Int(text) ?? Int.max }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }
}
