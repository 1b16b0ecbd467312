/// The bits of one JPEG-LS scan: behind a byte FF the next has only seven, below a zero (ITU-T T.87 A.1).
///
/// Behind the end come zeros; who reads asks `isBeyondEnd` from time to time.
struct JPEGLSBitReader {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    private var next: Int
    /// Whether the byte in front of `next` is FF.
    private var followsFF = false
    /// The bits to come, left aligned; all behind the first `count` are zero.
    private var bits: UInt64 = 0
    private var count = 0
    /// Zeros that were added behind the end.
    private var added = 0

    /// - Parameter scan: up to the marker behind it.
    init(_ scan: UnsafeBufferPointer<UInt8>) throws(CodecError) {
        guard let base = scan.baseAddress else { throw .truncated }
        self.base = base
        end = scan.count
        next = 0
    }

    /// Makes 56 bits or more available.
    @inline(__always)
    mutating func refill() {
        if count <= 56 { load() }
    }

    private mutating func load() {
        // Whole bytes at once where none of them is FF.
        if next &+ 8 <= end, !followsFF {
            let word = UInt64(bigEndian: UnsafeRawPointer(base + next).loadUnaligned(as: UInt64.self))
            let inverse = ~word
            if (inverse &- 0x0101_0101_0101_0101) & ~inverse & 0x8080_8080_8080_8080 == 0 {
                let bytes = (64 &- count) &>> 3
                let taken = bytes == 8 ? word : word & ~(UInt64.max &>> UInt64(truncatingIfNeeded: bytes &* 8))
                bits |= taken &>> UInt64(truncatingIfNeeded: count)
                next &+= bytes
                count &+= bytes &* 8
                return
            }
        }
        while count <= 56 {
            guard next < end else {
                // `count` may be 56 already: another byte of zeros, so that there is always some progress.
                added &+= 64 &- count
                count = 64
                return
            }
            let byte = base[next]
            next &+= 1
            let length = followsFF ? 7 : 8
            followsFF = byte == 0xFF
            bits |= UInt64(byte) &<< UInt64(truncatingIfNeeded: 64 &- count &- length)
            count &+= length
        }
    }

    /// Zeros in front of the next one.
    @inline(__always)
    var leadingZeros: Int { bits.leadingZeroBitCount }

    @inline(__always)
    mutating func consume(_ length: Int) {
        bits &<<= UInt64(truncatingIfNeeded: length)
        count &-= length
    }

    /// At most as many bits as were made available, and fewer than 64.
    @inline(__always)
    mutating func take(_ length: Int) -> Int {
        guard length > 0 else { return 0 }
        let value = Int(truncatingIfNeeded: bits &>> UInt64(truncatingIfNeeded: 64 &- length))
        consume(length)
        return value
    }

    /// Whether more bits were consumed than there are.
    var isBeyondEnd: Bool { added > count }
}
