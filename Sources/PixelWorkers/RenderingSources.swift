import DICOMCore
import DICOMPixels

/// What a worker has read of the instances that it rendered lately.
struct RenderingSources {
    /// What rendering needs of one instance.
    struct Source {
        let dataSet: DataSet
        let image: ImagePixelDescription?
        let frameTime: Double
        var used: UInt64

        func attributes(ofFrame frame: Int) -> RenderingAttributes { RenderingAttributes(dataSet, frame: frame) }
    }

    private static let limit = 8
    /// Values that rendering may need: tables, overlays and profiles; never pixel data.
    private static let retention = ValueRetention(
        binaryBytes: 16 << 20, textBytes: 64 << 10, numbers: 1 << 17, keepsPixelData: false)

    private var sources: [UInt64: Source] = [:]
    private var clock: UInt64 = 0
    /// The table that was used last: the slices of a series mostly share one.
    private var table: (key: TableKey, table: RenderingTable)?

    private struct TableKey: Hashable {
        var attributes: RenderingAttributes
        var image: ImagePixelDescription
        var window: VOIWindow?
    }

    subscript(_ key: UInt64) -> Source? {
        mutating get {
            clock += 1
            sources[key]?.used = clock
            return sources[key]
        }
    }

    /// The beginning of a file, up to its pixel data.
    static func dataSet(_ head: UnsafeRawBufferPointer) throws(PixelFailure) -> DataSet {
        var reader = Part10Reader(retention: retention)
        do throws(DataSetReadError) {
            try reader.receive(head)
            return try reader.finishAtPixelData()
        } catch {
            throw PixelFailure(.corrupt, "the data set cannot be read up to its pixel data")
        }
    }

    /// Reads the beginning of a file, up to its pixel data.
    mutating func read(_ head: UnsafeRawBufferPointer, as key: UInt64) throws(PixelFailure) {
        let dataSet = try Self.dataSet(head)
        clock += 1
        if sources.count >= Self.limit, let oldest = sources.min(by: { $0.value.used < $1.value.used })?.key {
            sources[oldest] = nil
        }
        sources[key] = Source(
            dataSet: dataSet, image: ImagePixelDescription(dataSet), frameTime: GIFAnimation.frameTime(of: dataSet),
            used: clock)
    }

    /// The table for frames like this one, made only when it is another than the last.
    mutating func table(
        for pipeline: RenderingPipeline, _ image: ImagePixelDescription, _ request: RenderingRequest
    ) -> RenderingTable? {
        let key = TableKey(attributes: pipeline.attributes, image: image, window: request.window)
        if let table, table.key == key { return table.table }
        guard let made = pipeline.table(for: image, request) else { return nil }
        table = (key, made)
        return made
    }
}
