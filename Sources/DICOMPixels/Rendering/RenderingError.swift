/// Why a frame cannot be rendered, or an image not be written.
public struct RenderingError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        /// There are not the bytes that the description asks for.
        case frameDoesNotFitDescription
        /// Bits Allocated, Samples per Pixel and kind of sample go together in no way that can be shown.
        case unsupportedPixels(bitsAllocated: Int, samplesPerPixel: Int)
        /// PALETTE COLOR without a palette.
        case paletteMissing
        /// The region of a viewport has no pixel of the image in it.
        case emptyRegion
        /// The image would have more pixels than are allowed.
        case tooManyPixels(limit: Int)
        /// The format has no place for an image that large, or with that many bytes.
        case tooLargeForFormat
        /// A quality outside of 1 to 100.
        case invalidQuality
        /// The ICC profile is none, or not of the image's kind.
        case invalidColorProfile
        /// Frames of an animation that are not all of the size of the first.
        case differentFrameSizes
        /// The library that writes the format gave up.
        case encoderFailed
    }

    public var code: Code

    public init(_ code: Code) { self.code = code }
}
