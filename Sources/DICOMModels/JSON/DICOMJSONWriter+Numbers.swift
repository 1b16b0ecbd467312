import DICOMCore

/// Binary numbers (PS3.18 F.2.3). Where the length is no multiple of the width, the remainder is left out.
extension ByteSink {
    mutating func append(numbers raw: UnsafeRawBufferPointer, count: Int, _ vr: VR) {
        append(",\"Value\":[")
        for index in 0..<count {
            if index > 0 { append(0x2C) }
            switch vr {
            case .US: append(decimal: Int64(raw.number(index, as: UInt16.self)))
            case .SS: append(decimal: Int64(raw.number(index, as: Int16.self)))
            case .UL: append(decimal: Int64(raw.number(index, as: UInt32.self)))
            case .SL: append(decimal: Int64(raw.number(index, as: Int32.self)))
            case .UV:
                let value = raw.number(index, as: UInt64.self)
                append(long: value, isNegative: false)
            case .SV:
                let value = raw.number(index, as: Int64.self)
                append(long: value.magnitude, isNegative: value < 0)
            case .FL: append(float: Float(bitPattern: raw.number(index, as: UInt32.self)))
            case .FD: append(double: Double(bitPattern: raw.number(index, as: UInt64.self)))
            default:
                reserve(10)
                appendUnchecked(0x22)
                appendUnchecked(
                    Tag(raw.number(2 &* index, as: UInt16.self), raw.number(2 &* index &+ 1, as: UInt16.self)))
                appendUnchecked(0x22)
            }
        }
        append(0x5D)
    }

    /// A 64-bit integer: a string where a reader with binary64 numbers would lose digits.
    private mutating func append(long magnitude: UInt64, isNegative: Bool) {
        let isText = magnitude > 1 << 53 - 1
        reserve(24)
        if isText { appendUnchecked(0x22) }
        if isNegative { appendUnchecked(0x2D) }
        appendUnchecked(decimal: magnitude)
        if isText { appendUnchecked(0x22) }
    }

    private mutating func append(float: Float) {
        guard float.isFinite else { return append(notFinite: Double(float)) }
        guard float.magnitude <= 16_777_216, float.rounded(.towardZero) == float else {
            return append(text: float.description)
        }
        append(whole: Double(float))
    }

    private mutating func append(double: Double) {
        guard double.isFinite else { return append(notFinite: double) }
        guard double.magnitude < 9_007_199_254_740_992, double.rounded(.towardZero) == double else {
            return append(text: double.description)
        }
        append(whole: double)
    }

    private mutating func append(whole value: Double) {
        reserve(24)
        if value.sign == .minus { appendUnchecked(0x2D) }
        appendUnchecked(decimal: UInt64(value.magnitude))
        appendUnchecked(".0")
    }

    /// Only where there is no URI to give; the strings that readers know.
    private mutating func append(notFinite value: Double) {
        append(text: value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func number<Number: FixedWidthInteger>(_ index: Int, as type: Number.Type) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: index &* MemoryLayout<Number>.size, as: type))
    }

    /// Whether no FL or FD value is NaN or infinite.
    func areFinite(_ vr: VR) -> Bool {
        if vr == .FL {
            for index in 0..<count / 4 where number(index, as: UInt32.self) & 0x7F80_0000 == 0x7F80_0000 {
                return false
            }
        } else {
            for index in 0..<count / 8
            where number(index, as: UInt64.self) & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000 { return false }
        }
        return true
    }
}

extension VR {
    /// Bytes of one value; unlike `numberWidth`, an AT is both its numbers.
    @inline(__always)
    var valueWidth: Int { self == .AT ? 4 : numberWidth }
}
