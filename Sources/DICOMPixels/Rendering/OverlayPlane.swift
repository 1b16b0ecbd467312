import DICOMCore

/// A plane of bits that is drawn over the image (PS3.3 C.9.2).
public struct OverlayPlane: Hashable, Sendable {
    /// Where its bits are.
    public enum Bits: Hashable, Sendable {
        /// In Overlay Data: the least bit first, row after row.
        case data(ArraySlice<UInt8>)
        /// In this bit of each word of the pixel data, one that no sample uses (retired).
        case pixelBit(Int)
    }

    public let rows: Int
    public let columns: Int
    /// Row and column of the image that the first bit lies on, from 0; may be negative.
    public let originRow: Int
    public let originColumn: Int
    public let bits: Bits
    /// First bit of the plane for the frame.
    let firstBit: Int

    /// The overlays of a data set that a frame has.
    ///
    /// - Parameter frame: counts from 1.
    static func planes(of dataSet: DataSet, frame: Int) -> [OverlayPlane] {
        (0..<16).compactMap { OverlayPlane(dataSet, group: 0x6000 + 2 * $0, frame: frame) }
    }

    private init?(_ dataSet: DataSet, group: UInt16, frame: Int) {
        func number(_ element: UInt16) -> Int? { dataSet.int(for: Tag(group, element)) }
        guard let rows = number(0x0010), let columns = number(0x0011), (1...0xFFFF).contains(rows),
            (1...0xFFFF).contains(columns)
        else { return nil }
        // A plane of several frames starts at one of the image's frames; any other is for all of them.
        let count = number(0x0015) ?? 1
        var index = 0
        if count > 1 {
            let start = number(0x0051) ?? 1
            guard start >= 1, frame >= start, frame - start < count else { return nil }
            index = frame - start
        }
        let origin = dataSet.ints(for: Tag(group, 0x0050))
        self.rows = rows
        self.columns = columns
        originRow = Self.clamped(origin.first ?? 1) - 1
        originColumn = Self.clamped(origin.count > 1 ? origin[1] : 1) - 1
        if let bytes = dataSet[Tag(group, 0x3000)]?.bytes {
            let (first, overflow) = (rows * columns).multipliedReportingOverflow(by: index)
            guard !overflow, first / 8 < bytes.count else { return nil }
            firstBit = first
            bits = .data(bytes)
        } else if dataSet[Tag(group, 0x3000)] == nil, let allocated = number(0x0100), allocated > 1,
            let position = number(0x0102), (0..<allocated).contains(position), allocated <= 32
        {
            firstBit = 0
            bits = .pixelBit(position)
        } else {
            return nil
        }
    }

    /// An origin further away than any image is wide says the same as one that far.
    private static func clamped(_ origin: Int) -> Int { Swift.max(-0x20000, Swift.min(origin, 0x20000)) }

    /// Whether it claims a bit that is one of the pixel's value: then it is none.
    func lies(in stored: StoredBits) -> Bool {
        guard case .pixelBit(let position) = bits else { return false }
        return (stored.shift..<stored.shift + stored.count).contains(position)
    }

    /// The columns of the image that the plane covers in a row of it; `nil` when none.
    func columns(inRow row: Int, of columns: Range<Int>) -> Range<Int>? {
        guard row >= originRow, row - originRow < rows else { return nil }
        let lower = Swift.max(columns.lowerBound, originColumn)
        let upper = Swift.min(columns.upperBound, originColumn + self.columns)
        return lower < upper ? lower..<upper : nil
    }
}
