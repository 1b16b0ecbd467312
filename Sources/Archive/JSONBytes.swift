#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Writes bytes one after the other into memory that its owner made large enough.
struct JSONBytes {
    private var next: UnsafeMutablePointer<UInt8>

    init(_ start: UnsafeMutablePointer<UInt8>) { next = start }

    /// How many bytes were written since `start`.
    func count(since start: UnsafeMutablePointer<UInt8>) -> Int { next - start }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        next.pointee = byte
        next += 1
    }

    @inline(__always)
    mutating func put(_ source: UnsafeRawPointer, _ count: Int) {
        memcpy(next, source, count)
        next += count
    }

    @inline(__always)
    mutating func put(_ source: UnsafeRawBufferPointer) {
        if let base = source.baseAddress { put(base, source.count) }
    }

    mutating func put(_ text: StaticString) {
        text.withUTF8Buffer { put(UnsafeRawBufferPointer($0)) }
    }

    /// Writes `"GGGGEEEE":`.
    @inline(__always)
    mutating func putKey(_ tag: UInt32) {
        next[0] = 0x22
        for index in 0..<8 {
            let nibble = UInt8(truncatingIfNeeded: tag >> UInt32(28 - 4 * index)) & 0xF
            next[index + 1] = nibble < 10 ? 0x30 + nibble : 0x37 + nibble
        }
        next[9] = 0x22
        next[10] = 0x3A
        next += 11
    }

    /// Writes a whole number.
    mutating func put(number: Int64) {
        var digits: UInt64 = number.magnitude
        if number < 0 { put(0x2D) }
        var length = 1
        var power: UInt64 = 1
        while digits / power >= 10 {
            power *= 10
            length += 1
        }
        for _ in 0..<length {
            put(0x30 + UInt8(digits / power))
            digits %= power
            power = max(1, power / 10)
        }
    }

    /// Writes text with what JSON wants escaped; at most six bytes for each of the text's.
    mutating func put(escaping text: UnsafeRawBufferPointer) {
        for byte in text {
            switch byte {
            case 0x22, 0x5C:
                put(0x5C)
                put(byte)
            case 0..<0x20:
                put("\\u00")
                put(0x30 + (byte >> 4))
                let low = byte & 0xF
                put(low < 10 ? 0x30 + low : 0x57 + low)
            default: put(byte)
            }
        }
    }

    /// Writes a value object, and `base` at each zero byte in it.
    mutating func put(_ value: UnsafeRawBufferPointer, replacingZerosBy base: UnsafeRawBufferPointer) {
        guard var position = value.baseAddress else { return }
        var left = value.count
        while left > 0 {
            guard let zero = memchr(position, 0, left) else {
                put(position, left)
                return
            }
            let length = UnsafeRawPointer(zero) - position
            put(position, length)
            put(base)
            position += length + 1
            left -= length + 1
        }
    }
}

extension [UInt8] {
    /// Appends what `write` puts into at most `bound` bytes.
    mutating func append(atMost bound: Int, _ write: (inout JSONBytes) -> Void) {
        let start = count
        append(contentsOf: repeatElement(0, count: bound))
        let written = withUnsafeMutableBufferPointer { all -> Int in
            guard let first = all.baseAddress else { return 0 }
            var bytes = JSONBytes(first + start)
            write(&bytes)
            return bytes.count(since: first + start)
        }
        removeLast(bound - written)
    }
}
