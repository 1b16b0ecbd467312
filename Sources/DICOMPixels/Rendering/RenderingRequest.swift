/// How a client wants an image (PS3.18 8.3.5).
public struct RenderingRequest: Hashable, Sendable {
    /// Instead of the data set's window or table.
    public var window: VOIWindow?
    /// The whole image in its own size when absent.
    public var viewport: Viewport?
    /// Lines of text that are burned in.
    public var annotation: [String]
    public var drawsOverlays: Bool
    public var colorProfile: ColorProfile

    /// The `iccprofile` parameter (PS3.18 8.3.5.1.5).
    public enum ColorProfile: Hashable, Sendable {
        /// None is embedded, colours are not converted.
        case no
        /// The data set's, if it has one.
        case yes
        case srgb
        case adobeRGB
        case rommRGB
    }

    public init(
        window: VOIWindow? = nil, viewport: Viewport? = nil, annotation: [String] = [], drawsOverlays: Bool = true,
        colorProfile: ColorProfile = .no
    ) {
        self.window = window
        self.viewport = viewport
        self.annotation = annotation
        self.drawsOverlays = drawsOverlays
        self.colorProfile = colorProfile
    }
}
