import DICOMCore
import DICOMPixels
import DICOMWeb

/// The parameters of a WADO-URI request that concern rendering (PS3.18 9.5).
struct URIRenderedRequest: Sendable {
    /// The one frame that is asked for.
    private(set) var frame: Int?
    /// What of the image is shown, in shares of its width and height.
    private(set) var region: Region?
    /// The presentation state and its series.
    private(set) var presentation: (state: UID, series: UID)?
    private var rows: Int?
    private var columns: Int?
    private var base = ImageRendering()

    struct Region: Hashable, Sendable {
        var left: Double
        var top: Double
        var right: Double
        var bottom: Double
    }

    static let names = [
        "frameNumber", "imageQuality", "imageAnnotation", "rows", "columns", "region", "windowCenter", "windowWidth",
        "presentationUID", "presentationSeriesUID",
    ]

    /// - Parameter text: the value of a parameter.
    init(_ text: (String) -> String?) throws {
        frame = try Self.count(text, "frameNumber", limit: .max)
        rows = try Self.count(text, "rows", limit: RenderingParameters.maximumViewportSide)
        columns = try Self.count(text, "columns", limit: RenderingParameters.maximumViewportSide)
        base.quality = try Self.count(text, "imageQuality", limit: 100)
        base.request.colorProfile = .yes
        let annotations = text("imageAnnotation")?.split(separator: ",").map(\.trimmingSpaces) ?? []
        base.showsPatient = annotations.contains("patient")
        base.showsTechnique = annotations.contains("technique")
        if let region = text("region") { self.region = try Self.region(region) }
        base.request.window = try Self.window(text)
        switch (text("presentationUID"), text("presentationSeriesUID")) {
        case (nil, nil): break
        case (let state?, let series?):
            guard let state = UID(state), let series = UID(series) else {
                throw Problem(.invalidQuery, "presentationUID or presentationSeriesUID is no UID.")
            }
            guard base.request.window == nil, region == nil else {
                throw Problem(.invalidQuery, "A window or region does not go with a presentation state.")
            }
            presentation = (state, series)
        default: throw Problem(.invalidQuery, "presentationUID and presentationSeriesUID go together.")
        }
    }

    /// How an image of this size is rendered; its size is not known where there is no region.
    func rendering(of image: ImagePixelDescription?) -> ImageRendering {
        var rendering = base
        guard rows != nil || columns != nil || region != nil else { return rendering }
        var viewport = Viewport(
            width: columns ?? RenderingParameters.maximumViewportSide,
            height: rows ?? RenderingParameters.maximumViewportSide)
        if let region, let image {
            let (width, height) = (Double(image.columns), Double(image.rows))
            viewport.x = region.left * width
            viewport.y = region.top * height
            viewport.regionWidth = (region.right - region.left) * width
            viewport.regionHeight = (region.bottom - region.top) * height
            if rows == nil, columns == nil { viewport.enlarges = false }
        }
        rendering.request.viewport = viewport
        return rendering
    }

    // MARK: - Values

    private static func count(_ text: (String) -> String?, _ name: String, limit: Int) throws -> Int? {
        guard let value = text(name) else { return nil }
        guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(value), (1...limit).contains(count)
        else { throw Problem(.invalidQuery, "\(name) is not a whole number from 1 up that could be meant.") }
        return count
    }

    private static func number(_ text: some StringProtocol) -> Double? {
        guard text.utf8.allSatisfy({ (0x2B...0x39).contains($0) && $0 != 0x2F && $0 != 0x2C || $0 | 0x20 == 0x65 }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    private static func window(_ text: (String) -> String?) throws -> VOIWindow? {
        switch (text("windowCenter"), text("windowWidth")) {
        case (nil, nil): return nil
        case (let center?, let width?):
            guard let center = number(center), let width = number(width),
                let window = VOIWindow(center: center, width: width)
            else { throw Problem(.invalidQuery, "windowCenter is no number, or windowWidth none from 1 up.") }
            return window
        default: throw Problem(.invalidQuery, "windowCenter and windowWidth go together.")
        }
    }

    private static func region(_ text: String) throws -> Region {
        let values = text.split(separator: ",", omittingEmptySubsequences: false).map { number($0) ?? -1 }
        guard values.count == 4, values.allSatisfy({ (0...1).contains($0) }), values[0] < values[2],
            values[1] < values[3]
        else { throw Problem(.invalidQuery, "region is not two corners in shares of the image from 0 to 1.") }
        return Region(left: values[0], top: values[1], right: values[2], bottom: values[3])
    }
}
