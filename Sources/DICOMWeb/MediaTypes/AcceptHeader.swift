/// What a client accepts: the Accept header lines of a request, or its `accept` query parameter
/// (RFC 9110 12.5.1, PS3.18 8.3.3.1, 8.7.6, 8.7.7).
public struct AcceptHeader: Hashable, Sendable {
    /// A media range and its weight.
    public struct Range: Hashable, Sendable {
        /// The range without its `q`.
        public var mediaType: MediaType
        /// Weight in thousandths, 0 to 1000; 0 excludes.
        public var quality: Int

        public init(_ mediaType: MediaType, quality: Int = 1000) {
            self.mediaType = mediaType
            self.quality = quality
        }
    }

    /// The readable ranges in the order sent. Ranges that are malformed, have a bad weight or repeat a parameter are
    /// left out, and the rest counts (PS3.18 8.7.7).
    public var ranges: [Range]
    /// Whether there was no header at all, or only blank ones; `ranges` is then `*/*`.
    public var isAbsent: Bool

    /// Reads the values of all header lines of that name.
    public init(_ fieldValues: some Sequence<String>) {
        ranges = []
        isAbsent = true
        for value in fieldValues {
            for item in Self.items(of: value) {
                isAbsent = false
                if let range = Range(item) { ranges.append(range) }
            }
        }
        if isAbsent { ranges = [Range(MediaType(type: "*", subtype: "*"))] }
    }

    /// The items of a comma separated list; a comma inside quotes does not separate.
    private static func items(of value: String) -> [Substring.UTF8View.SubSequence] {
        var items: [Substring.UTF8View.SubSequence] = []
        let bytes = value.utf8
        var start = bytes.startIndex
        var isQuoted = false
        var isEscaped = false
        var hasContent = false
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == 0x2C && !isQuoted {
                if hasContent { items.append(value[start..<index].utf8) }
                start = bytes.index(after: index)
                hasContent = false
                continue
            }
            if byte != 0x20 && byte != 0x09 { hasContent = true }
            if isEscaped {
                isEscaped = false
            } else if byte == 0x22 {
                isQuoted.toggle()
            } else if byte == 0x5C && isQuoted {
                isEscaped = true
            }
        }
        if hasContent { items.append(value[start...].utf8) }
        return items
    }
}

extension AcceptHeader.Range {
    fileprivate init?(_ item: Substring.UTF8View.SubSequence) {
        guard var mediaType = MediaType(Substring(item)), !mediaType.hasRepeatedParameter else { return nil }
        var quality = 1000
        if let weight = mediaType["q"] {
            guard let value = Self.thousandths(weight) else { return nil }
            quality = value
            mediaType.parameters.removeAll { $0.name == "q" }
        }
        self.init(mediaType, quality: quality)
    }

    /// `0` to `1` with decimals, of which three count (RFC 9110 12.4.2).
    private static func thousandths(_ text: String) -> Int? {
        var bytes = text.utf8.makeIterator()
        let whole: Int
        switch bytes.next() {
        case 0x30: whole = 0
        case 0x31: whole = 1
        case 0x2E: return fraction(&bytes).map { $0 }
        default: return nil
        }
        switch bytes.next() {
        case nil: return whole * 1000
        case 0x2E:
            guard let part = fraction(&bytes), whole == 0 || part == 0 else { return nil }
            return whole * 1000 + part
        default: return nil
        }
    }

    private static func fraction(_ bytes: inout String.UTF8View.Iterator) -> Int? {
        var value = 0
        var scale = 100
        while let byte = bytes.next() {
            guard (0x30...0x39).contains(byte) else { return nil }
            value += Int(byte - 0x30) * scale
            scale /= 10
        }
        return value
    }
}
