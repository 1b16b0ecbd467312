import NIOCore

/// The header before each payload in a pack file, by which a pack describes itself.
///
/// 80 bytes, little endian: magic, length, key (two halves), time stored, SHA-256 of the payload, FNV-1a of all that.
struct PackRecord: Hashable {
    static let headerSize = 80
    private static let magic: UInt64 = 0x316b_6361_5079_7447  // "GtyPack1"

    var key: BlobKey
    var length: Int
    /// Milliseconds since 1970.
    var storedAt: Int64
    /// 32 bytes.
    var digest: [UInt8]

    /// Appends the header.
    func write(into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeInteger(Self.magic, endianness: .little)
        buffer.writeInteger(UInt64(length), endianness: .little)
        buffer.writeInteger(key.high, endianness: .little)
        buffer.writeInteger(key.low, endianness: .little)
        buffer.writeInteger(storedAt, endianness: .little)
        buffer.writeBytes(digest.prefix(32))
        buffer.writeRepeatingByte(0, count: 32 - min(32, digest.count))
        buffer.writeInteger(Self.checksum(of: buffer, from: start), endianness: .little)
    }

    /// Reads a header; `nil` when these are not the bytes of one.
    init?(_ buffer: ByteBuffer) {
        var rest = buffer
        guard rest.readableBytes >= Self.headerSize,
            rest.readInteger(endianness: .little, as: UInt64.self) == Self.magic,
            let length = rest.readInteger(endianness: .little, as: UInt64.self).flatMap({ Int(exactly: $0) }),
            let high = rest.readInteger(endianness: .little, as: UInt64.self),
            let low = rest.readInteger(endianness: .little, as: UInt64.self),
            let storedAt = rest.readInteger(endianness: .little, as: Int64.self),
            let digest = rest.readBytes(length: 32),
            rest.readInteger(endianness: .little, as: UInt64.self)
                == Self.checksum(of: buffer, from: buffer.readerIndex)
        else { return nil }
        self.init(key: BlobKey(high: high, low: low), length: length, storedAt: storedAt, digest: digest)
    }

    init(key: BlobKey, length: Int, storedAt: Int64, digest: [UInt8]) {
        self.key = key
        self.length = length
        self.storedAt = storedAt
        self.digest = digest
    }

    private static func checksum(of buffer: ByteBuffer, from start: Int) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for word in 0..<9 {
            let value = buffer.getInteger(at: start + 8 * word, endianness: .little, as: UInt64.self) ?? 0
            hash = (hash ^ value) &* 0x100_0000_01b3
            hash ^= hash >> 29
        }
        return hash
    }
}
