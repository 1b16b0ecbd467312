import DICOMCore

/// The colours of PALETTE COLOR images, and of the stored values of a supplemental palette (PS3.3 C.7.6.3.1.5,
/// C.7.6.3.1.6, C.7.6.19).
public struct ColorPalette: Hashable, Sendable {
    /// The stored value that the first colour is for.
    public let firstMapped: Int
    /// Colours as `0xRRGGBB`; never empty, at most 65536.
    public let colors: [UInt32]

    public init?(firstMapped: Int, colors: [UInt32]) {
        guard !colors.isEmpty, colors.count <= 65536 else { return nil }
        self.firstMapped = firstMapped
        self.colors = colors
    }

    /// Reads the three tables, segmented or not. `nil` when one of them is not there or has no entries.
    init?(_ dataSet: DataSet, isSigned: Bool) {
        var planes: [LookupTable] = []
        for (descriptor, data, segmented) in Self.tags {
            let plane =
                LookupTable(dataSet, descriptor: descriptor, data: data, isSigned: isSigned)
                ?? Self.segmentedTable(dataSet, descriptor: descriptor, data: segmented, isSigned: isSigned)
            guard let plane else { return nil }
            planes.append(plane)
        }
        // 16 bits are said where 8 are meant often enough; no palette is that dark.
        let greatest = planes.compactMap { $0.entries.max() }.max() ?? 0
        let maxima = planes.map { greatest <= 255 ? min($0.maximum, 255) : $0.maximum }
        func level(_ plane: Int, _ index: Int) -> UInt32 {
            let entries = planes[plane].entries
            let entry = Double(entries[min(index, entries.count - 1)])
            return UInt32(GrayscaleTransformation.rounded(min(entry / maxima[plane], 1) * 255))
        }
        let count = planes.map(\.entries.count).max() ?? 0
        self.init(
            firstMapped: planes[0].firstMapped,
            colors: (0..<count).map { level(0, $0) << 16 | level(1, $0) << 8 | level(2, $0) })
    }

    /// The colour of a stored value; those outside have that of the nearest end.
    public func color(_ stored: Int) -> UInt32 { colors[min(max(stored - firstMapped, 0), colors.count - 1)] }

    /// Whether a stored value has a colour of its own.
    func contains(_ stored: Int) -> Bool { stored >= firstMapped && stored - firstMapped < colors.count }

    private static let tags: [(descriptor: Tag, data: Tag, segmented: Tag)] = [
        (
            .redPaletteColorLookupTableDescriptor, .redPaletteColorLookupTableData,
            .segmentedRedPaletteColorLookupTableData
        ),
        (
            .greenPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableData,
            .segmentedGreenPaletteColorLookupTableData
        ),
        (
            .bluePaletteColorLookupTableDescriptor, .bluePaletteColorLookupTableData,
            .segmentedBluePaletteColorLookupTableData
        ),
    ]

    private static func segmentedTable(
        _ dataSet: DataSet, descriptor: Tag, data: Tag, isSigned: Bool
    ) -> LookupTable? {
        guard let (count, first, bits) = LookupTable.descriptor(in: dataSet, descriptor, isSigned: isSigned),
            let bytes = dataSet[data]?.bytes
        else { return nil }
        // The codes are as wide as the entries.
        let codes = bits <= 8 ? bytes.map { UInt16($0) } : LookupTable.words(bytes, limit: .max)
        return LookupTable(
            firstMapped: first, bits: bits,
            entries: SegmentedLookupTable.expand(codes, isWide: bits > 8, limit: count))
    }
}
