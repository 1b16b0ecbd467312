/// Where the stored bits of a sample are in its word (PS3.5 8.1.1).
public struct StoredBits: Hashable, Sendable {
    /// 1 to the bits that are allocated.
    public let count: Int
    /// How many bits of the word are below.
    public let shift: Int
    public let isSigned: Bool

    /// Takes what a description says, put right where it cannot be.
    public init(_ description: ImagePixelDescription) {
        let allocated = max(1, min(description.bitsAllocated, 64))
        let stored = description.bitsStored
        count = stored >= 1 && stored <= allocated ? stored : allocated
        let high = description.highBit
        shift = high >= count - 1 && high < allocated ? high + 1 - count : 0
        isSigned = description.isSigned && count > 1
    }

    /// A mask of as many ones as there are stored bits, from bit 0.
    var mask: UInt64 { count == 64 ? .max : (1 << UInt64(count)) - 1 }

    /// The value of a word: other bits left out, the sign extended from the highest stored bit.
    func value(ofWord word: UInt64) -> Int64 {
        let bits = (word >> UInt64(shift)) & mask
        let unused = Int64(64 - count)
        return isSigned ? (Int64(bitPattern: bits) << unused) >> unused : Int64(truncatingIfNeeded: bits)
    }

    /// The value that an index of a table of all values stands for: `value(ofWord:)` without the shift.
    func value(ofIndex index: Int) -> Int { isSigned && index >> (count - 1) != 0 ? index - (1 << count) : index }
}
