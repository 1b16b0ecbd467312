/// Writes rendered images as files of the formats that every browser shows (PS3.18 Table 8.7.4-1).
public enum ImageFileEncoder {
    /// JPEG baseline. Colours are subsampled below a quality of 90.
    ///
    /// - Parameter quality: 1 to 100.
    public static func jpeg(_ image: RenderedImage, quality: Int = 90) throws(RenderingError) -> [UInt8] {
        try JPEGFile.encode(image, quality: quality)
    }

    /// PNG with eight bits a sample.
    public static func png(_ image: RenderedImage) throws(RenderingError) -> [UInt8] { try PNGFile.encode(image) }

    /// GIF of one image. Colours are reduced to 256; there is no place for an ICC profile.
    public static func gif(_ image: RenderedImage) throws(RenderingError) -> [UInt8] {
        var animation = try GIFAnimation(width: image.width, height: image.height, frameTime: nil)
        try animation.append(image)
        return try animation.finish()
    }
}
