/// How the headers and numbers of a data set are encoded (PS3.5 7.1.2, 7.1.3, 7.3).
enum ElementEncoding: UInt8, Hashable, Sendable {
    case explicitLittleEndian, implicitLittleEndian, explicitBigEndian

    @inline(__always) var isImplicit: Bool { self == .implicitLittleEndian }
    @inline(__always) var isBigEndian: Bool { self == .explicitBigEndian }
}

/// The length field of a sequence, item or encapsulated value whose end is marked by a delimiter (PS3.5 7.1.1).
let undefinedLength: UInt32 = 0xFFFF_FFFF

/// The two letters of a VR to its rules, without searching.
enum VRTable {
    /// 26 × 26 entries by first and second letter.
    static let byLetters: [VR?] = {
        var table = [VR?](repeating: nil, count: 26 * 26)
        for vr in VR.allCases {
            let first = Int(vr.rawValue >> 8) - 65
            let second = Int(vr.rawValue & 0xFF) - 65
            table[first * 26 + second] = vr
        }
        return table
    }()

    @inline(__always)
    static func vr(_ first: UInt8, _ second: UInt8, in table: UnsafePointer<VR?>) -> VR? {
        let high = Int(first) &- 65
        let low = Int(second) &- 65
        guard UInt(bitPattern: high) < 26, UInt(bitPattern: low) < 26 else { return nil }
        return table[high &* 26 &+ low]
    }

    /// Whether both bytes are capital letters: a VR, if perhaps one of the future (PS3.5 6.2).
    @inline(__always)
    static func areLetters(_ first: UInt8, _ second: UInt8) -> Bool {
        (0x41...0x5A).contains(first) && (0x41...0x5A).contains(second)
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func littleEndian16(_ at: Int) -> UInt16 {
        UInt16(littleEndian: loadUnaligned(fromByteOffset: at, as: UInt16.self))
    }
    @inline(__always)
    func littleEndian32(_ at: Int) -> UInt32 {
        UInt32(littleEndian: loadUnaligned(fromByteOffset: at, as: UInt32.self))
    }
    @inline(__always)
    func bigEndian32(_ at: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: at, as: UInt32.self))
    }

    /// The tag at this place. The caller has checked that there are four bytes.
    @inline(__always)
    func tag(_ at: Int, _ encoding: ElementEncoding) -> Tag {
        if encoding.isBigEndian { return Tag(rawValue: bigEndian32(at)) }
        let raw = littleEndian32(at)
        return Tag(rawValue: raw << 16 | raw >> 16)
    }

    @inline(__always)
    func uint16(_ at: Int, _ encoding: ElementEncoding) -> UInt16 {
        encoding.isBigEndian ? littleEndian16(at).byteSwapped : littleEndian16(at)
    }

    @inline(__always)
    func uint32(_ at: Int, _ encoding: ElementEncoding) -> UInt32 {
        encoding.isBigEndian ? bigEndian32(at) : littleEndian32(at)
    }

    /// Part of the buffer. The bounds are trapped on in debug builds and checked by the caller always.
    @inline(__always)
    func part(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}

/// Writes element and item headers (PS3.5 7.1, 7.5).
struct ElementHeaderWriter: Hashable, Sendable {
    var encoding: ElementEncoding

    /// A header in the form that the VR has. Where the VR has a 16-bit length and the value is longer, it is written as
    /// UN (PS3.5 6.2.2). Pass `undefinedLength` for sequences and encapsulated pixel data.
    func write(_ tag: Tag, _ vr: VR, length: UInt32, into bytes: inout [UInt8]) {
        write(tag, into: &bytes)
        guard !encoding.isImplicit else { return write32(length, into: &bytes) }
        let written = !vr.hasLongHeader && length > 0xFFFE ? VR.UN : vr
        bytes.append(UInt8(written.rawValue >> 8))
        bytes.append(UInt8(truncatingIfNeeded: written.rawValue))
        if written.hasLongHeader {
            bytes.append(0)
            bytes.append(0)
            write32(length, into: &bytes)
        } else {
            write16(UInt16(truncatingIfNeeded: length), into: &bytes)
        }
    }

    /// The header of an item or delimiter, which has no VR.
    func writeItem(_ tag: Tag, length: UInt32, into bytes: inout [UInt8]) {
        write(tag, into: &bytes)
        write32(length, into: &bytes)
    }

    private func write(_ tag: Tag, into bytes: inout [UInt8]) {
        write16(tag.group, into: &bytes)
        write16(tag.element, into: &bytes)
    }

    private func write16(_ value: UInt16, into bytes: inout [UInt8]) {
        let stored = encoding.isBigEndian ? value.bigEndian : value.littleEndian
        withUnsafeBytes(of: stored) { bytes.append(contentsOf: $0) }
    }

    private func write32(_ value: UInt32, into bytes: inout [UInt8]) {
        let stored = encoding.isBigEndian ? value.bigEndian : value.littleEndian
        withUnsafeBytes(of: stored) { bytes.append(contentsOf: $0) }
    }
}

/// Reverses the bytes of each number of `width` bytes; a remainder stays as it is.
func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, width: Int) {
    guard width > 1 else { return }
    let end = bytes.count - bytes.count % width
    var index = 0
    switch width {
    case 2:
        while index < end {
            let value = bytes.loadUnaligned(fromByteOffset: index, as: UInt16.self)
            bytes.storeBytes(of: value.byteSwapped, toByteOffset: index, as: UInt16.self)
            index += 2
        }
    case 4:
        while index < end {
            let value = bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)
            bytes.storeBytes(of: value.byteSwapped, toByteOffset: index, as: UInt32.self)
            index += 4
        }
    default:
        while index + 8 <= end {
            let value = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            bytes.storeBytes(of: value.byteSwapped, toByteOffset: index, as: UInt64.self)
            index += 8
        }
    }
}
