import CJXL
import CTurboJPEG
import DICOMCore
import DICOMPixels
import Testing

/// Codestreams that our encoder does not write.
@Suite struct JPEGXLDecoderTests {
    /// Runs an encoder for grey or RGB samples to its end.
    func encode(
        rows: Int, columns: Int, samples: Int, bits: Int, distance: Float, _ pixels: [UInt16]
    ) throws -> [UInt8] {
        let encoder = try #require(JxlEncoderCreate(nil))
        defer { JxlEncoderDestroy(encoder) }
        var header = JxlBasicInfo()
        JxlEncoderInitBasicInfo(&header)
        header.xsize = UInt32(columns)
        header.ysize = UInt32(rows)
        header.bits_per_sample = UInt32(bits)
        header.num_color_channels = UInt32(samples)
        header.uses_original_profile = distance == 0 ? 1 : 0
        var colour = JxlColorEncoding()
        JxlColorEncodingSetToSRGB(&colour, samples == 1 ? 1 : 0)
        var format = JxlPixelFormat(
            num_channels: UInt32(samples), data_type: JXL_TYPE_UINT16, endianness: JXL_LITTLE_ENDIAN, align: 0)
        try #require(JxlEncoderSetBasicInfo(encoder, &header) == JXL_ENC_SUCCESS)
        try #require(JxlEncoderSetColorEncoding(encoder, &colour) == JXL_ENC_SUCCESS)
        let settings = try #require(JxlEncoderFrameSettingsCreate(encoder, nil))
        if distance == 0 {
            try #require(JxlEncoderSetFrameLossless(settings, 1) == JXL_ENC_SUCCESS)
        } else {
            try #require(JxlEncoderSetFrameDistance(settings, distance) == JXL_ENC_SUCCESS)
        }
        let status = pixels.withUnsafeBytes { JxlEncoderAddImageFrame(settings, &format, $0.baseAddress, $0.count) }
        try #require(status == JXL_ENC_SUCCESS)
        return try finish(encoder)
    }

    func finish(_ encoder: OpaquePointer) throws -> [UInt8] {
        JxlEncoderCloseInput(encoder)
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = try bytes.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            var available = buffer.count
            try #require(JxlEncoderProcessOutput(encoder, &next, &available) == JXL_ENC_SUCCESS)
            return buffer.count - available
        }
        return Array(bytes[..<count])
    }

    @Test(arguments: [9, 10, 12, 14, 15])
    func `samples of fewer than 16 bits are not scaled`(bits: Int) throws {
        let description = try TestFrame.description(rows: 64, columns: 64, bits: 16, stored: bits)
        let highest = 1 << bits - 1
        // All values there are, as far as there is room, and both ends.
        let values = (0..<4096).map { $0 * highest / 4095 }
        let scaled = values.map { UInt16(($0 * 65535 + highest / 2) / highest) }
        let bytes = try encode(rows: 64, columns: 64, samples: 1, bits: bits, distance: 0, scaled)
        let frame = try CodecTable.standard.decode(bytes, from: .jpegxlLossless, as: description)
        #expect(frame.bytes == values.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
    }

    @Test func `lossy colour comes as RGB`() throws {
        let description = try TestFrame.description(
            rows: 64, columns: 64, samples: 3, photometric: PhotometricInterpretation(rawValue: "XYB"))
        var pixels: [UInt8] = []
        for y in 0..<64 {
            for x in 0..<64 { pixels += [UInt8(x * 4), UInt8(y * 4), 100] }
        }
        let bytes = try encode(rows: 64, columns: 64, samples: 3, bits: 8, distance: 1, pixels.map { UInt16($0) * 257 })
        let frame = try CodecTable.standard.decode(bytes, from: .jpegxl, as: description)
        #expect(frame.description.photometricInterpretation == .rgb)
        #expect(JPEGDecoderTests().meanDifference(frame.bytes, pixels) < 4)
    }

    @Test func `a JPEG that was recompressed comes as its RGB`() throws {
        let jpeg = try JPEGDecoderTests().jpeg(rows: 40, columns: 48)
        let encoder = try #require(JxlEncoderCreate(nil))
        defer { JxlEncoderDestroy(encoder) }
        try #require(JxlEncoderStoreJPEGMetadata(encoder, 1) == JXL_ENC_SUCCESS)
        let settings = try #require(JxlEncoderFrameSettingsCreate(encoder, nil))
        try #require(JxlEncoderAddJPEGFrame(settings, jpeg.bytes, jpeg.bytes.count) == JXL_ENC_SUCCESS)
        let bytes = try finish(encoder)
        let description = try TestFrame.description(rows: 40, columns: 48, samples: 3, photometric: .ybrFull422)
        let frame = try CodecTable.standard.decode(bytes, from: .jpegxljpegRecompression, as: description)
        #expect(frame.description.photometricInterpretation == .rgb)
        #expect(JPEGDecoderTests().meanDifference(frame.bytes, jpeg.rgb) < 3)
    }
}
