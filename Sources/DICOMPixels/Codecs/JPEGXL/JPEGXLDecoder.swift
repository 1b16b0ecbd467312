import CJXL

/// JPEG XL by libjxl (ISO/IEC 18181-1, PS3.5 A.4.12), on the calling thread only.
struct JPEGXLDecoder: FrameDecoder {
    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer {
        let shape = try FrameShape(image, limits: limits)
        guard shape.sampleBytes <= 2 else { throw .unsupported("JPEG XL in 32 bits allocated") }
        guard let decoder = JxlDecoderCreate(nil) else { throw .unsupported("no memory to decode JPEG XL") }
        defer { JxlDecoderDestroy(decoder) }
        let events = JXL_DEC_BASIC_INFO.rawValue | JXL_DEC_FULL_IMAGE.rawValue
        guard JxlDecoderSubscribeEvents(decoder, Int32(events)) == JXL_DEC_SUCCESS,
            JxlDecoderSetKeepOrientation(decoder, 1) == JXL_DEC_SUCCESS,
            JxlDecoderSetInput(
                decoder, codestream.assumingMemoryBound(to: UInt8.self).baseAddress, codestream.count)
                == JXL_DEC_SUCCESS
        else { throw .unsupported("no memory to decode JPEG XL") }
        JxlDecoderCloseInput(decoder)

        // 1. The header, before memory is taken for the image.
        guard JxlDecoderProcessInput(decoder) == JXL_DEC_BASIC_INFO else { throw .corrupt("no JPEG XL header") }
        var header = JxlBasicInfo()
        guard JxlDecoderGetBasicInfo(decoder, &header) == JXL_DEC_SUCCESS else {
            throw .corrupt("no JPEG XL header")
        }
        try shape.require(
            rows: Int(header.ysize), columns: Int(header.xsize), samples: Int(header.num_color_channels))
        let precision = Int(header.bits_per_sample)
        try shape.require(precision: precision)
        guard header.exponent_bits_per_sample == 0, header.num_extra_channels == 0, header.have_animation == 0,
            header.have_preview == 0, header.alpha_bits == 0
        else { throw .unsupported("JPEG XL with more than an image of integers") }

        // 2. The image. Samples of 9 to 15 bits come scaled up to 16.
        let sampleBytes = precision > 8 ? 2 : 1
        var bytes = try makeBytes(shape.pixels * shape.samples * sampleBytes) { (output) throws(CodecError) in
            try Self.decodeImage(decoder, shape, sampleBytes, into: output)
            Self.unscale(output, sampleBytes: sampleBytes, precision: precision)
        }
        if shape.sampleBytes > sampleBytes { bytes = try SampleBits.widen(bytes, to: shape.sampleBytes) }
        bytes.withUnsafeMutableBytes {
            SampleBits.extend($0, sampleBytes: shape.sampleBytes, precision: precision, isSigned: image.isSigned)
        }
        return try FrameBuffer(decoded: bytes, description(of: image, header))
    }

    private static func decodeImage(
        _ decoder: OpaquePointer, _ shape: FrameShape, _ sampleBytes: Int, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        guard JxlDecoderProcessInput(decoder) == JXL_DEC_NEED_IMAGE_OUT_BUFFER else {
            throw .corrupt("damaged JPEG XL data")
        }
        var format = JxlPixelFormat(
            num_channels: UInt32(shape.samples), data_type: sampleBytes == 1 ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
            endianness: JXL_LITTLE_ENDIAN, align: 0)
        var count = 0
        guard JxlDecoderImageOutBufferSize(decoder, &format, &count) == JXL_DEC_SUCCESS, count == output.count,
            JxlDecoderSetImageOutBuffer(decoder, &format, output.baseAddress, output.count) == JXL_DEC_SUCCESS
        else { throw .disagrees("another number of bytes in the frame") }
        guard JxlDecoderProcessInput(decoder) == JXL_DEC_FULL_IMAGE else { throw .corrupt("damaged JPEG XL data") }
    }

    /// Back from the full range of the sample's bytes to that of the precision.
    private static func unscale(_ output: UnsafeMutableRawBufferPointer, sampleBytes: Int, precision: Int) {
        guard precision < sampleBytes * 8 else { return }
        let highest = UInt32(1) << UInt32(precision) - 1
        if sampleBytes == 1 {
            for index in output.indices { output[index] = UInt8((UInt32(output[index]) * highest + 127) / 255) }
        } else {
            output.withMemoryRebound(to: UInt16.self) { samples in
                for index in samples.indices {
                    let scaled = UInt32(samples[index].littleEndian) * highest
                    samples[index] = UInt16(truncatingIfNeeded: (scaled + 32767) / 65535).littleEndian
                }
            }
        }
    }

    /// XYB, and the YCbCr of a JPEG that was recompressed, come as RGB.
    private func description(of image: ImagePixelDescription, _ header: JxlBasicInfo) -> ImagePixelDescription {
        guard image.samplesPerPixel == 3 else { return image.decoded() }
        let isKept = header.uses_original_profile != 0 && image.photometricInterpretation == .ybrFull
        return image.decoded(photometricInterpretation: isKept ? nil : .rgb)
    }
}
