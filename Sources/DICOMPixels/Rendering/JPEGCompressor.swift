import CTurboJPEG

/// A compressor of libjpeg-turbo for images, or strips of one, of some width.
struct JPEGCompressor: ~Copyable {
    /// Below this quality, two by two pixels share their chroma.
    private static let fullChromaQuality = 90

    private let handle: tjhandle
    private let width: Int
    private let format: Int32
    private let subsampling: Int32
    private let quality: Int32
    /// Where the file goes; grows, and is used again for the next one.
    private let file: Output
    /// Pixels that are coded together, across and down.
    let unit: Int

    init(width: Int, _ colorSpace: RenderedImage.ColorSpace, quality: Int) throws(RenderingError) {
        guard (1...100).contains(quality) else { throw RenderingError(.invalidQuality) }
        guard let handle = tjInitCompress() else { throw RenderingError(.encoderFailed) }
        self.handle = handle
        self.width = width
        self.quality = Int32(quality)
        let isGray = colorSpace == .gray
        let isSubsampled = !isGray && quality < Self.fullChromaQuality
        format = Int32((isGray ? TJPF_GRAY : TJPF_RGB).rawValue)
        subsampling = Int32((isGray ? TJSAMP_GRAY : isSubsampled ? TJSAMP_420 : TJSAMP_444).rawValue)
        unit = isSubsampled ? 16 : 8
        file = Output()
    }

    deinit {
        tjFree(file.bytes)
        tjDestroy(handle)
    }

    /// Compresses consecutive rows to a whole JPEG file, which stays until the next call.
    func compress(
        _ samples: UnsafePointer<UInt8>?, rows: Int
    ) throws(RenderingError) -> UnsafeBufferPointer<UInt8> {
        let status = tjCompress2(
            handle, samples, Int32(width), 0, Int32(rows), format, &file.bytes, &file.count, subsampling, quality, 0)
        guard status == 0, let bytes = file.bytes, file.count > 4 else { throw RenderingError(.encoderFailed) }
        return UnsafeBufferPointer(start: bytes, count: Int(file.count))
    }

    /// The library's buffer and how much of it is used.
    private final class Output {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count: UInt = 0
    }
}
