import FoundationEssentials

extension AttributeFragments: Codable {
    /// Takes what another process sent, if it is what ``bytes`` gives there: to its end, in tag order, every value an object
    /// of JSON. What the flags say is found out anew.
    init?(checking bytes: [UInt8], allowsAbsences: Bool) {
        guard bytes.count <= Self.longestReceived else { return nil }
        var flags = Flags()
        let isSound = bytes.withUnsafeBytes { raw -> Bool in
            guard !raw.isEmpty else { return false }
            var cursor = Cursor(raw)
            var last: UInt32?
            var end = 1
            while let entry = cursor.next() {
                if let last, entry.tag <= last { return false }
                last = entry.tag
                end = entry.end
                guard !entry.isAbsence else {
                    guard allowsAbsences else { return false }
                    continue
                }
                let value = UnsafeRawBufferPointer(rebasing: raw[entry.start..<entry.end])
                guard JSONSyntax.isObject(value) else { return false }
                if value.contains(where: { $0 >= 0x80 }) { flags.insert(.hasWideText) }
                if value.contains(0) { flags.insert(.hasPlaceholder) }
            }
            return end == raw.count
        }
        guard isSound else { return nil }
        self.init(decoding: [flags.rawValue] + bytes.dropFirst())
    }

    /// A longer document is not taken from another process.
    private static var longestReceived: Int { 64 << 20 }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let fragments = AttributeFragments(checking: Array(try container.decode(Data.self)), allowsAbsences: true)
        else { throw DecodingError.dataCorruptedError(in: container, debugDescription: "no attribute fragments") }
        self = fragments
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(bytes))
    }

    /// Whether a document stands by itself: nothing in it says that a template's attribute is not there.
    var isComplete: Bool { entries.allSatisfy { !$0.isAbsence } }
}

extension KeyedDecodingContainer {
    /// Bytes that were sent as Base64.
    func bytes(forKey key: Key, atMost limit: Int) throws -> [UInt8] {
        let bytes = Array(try decode(Data.self, forKey: key))
        try check(bytes.count <= limit, key)
        return bytes
    }

    /// Refuses what does not hold.
    func check(_ holds: Bool, _ key: Key) throws {
        guard holds else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "out of bounds")
        }
    }
}
