import CCharLS

/// JPEG-LS without loss by CharLS (ITU-T T.87, PS3.5 A.4.3).
struct JPEGLSEncoder: FrameEncoder {
    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        let shape = try frame.shapeToEncode()
        // The format's smallest precision is 2 bits.
        let precision = max(2, SampleBits.precision(of: frame))
        var samples = try SampleBits.byPixel(frame)
        // The format knows no sign: bits above those coded must be zero. Up to 8 bits are coded as bytes.
        if shape.sampleBytes == 2, precision <= 8 {
            let wide = samples
            samples = try makeBytes(wide.count / 2) { output in
                for index in output.indices { output[index] = wide[index * 2] }
            }
        }
        let sampleBytes = precision > 8 ? 2 : 1
        samples.withUnsafeMutableBytes {
            SampleBits.extend($0, sampleBytes: sampleBytes, precision: precision, isSigned: false)
        }
        guard let encoder = charls_jpegls_encoder_create() else { throw .unsupported("no memory to encode JPEG-LS") }
        defer { charls_jpegls_encoder_destroy(encoder) }
        var info = charls_frame_info(
            width: UInt32(shape.columns), height: UInt32(shape.rows), bits_per_sample: Int32(precision),
            component_count: Int32(shape.samples))
        try check(charls_jpegls_encoder_set_frame_info(encoder, &info))
        let interleaving = shape.samples > 1 ? CHARLS_INTERLEAVE_MODE_SAMPLE : CHARLS_INTERLEAVE_MODE_NONE
        try check(charls_jpegls_encoder_set_interleave_mode(encoder, interleaving))
        var bound = 0
        try check(charls_jpegls_encoder_get_estimated_destination_size(encoder, &bound))
        // Noise can take more than the library expects.
        bound += bound / 2 + 1024
        var count = 0
        var bytes = try makeBytes(bound) { (output) throws(CodecError) in
            guard let target = output.baseAddress else { throw .truncated }
            _ = output.initializeMemory(as: UInt8.self, repeating: 0)
            try check(charls_jpegls_encoder_set_destination_buffer(encoder, target, output.count))
            let status = samples.withUnsafeBytes { source in
                source.baseAddress.map { charls_jpegls_encoder_encode_from_buffer(encoder, $0, source.count, 0) }
            }
            try check(status ?? CHARLS_JPEGLS_ERRC_INVALID_ARGUMENT)
            try check(charls_jpegls_encoder_get_bytes_written(encoder, &count))
        }
        bytes.removeLast(bytes.count - min(count, bytes.count))
        return EncodedFrame(bytes: bytes, description: frame.description.decoded())
    }

    private func check(_ result: charls_jpegls_errc) throws(CodecError) {
        guard result != CHARLS_JPEGLS_ERRC_SUCCESS else { return }
        throw .corrupt("JPEG-LS error \(result.rawValue)")
    }
}
