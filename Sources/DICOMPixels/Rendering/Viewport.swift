/// The size that an image is to have at most, and the part of it that is to be shown (PS3.18 8.3.5.1.3).
public struct Viewport: Hashable, Sendable {
    public var width: Int
    public var height: Int
    /// Left and upper edge of the region, in pixels of the image.
    public var x: Double
    public var y: Double
    /// Extent of the region, up to the image's edge when absent; negative to mirror it.
    public var regionWidth: Double?
    public var regionHeight: Double?

    public init(
        width: Int, height: Int, x: Double = 0, y: Double = 0, regionWidth: Double? = nil, regionHeight: Double? = nil
    ) {
        self.width = width
        self.height = height
        self.x = x
        self.y = y
        self.regionWidth = regionWidth
        self.regionHeight = regionHeight
    }
}

/// Which part of an image becomes how large an image.
struct RegionGeometry: Hashable {
    /// The region in pixels of the image, inside of it, not empty.
    let columns: Range<Double>
    let rows: Range<Double>
    let mirrorsHorizontally: Bool
    let mirrorsVertically: Bool
    /// Size of the result.
    let width: Int
    let height: Int

    /// The part of a region that the image has, in its proportions, as large as fits into the viewport. Nothing is
    /// padded.
    init(_ viewport: Viewport?, columns: Int, rows: Int, pixelLimit: Int) throws(RenderingError) {
        let (imageWidth, imageHeight) = (Double(columns), Double(rows))
        guard let viewport else {
            self.columns = 0..<imageWidth
            self.rows = 0..<imageHeight
            (mirrorsHorizontally, mirrorsVertically) = (false, false)
            (width, height) = (columns, rows)
            guard columns * rows <= pixelLimit else { throw RenderingError(.tooManyPixels(limit: pixelLimit)) }
            return
        }
        guard viewport.width > 0, viewport.height > 0,
            let across = Self.span(viewport.x, viewport.regionWidth, of: imageWidth),
            let down = Self.span(viewport.y, viewport.regionHeight, of: imageHeight)
        else { throw RenderingError(.emptyRegion) }
        self.columns = across
        self.rows = down
        mirrorsHorizontally = (viewport.regionWidth ?? 1) < 0
        mirrorsVertically = (viewport.regionHeight ?? 1) < 0
        let (spanWidth, spanHeight) = (across.upperBound - across.lowerBound, down.upperBound - down.lowerBound)
        let scale = min(Double(viewport.width) / spanWidth, Double(viewport.height) / spanHeight)
        let (outWidth, outHeight) = (max(1, (spanWidth * scale).rounded()), max(1, (spanHeight * scale).rounded()))
        guard outWidth * outHeight <= Double(pixelLimit), outWidth <= 0xFFFF, outHeight <= 0xFFFF else {
            throw RenderingError(.tooManyPixels(limit: pixelLimit))
        }
        (width, height) = (Int(outWidth), Int(outHeight))
    }

    /// What of a span lies in 0 to `extent`.
    private static func span(_ start: Double, _ length: Double?, of extent: Double) -> Range<Double>? {
        guard start.isFinite, length?.isFinite ?? true else { return nil }
        let end = length.map { start + abs($0) } ?? extent
        let (lower, upper) = (max(0, start), min(extent, end))
        // A sliver of a pixel has no extent to speak of.
        return upper - lower > 1e-3 ? lower..<upper : nil
    }

    /// Whether pixels are taken over one by one.
    var isOneToOne: Bool {
        columns.upperBound - columns.lowerBound == Double(width) && rows.upperBound - rows.lowerBound == Double(height)
            && columns.lowerBound.rounded() == columns.lowerBound && rows.lowerBound.rounded() == rows.lowerBound
    }

    /// Pixels of the image for one of the result, across and down.
    var step: (across: Double, down: Double) {
        (
            (columns.upperBound - columns.lowerBound) / Double(width),
            (rows.upperBound - rows.lowerBound) / Double(height)
        )
    }
}
