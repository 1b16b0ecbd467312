import COpenJPH

/// High-throughput JPEG 2000 without loss by OpenJPH (ITU-T T.814).
struct HTJ2KEncoder: FrameEncoder {
    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        let image = frame.description
        let shape = try frame.shapeToEncode()
        let samples = try SampleBits.byPixel(frame)
        let isRGB = shape.samples == 3 && image.photometricInterpretation == .rgb
        var request = gantry_htj2k_image(
            width: UInt32(shape.columns), height: UInt32(shape.rows), components: UInt32(shape.samples),
            precision: UInt32(SampleBits.precision(of: frame)), is_signed: image.isSigned ? 1 : 0,
            sample_bytes: UInt32(shape.sampleBytes), uses_colour_transform: isRGB ? 1 : 0)
        var output: UnsafeMutablePointer<UInt8>?
        var count = 0
        let isDone = samples.withUnsafeBufferPointer {
            gantry_htj2k_encode(&request, $0.baseAddress, &output, &count)
        }
        defer { gantry_htj2k_free(output) }
        guard isDone != 0, let output else { throw .unsupported("an image that HTJ2K cannot hold") }
        return EncodedFrame(
            bytes: Array(UnsafeBufferPointer(start: output, count: count)),
            description: image.decoded(photometricInterpretation: isRGB ? .ybrRCT : nil))
    }
}
