import CJPEG

/// JPEG: baseline and extended with 8 bits by libjpeg, extended with 12 bits and lossless by ourselves (ITU-T T.81,
/// PS3.5 A.4.1).
///
/// What the codestream is counts, not which of JPEG's transfer syntaxes the data set names: they are often mixed up.
struct JPEGDecoder: FrameDecoder {
    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer {
        let shape = try FrameShape(image, limits: limits)
        let header = try JPEGHeader(codestream)
        try shape.require(rows: header.height, columns: header.width, samples: header.components.count)
        try shape.require(precision: header.precision)
        guard shape.samples != 2, shape.samples <= 3 else { throw .unsupported("\(shape.samples) components in JPEG") }
        switch (header.process, header.precision) {
        case (0xC0...0xC2, 8): return try decodeLossy(codestream, header, shape, image)
        case (0xC0...0xC1, 12):
            let bytes = try makeBytes(shape.byteCount) { (output) throws(CodecError) in
                var decoder = try JPEGExtendedDecoder(header, shape)
                try decoder.decode(codestream, into: output)
            }
            return try finish(bytes, header, shape, image)
        case (JPEGMarker.losslessFrame, _):
            // Each sample takes a bit or more.
            guard shape.pixels * shape.samples / 8 <= codestream.count else { throw .truncated }
            let bytes = try makeBytes(shape.byteCount) { (output) throws(CodecError) in
                var decoder = try JPEGLosslessDecoder(header, shape)
                try decoder.decode(codestream, into: output)
            }
            return try finish(bytes, header, shape, image)
        default: throw .unsupported("a JPEG process that no decoder has")
        }
    }

    /// Samples are as they were coded: bits above them, and what they are called.
    private func finish(
        _ bytes: consuming [UInt8], _ header: JPEGHeader, _ shape: FrameShape, _ image: ImagePixelDescription
    ) throws(CodecError) -> FrameBuffer {
        var bytes = bytes
        bytes.withUnsafeMutableBytes {
            SampleBits.extend(
                $0, sampleBytes: shape.sampleBytes, precision: header.precision, isSigned: image.isSigned)
        }
        // An Adobe segment or a JFIF one says nothing about lossless samples, of which nothing is transformed.
        return try FrameBuffer(decoded: bytes, image.decoded())
    }

    private func decodeLossy(
        _ codestream: UnsafeRawBufferPointer, _ header: JPEGHeader, _ shape: FrameShape, _ image: ImagePixelDescription
    ) throws(CodecError) -> FrameBuffer {
        let colour = JPEGColour(header, image)
        // A block of 64 samples takes two bits or more; subsampling leaves a sixth of the blocks at the least.
        guard shape.pixels * shape.samples / (64 * 6 * 4) <= codestream.count else { throw .truncated }
        let samples = shape.pixels * shape.samples
        var bytes = try makeBytes(samples) { (output) throws(CodecError) in
            let result = gantry_jpeg_decode(
                codestream.assumingMemoryBound(to: UInt8.self).baseAddress, codestream.count, UInt32(shape.columns),
                UInt32(shape.rows), Int32(shape.samples), colour.coded, colour.wanted,
                output.assumingMemoryBound(to: UInt8.self).baseAddress)
            switch UInt32(result) {
            case GANTRY_JPEG_OK.rawValue: break
            case GANTRY_JPEG_OTHER_SIZE.rawValue: throw .disagrees("another number of rows, columns or samples")
            case GANTRY_JPEG_UNSUPPORTED.rawValue: throw .unsupported("a JPEG process that no decoder has")
            default: throw .corrupt("damaged JPEG data")
            }
        }
        if shape.sampleBytes > 1 { bytes = try SampleBits.widen(bytes, to: shape.sampleBytes) }
        bytes.withUnsafeMutableBytes {
            SampleBits.extend($0, sampleBytes: shape.sampleBytes, precision: 8, isSigned: image.isSigned)
        }
        return try FrameBuffer(decoded: bytes, image.decoded(photometricInterpretation: colour.result))
    }
}

/// How the components of a lossy frame are coded and what they are to become.
///
/// The declared photometric interpretation is kept where that can be: samples stay YCbCr where the data set says so. A
/// codestream that is YCbCr by its own words in a data set that says RGB is transformed, as every other decoder does;
/// one that is RGB by its own words in a data set that says YBR is RGB.
private struct JPEGColour {
    var coded = Int32(GANTRY_JPEG_GREY.rawValue)
    var wanted = Int32(GANTRY_JPEG_GREY.rawValue)
    var result: PhotometricInterpretation?

    init(_ header: JPEGHeader, _ image: ImagePixelDescription) {
        guard header.components.count == 3 else { return }
        let rgb = Int32(GANTRY_JPEG_RGB.rawValue)
        let ybr = Int32(GANTRY_JPEG_YCC.rawValue)
        let isDeclaredRGB = image.photometricInterpretation == .rgb
        switch header.codedColour ?? (isDeclaredRGB ? .rgb : .ybr) {
        case .rgb: (coded, wanted, result) = (rgb, rgb, .rgb)
        case .ybr where isDeclaredRGB: (coded, wanted, result) = (ybr, rgb, .rgb)
        case .ybr: (coded, wanted, result) = (ybr, ybr, .ybrFull)
        }
    }
}
