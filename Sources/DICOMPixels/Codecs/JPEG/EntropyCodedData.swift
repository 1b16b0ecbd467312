import Glibc

/// The bits of one scan, without the zero bytes stuffed behind FF, and where its restart intervals begin
/// (ITU-T T.81 B.1.1.5).
struct EntropyCodedData {
    /// Followed by 16 zero bytes, so that looking ahead is never outside.
    private(set) var bytes: [UInt8] = []
    /// Where each restart interval ends.
    private(set) var ends: [Int] = []
    /// Where the marker behind the scan is, or the end of the codestream.
    private(set) var endOffset: Int

    static let padding = 16

    init(_ codestream: UnsafeRawBufferPointer, from start: Int) {
        endOffset = codestream.count
        bytes.reserveCapacity(codestream.count - start + Self.padding)
        guard let base = codestream.baseAddress else { return }
        var offset = start
        scan: while offset < codestream.count {
            guard let found = memchr(base + offset, 0xFF, codestream.count - offset) else {
                bytes.append(contentsOf: codestream[offset...])
                break
            }
            let marker = base.distance(to: UnsafeRawPointer(found))
            bytes.append(contentsOf: codestream[offset..<marker])
            guard marker + 1 < codestream.count else { break }
            switch codestream[marker + 1] {
            case 0x00:
                bytes.append(0xFF)
                offset = marker + 2
            case 0xD0...0xD7:
                ends.append(bytes.count)
                offset = marker + 2
            case 0xFF: offset = marker + 1
            default:
                endOffset = marker
                break scan
            }
        }
        ends.append(bytes.count)
        bytes.append(contentsOf: repeatElement(0, count: Self.padding))
    }
}

/// Bits from their highest on. Behind the end come zeros; who reads asks `isBeyond` from time to time.
struct BitReader {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    /// Where the next word is loaded from.
    private var next: Int
    /// The bits to come, left aligned; those below `count` may be there already.
    private var bits: UInt64 = 0
    private var count = 0

    /// - Parameter bytes: with the padding of `EntropyCodedData` at its end.
    init(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) throws(CodecError) {
        guard let base = bytes.baseAddress, start >= 0, start <= bytes.count - EntropyCodedData.padding else {
            throw .truncated
        }
        self.base = base
        end = bytes.count - EntropyCodedData.padding
        next = start
    }

    /// Makes 56 bits or more available.
    @inline(__always)
    mutating func refill() {
        let word = UnsafeRawPointer(base + min(next, end)).loadUnaligned(as: UInt64.self)
        bits |= UInt64(bigEndian: word) &>> UInt64(truncatingIfNeeded: count)
        next &+= (63 &- count) &>> 3
        count |= 56
    }

    /// The next bits, at most as many as were made available.
    @inline(__always)
    func peek(_ length: Int) -> Int { Int(truncatingIfNeeded: bits &>> UInt64(truncatingIfNeeded: 64 &- length)) }

    @inline(__always)
    mutating func consume(_ length: Int) {
        bits &<<= UInt64(truncatingIfNeeded: length)
        count &-= length
    }

    @inline(__always)
    mutating func take(_ length: Int) -> Int {
        // A shift by 64 would be one by 0.
        guard length > 0 else { return 0 }
        let value = peek(length)
        consume(length)
        return value
    }

    /// Whether more bits were consumed than lie in front of this byte.
    func isBeyond(_ end: Int) -> Bool { next * 8 - count > end * 8 }
}
