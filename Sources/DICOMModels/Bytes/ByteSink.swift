import DICOMCore

/// Bytes being written, in memory of its own: without the uniqueness and bounds checks of an array on each append.
struct ByteSink: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    /// Puts everything written behind the bytes of `output`.
    consuming func finish(into output: inout [UInt8]) {
        output.append(contentsOf: UnsafeBufferPointer(start: base, count: count))
    }

    /// Makes room, so that the `unchecked` calls that follow may write this many bytes.
    @inline(__always)
    mutating func reserve(_ additional: Int) {
        if additional > capacity &- count { grow(additional) }
    }

    @inline(never)
    private mutating func grow(_ additional: Int) {
        capacity = max(capacity * 2, count + additional)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.initialize(from: base, count: count)
        base.deallocate()
        base = larger
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        appendUnchecked(byte)
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        appendUnchecked(text)
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        appendUnchecked(bytes)
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    mutating func appendUnchecked(_ byte: UInt8) {
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func appendUnchecked(_ text: StaticString) {
        (base + count).initialize(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count &+= text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func appendUnchecked(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
        count &+= bytes.count
    }

    /// The two letters.
    @inline(__always)
    mutating func appendUnchecked(_ vr: VR) {
        UnsafeMutableRawPointer(base + count).storeBytes(of: vr.rawValue.bigEndian, as: UInt16.self)
        count &+= 2
    }

    /// Eight upper-case hexadecimal digits.
    @inline(__always)
    mutating func appendUnchecked(_ tag: Tag) {
        // Spread the nibbles over eight bytes, then make digits of all of them at once.
        var word = UInt64(tag.rawValue)
        word = (word | word << 16) & 0x0000_FFFF_0000_FFFF
        word = (word | word << 8) & 0x00FF_00FF_00FF_00FF
        word = (word | word << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((word &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        word = word &+ 0x3030_3030_3030_3030 &+ letters &* 7
        UnsafeMutableRawPointer(base + count).storeBytes(of: word.bigEndian, as: UInt64.self)
        count &+= 8
    }

    /// A decimal number without sign; needs room for 20 digits.
    @inline(__always)
    mutating func appendUnchecked(decimal value: UInt64) {
        var digits = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            digits &+= 1
        }
        var position = base + count + digits
        rest = value
        repeat {
            position -= 1
            position.pointee = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest != 0
        count &+= digits
    }

    mutating func append(decimal value: Int64) {
        reserve(20)
        if value < 0 { appendUnchecked(0x2D) }
        appendUnchecked(decimal: value.magnitude)
    }

    /// Base64 with padding, without line ends (RFC 4648 4).
    mutating func append(base64 bytes: UnsafeRawBufferPointer) {
        let digits = StaticString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").utf8Start
        reserve((bytes.count + 2) / 3 * 4)
        var output = base + count
        let start = output
        var index = 0
        while index &+ 3 <= bytes.count {
            let group = Int(bytes[index]) << 16 | Int(bytes[index &+ 1]) << 8 | Int(bytes[index &+ 2])
            output[0] = digits[group >> 18]
            output[1] = digits[group >> 12 & 0x3F]
            output[2] = digits[group >> 6 & 0x3F]
            output[3] = digits[group & 0x3F]
            output += 4
            index &+= 3
        }
        if index < bytes.count {
            let hasSecond = index + 1 < bytes.count
            let group = Int(bytes[index]) << 16 | (hasSecond ? Int(bytes[index + 1]) << 8 : 0)
            output[0] = digits[group >> 18]
            output[1] = digits[group >> 12 & 0x3F]
            output[2] = hasSecond ? digits[group >> 6 & 0x3F] : 0x3D
            output[3] = 0x3D
            output += 4
        }
        count &+= output - start
    }
}
