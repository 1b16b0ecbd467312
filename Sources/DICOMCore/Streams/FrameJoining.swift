/// Joins frames that are one fragment each to native pixel data: without the padding of each, and without gaps where a
/// frame does not end on a byte boundary (PS3.5 8.1.1, A.4.11).
struct FrameJoining: Sendable {
    /// Bytes of all frames.
    let byteCount: Int
    private let frameBits: Int
    private var missingFrames: Int
    /// Bits of the frame at hand that are still to come.
    private var missingBits = 0
    /// Bits that do not make a byte yet.
    private var rest: UInt16 = 0
    private var restCount = 0
    private var isWhole = true

    /// `nil` when the attributes do not tell the size of a frame.
    init?(_ image: DataSet) {
        let frames = max(PixelDataLength.number(Tag(0x0028, 0x0008), image) ?? 1, 1)
        guard case .bits(let bits) = PixelDataLength.frame(Tag(0x7FE0, 0x0010), image) else { return nil }
        let (total, isOverflow) = bits.multipliedReportingOverflow(by: frames)
        guard !isOverflow, bits > 0 else { return nil }
        byteCount = total / 8 + (total % 8 == 0 ? 0 : 1)
        frameBits = bits
        missingFrames = frames
    }

    mutating func beginFragment() {
        // A single frame may have several fragments.
        guard missingFrames > 0 else { return }
        if missingBits > 0 { isWhole = false }
        missingFrames -= 1
        missingBits = frameBits
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        if restCount == 0, missingBits >= 8 {
            let whole = min(bytes.count, missingBits / 8)
            output.append(contentsOf: bytes[..<whole])
            missingBits -= whole * 8
            guard whole < bytes.count else { return }
            return add(bytes.part(whole, bytes.count), to: &output)
        }
        for byte in bytes where missingBits > 0 {
            let count = min(8, missingBits)
            rest |= UInt16(byte & UInt8(truncatingIfNeeded: 0xFF >> (8 - count))) << UInt16(restCount)
            restCount += count
            missingBits -= count
            guard restCount >= 8 else { continue }
            output.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
            restCount -= 8
        }
    }

    /// Ends the value. Says whether all frames were there.
    mutating func finish(_ output: inout [UInt8]) -> Bool {
        if restCount > 0 { output.append(UInt8(truncatingIfNeeded: rest)) }
        if byteCount % 2 != 0 { output.append(0) }
        return isWhole && missingFrames == 0 && missingBits == 0
    }
}
