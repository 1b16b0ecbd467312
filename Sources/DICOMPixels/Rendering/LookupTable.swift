import DICOMCore

/// A table from whole numbers to whole numbers, as modality, VOI and palette lookup tables are stored (PS3.3 C.11.1.1,
/// C.11.2.1.1, C.7.6.3.1.5).
public struct LookupTable: Hashable, Sendable {
    /// The input that the first entry is for; what lies below has the first entry, what lies above the last one.
    public let firstMapped: Int
    /// Never empty, at most 65536.
    public let entries: [UInt16]
    /// How many bits an entry has, 1 to 16: the output goes to 2^bits - 1.
    public let bits: Int

    /// `nil` without entries. More bits are taken than were said where an entry needs them.
    public init?(firstMapped: Int, bits: Int, entries: [UInt16]) {
        guard let greatest = entries.max(), entries.count <= 65536 else { return nil }
        self.firstMapped = firstMapped
        self.entries = entries
        let needed = UInt16.bitWidth - greatest.leadingZeroBitCount
        self.bits = (1...16).contains(bits) ? Swift.max(bits, needed) : Swift.max(needed, 8)
    }

    /// Reads descriptor and data, which have to be in memory. Where there is less data than the descriptor says, the
    /// entries that are there count.
    ///
    /// - Parameter isSigned: whether the input is signed, so that a first value written as unsigned is not.
    init?(_ dataSet: DataSet, descriptor: Tag = .lutDescriptor, data: Tag = .lutData, isSigned: Bool) {
        guard let (count, first, bits) = Self.descriptor(in: dataSet, descriptor, isSigned: isSigned),
            let bytes = dataSet[data]?.bytes
        else { return nil }
        self.init(firstMapped: first, bits: bits, entries: Self.entries(bytes, count: count, bits: bits))
    }

    /// Number of entries, first mapped value and bits of an entry (PS3.3 C.11.1.1.1).
    static func descriptor(
        in dataSet: DataSet, _ tag: Tag, isSigned: Bool
    ) -> (count: Int, first: Int, bits: Int)? {
        let values = dataSet.ints(for: tag)
        guard values.count >= 3, values[1].magnitude < 1 << 32 else { return nil }
        // The three values share one VR: what is unsigned may have been read as signed, and the other way around.
        let count = values[0] & 0xFFFF
        let first = isSigned ? Int(Int16(truncatingIfNeeded: values[1])) : values[1]
        return (count == 0 ? 65536 : count, first, values[2] & 0xFFFF)
    }

    /// The entries: words, or bytes where there are too few for words and an entry has no more than 8 bits.
    static func entries(_ bytes: ArraySlice<UInt8>, count: Int, bits: Int) -> [UInt16] {
        if bytes.count < 2 * count, bits <= 8, bytes.count >= count {
            return bytes.prefix(count).map { UInt16($0) }
        }
        return words(bytes, limit: count)
    }

    static func words(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt16] {
        bytes.withUnsafeBytes { raw in
            (0..<Swift.min(raw.count / 2, limit)).map {
                UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
            }
        }
    }

    /// The greatest output.
    public var maximum: Double { Double((1 << bits) - 1) }

    /// The entry for an input, which is rounded to a whole number.
    public subscript(input: Double) -> UInt16 { entries[index(input)] }

    private func index(_ input: Double) -> Int {
        let offset = input.rounded() - Double(firstMapped)
        // Not a number is not above zero, either.
        guard offset > 0 else { return 0 }
        return offset < Double(entries.count) ? Int(offset) : entries.count - 1
    }
}
