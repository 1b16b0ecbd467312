/// An image for viewing: eight bits a sample, gray or RGB, rows from the top, samples of a pixel together.
public struct RenderedImage: Hashable, Sendable {
    public enum ColorSpace: Hashable, Sendable {
        case gray
        case rgb

        /// Samples of a pixel.
        public var channels: Int { self == .gray ? 1 : 3 }
    }

    public let width: Int
    public let height: Int
    public let colorSpace: ColorSpace
    /// `width * height * colorSpace.channels` of them.
    public internal(set) var samples: [UInt8]
    /// The profile to embed.
    public var iccProfile: [UInt8]?

    /// `nil` when the number of samples is not that of the size.
    public init?(width: Int, height: Int, colorSpace: ColorSpace, samples: [UInt8], iccProfile: [UInt8]? = nil) {
        guard width > 0, height > 0, width <= 0xFFFF, height <= 0xFFFF,
            samples.count == width * height * colorSpace.channels
        else { return nil }
        self.init(known: width, height, colorSpace, samples)
        self.iccProfile = iccProfile
    }

    /// Takes samples that are known to fit.
    init(known width: Int, _ height: Int, _ colorSpace: ColorSpace, _ samples: [UInt8]) {
        self.width = width
        self.height = height
        self.colorSpace = colorSpace
        self.samples = samples
    }
}
