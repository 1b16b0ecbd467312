import CJXL

/// JPEG XL without loss by libjxl, on the calling thread only.
struct JPEGXLEncoder: FrameEncoder {
    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        let image = frame.description
        let shape = try frame.shapeToEncode()
        // All bits that are allocated: the library would take fewer for a scale.
        let precision = shape.bitsAllocated
        let samples = try SampleBits.byPixel(frame)
        guard let encoder = JxlEncoderCreate(nil) else { throw .unsupported("no memory to encode JPEG XL") }
        defer { JxlEncoderDestroy(encoder) }
        var header = JxlBasicInfo()
        JxlEncoderInitBasicInfo(&header)
        header.xsize = UInt32(shape.columns)
        header.ysize = UInt32(shape.rows)
        header.bits_per_sample = UInt32(precision)
        header.num_color_channels = UInt32(shape.samples)
        header.uses_original_profile = 1
        var colour = JxlColorEncoding()
        JxlColorEncodingSetToSRGB(&colour, shape.samples == 1 ? 1 : 0)
        var format = JxlPixelFormat(
            num_channels: UInt32(shape.samples), data_type: shape.sampleBytes == 1 ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
            endianness: JXL_LITTLE_ENDIAN, align: 0)
        // 16 bits are beyond level 5, and level 10 wants to be in a container unless it is named.
        guard JxlEncoderSetCodestreamLevel(encoder, shape.sampleBytes == 1 ? 5 : 10) == JXL_ENC_SUCCESS,
            JxlEncoderUseContainer(encoder, 0) == JXL_ENC_SUCCESS,
            JxlEncoderSetBasicInfo(encoder, &header) == JXL_ENC_SUCCESS,
            JxlEncoderSetColorEncoding(encoder, &colour) == JXL_ENC_SUCCESS,
            let settings = JxlEncoderFrameSettingsCreate(encoder, nil),
            JxlEncoderSetFrameLossless(settings, 1) == JXL_ENC_SUCCESS,
            JxlEncoderFrameSettingsSetOption(settings, JXL_ENC_FRAME_SETTING_EFFORT, 3) == JXL_ENC_SUCCESS
        else { throw .unsupported("an image that JPEG XL cannot hold") }
        let status = samples.withUnsafeBytes {
            JxlEncoderAddImageFrame(settings, &format, $0.baseAddress, $0.count)
        }
        guard status == JXL_ENC_SUCCESS else { throw .unsupported("an image that JPEG XL cannot hold") }
        JxlEncoderCloseInput(encoder)
        return EncodedFrame(bytes: try output(of: encoder), description: image.decoded())
    }

    private func output(of encoder: OpaquePointer) throws(CodecError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var status = JXL_ENC_ERROR
            let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
                var next = buffer.baseAddress
                var available = buffer.count
                status = JxlEncoderProcessOutput(encoder, &next, &available)
                count = buffer.count - available
            }
            bytes += chunk
            switch status {
            case JXL_ENC_SUCCESS: return bytes
            case JXL_ENC_NEED_MORE_OUTPUT: continue
            default: throw .unsupported("an image that JPEG XL cannot hold")
            }
        }
    }
}
