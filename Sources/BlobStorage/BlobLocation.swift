/// Where a stored blob is; kept in the index's rows as its raw value.
///
/// `p/<pack>/<offset>/<length>` is a record of a pack file, `o/<key>/<length>` a file of its own, `m/<number>/<length>` in memory,
/// `n/<length>/<name>` an object of a bucket that somebody else named.
/// Reading one is strict: exactly the text that writing it gives, so that nothing outside can name a path.
package struct BlobLocation: Hashable, Sendable {
    /// The kinds of place.
    package enum Place: Hashable, Sendable {
        /// The payload's offset in a pack file.
        case pack(UInt32, offset: Int64)
        /// A file of its own.
        case object(BlobKey)
        /// An entry of a ``MemoryBlobStore``.
        case memory(UInt64)
        /// An object of a bucket under a name that is not ours.
        case named(ObjectName)
    }

    package let place: Place
    /// Number of bytes.
    package let length: Int

    package init(_ place: Place, length: Int) {
        self.place = place
        self.length = length
    }
}

extension BlobLocation: RawRepresentable {
    package init?(rawValue: String) {
        // Nearly all of them are in packs, and a series has one for each instance: these are read without a string.
        if let packed = rawValue.utf8.withContiguousStorageIfAvailable({ Self.packed($0) }), let packed {
            self = packed
            return
        }
        if rawValue.hasPrefix("n/") {
            let parts = rawValue.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let length = Int(parts[1]), length >= 0, let name = ObjectName(parts[2]) else {
                return nil
            }
            (place, self.length) = (.named(name), length)
            guard self.rawValue == rawValue else { return nil }
            return
        }
        let parts = rawValue.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = parts.last, let length = Int(last), length >= 0 else { return nil }
        self.length = length
        switch (parts.first, parts.count) {
        case ("p", 4):
            guard let pack = UInt32(parts[1]), let offset = Int64(parts[2]), offset >= 0 else { return nil }
            guard !offset.addingReportingOverflow(Int64(length)).overflow else { return nil }
            place = .pack(pack, offset: offset)
        case ("o", 3):
            guard let key = BlobKey(parts[1]) else { return nil }
            place = .object(key)
        case ("m", 3):
            guard let number = UInt64(parts[1]) else { return nil }
            place = .memory(number)
        default:
            return nil
        }
        // No leading zeros, signs or capital letters: one text for one place.
        guard self.rawValue == rawValue else { return nil }
    }

    package var rawValue: String {
        switch place {
        case .pack(let pack, let offset): "p/\(pack)/\(offset)/\(length)"
        case .object(let key): "o/\(key)/\(length)"
        case .memory(let number): "m/\(number)/\(length)"
        case .named(let name): "n/\(length)/\(name)"
        }
    }
}

extension BlobLocation {
    /// Reads `p/<pack>/<offset>/<length>`; `nil` for anything else, and for numbers that are not written as we do.
    private static func packed(_ text: UnsafeBufferPointer<UInt8>) -> BlobLocation? {
        guard text.count > 2, text[0] == UInt8(ascii: "p"), text[1] == UInt8(ascii: "/") else { return nil }
        var fields: (pack: Int, offset: Int) = (0, 0)
        var field = 0
        var digits = 0
        var value = 0
        for byte in text[2...] {
            if byte == UInt8(ascii: "/") {
                guard digits > 0, field < 2 else { return nil }
                if field == 0 { fields.pack = value } else { fields.offset = value }
                field += 1
                (digits, value) = (0, 0)
                continue
            }
            // 18 digits cannot overflow; a zero in front of others is not how we write.
            guard (0x30...0x39).contains(byte), digits < 18, digits == 0 || value > 0 else { return nil }
            value = value * 10 + Int(byte - 0x30)
            digits += 1
        }
        guard field == 2, digits > 0, let pack = UInt32(exactly: fields.pack),
            !fields.offset.addingReportingOverflow(value).overflow
        else { return nil }
        return BlobLocation(.pack(pack, offset: Int64(fields.offset)), length: value)
    }
}

extension BlobLocation: CustomStringConvertible {
    package var description: String { rawValue }
}

extension BlobLocation: Codable {}

/// What an object of a bucket is called: segments of letters, digits, `.`, `_` and `-`, with slashes between them.
package struct ObjectName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init?(_ text: some StringProtocol) {
        guard (1...1024).contains(text.utf8.count) else { return nil }
        for segment in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard !segment.isEmpty, segment != ".", segment != "..",
                segment.utf8.allSatisfy({ byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                    default: [0x2D, 0x2E, 0x5F].contains(byte)
                    }
                })
            else { return nil }
        }
        description = String(text)
    }
}

extension BlobLocation {
    /// What the object is called for other programs that read the same bucket. Behind the prefix of our own objects, if they
    /// have one.
    package var objectName: String {
        switch place {
        case .object(let key): "objects/\(key.description.prefix(2))/\(key)"
        case .named(let name): name.description
        case .pack, .memory: rawValue
        }
    }
}

/// 128 random bits that name a blob for as long as it lives, wherever it is moved.
package struct BlobKey: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new key.
    package init(using generator: inout some RandomNumberGenerator) {
        high = generator.next()
        low = generator.next()
    }

    /// Reads 32 hexadecimal digits.
    package init?(_ text: some StringProtocol) {
        let digits = text.utf8
        guard digits.count == 32, digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.high = high
        self.low = low
    }
}

extension BlobKey: CustomStringConvertible {
    /// 32 lower-case hexadecimal digits.
    package var description: String { Self.hex(high) + Self.hex(low) }

    private static func hex(_ half: UInt64) -> String {
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
