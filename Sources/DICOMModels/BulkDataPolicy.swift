import DICOMCore

/// Which values a text model names by a BulkDataURI instead of holding them (PS3.18 F.2.6, PS3.19 A.1.4).
///
/// Values that are not in memory, encapsulated pixel data and the Pixel Data family are always named; the others when
/// they are larger than the thresholds. The URI is the base, `/bulkdata/` and the path of the attribute: `7FE00010`,
/// or `{sequence}/{item from 1}/{tag}` inside sequences.
public struct BulkDataPolicy: Hashable, Sendable {
    /// What each URI starts with; `nil` when there is nothing to refer to.
    public let base: String?
    /// Binary values (OB, OD, OF, OL, OV, OW, UN) of more bytes are named.
    public var binaryBytes: Int
    /// LT, ST, UC and UT values of more bytes are named.
    public var textBytes: Int
    /// Number values (DS, FL, FD, IS, SL, SS, SV, UL, US, UV) of higher multiplicity are named.
    public var numbers: Int

    /// The base as it goes into a JSON string. A NUL stays a NUL byte: the place where a stored document gets its URL.
    let escapedBase: [UInt8]
    /// No value of as many bytes is above a threshold.
    private var smallest: Int { min(binaryBytes, textBytes, numbers) }

    /// The thresholds of this server: 4 KiB of bytes, 16 KiB of text, 4096 numbers.
    public init(base: String) {
        self.init(base: base, binaryBytes: 4096, textBytes: 16384, numbers: 4096)
    }

    /// Holds every value that is in memory. What is not is written without a value; NaN and infinities become strings.
    public static let inlineEverything = BulkDataPolicy(
        base: nil, binaryBytes: .max, textBytes: .max, numbers: .max)

    private init(base: String?, binaryBytes: Int, textBytes: Int, numbers: Int) {
        self.base = base
        self.binaryBytes = binaryBytes
        self.textBytes = textBytes
        self.numbers = numbers
        var escaped: [UInt8] = []
        for byte in (base ?? "").utf8 {
            switch byte {
            case 0x22, 0x5C: escaped += [0x5C, byte]
            case 0x01..<0x20: break
            default: escaped.append(byte)
            }
        }
        escapedBase = escaped
    }
}

extension BulkDataPolicy {
    /// Whether a value that is in memory is named instead of held.
    @inline(__always)
    func names(_ raw: UnsafeRawBufferPointer, of tag: Tag, _ vr: VR) -> Bool {
        guard raw.count > smallest || tag.isPixelData else { return false }
        return decide(raw, tag, vr)
    }

    private func decide(_ raw: UnsafeRawBufferPointer, _ tag: Tag, _ vr: VR) -> Bool {
        switch vr {
        case .OB, .OD, .OF, .OL, .OV, .OW, .UN: raw.count > binaryBytes || tag.isPixelData && base != nil
        case .LT, .ST, .UC, .UT: raw.count > textBytes
        case .FD, .FL, .SL, .SS, .SV, .UL, .US, .UV: raw.count / vr.valueWidth > numbers
        case .DS, .IS: raw.count > textBytes && raw.hasMoreValues(than: numbers)
        case .AE, .AS, .AT, .CS, .DA, .DT, .LO, .PN, .SH, .SQ, .TM, .UI, .UR: false
        }
    }
}

/// The sequences around an element, and the number of the item in each, from 1.
struct BulkDataPath {
    private var steps: [(tag: Tag, item: Int)] = []

    mutating func removeAll() { steps.removeAll(keepingCapacity: true) }
    mutating func enter(_ tag: Tag) { steps.append((tag, 0)) }
    mutating func nextItem() { steps[steps.count - 1].item += 1 }
    mutating func leave() { steps.removeLast() }

    /// Appends `/bulkdata/` and the path of the attribute.
    func write(_ tag: Tag, into sink: inout ByteSink) {
        sink.append("/bulkdata/")
        for step in steps {
            sink.reserve(32)
            sink.appendUnchecked(step.tag)
            sink.appendUnchecked(0x2F)
            sink.appendUnchecked(decimal: UInt64(step.item))
            sink.appendUnchecked(0x2F)
        }
        sink.reserve(8)
        sink.appendUnchecked(tag)
    }
}
