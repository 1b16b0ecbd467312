import COpenJPEG
import Glibc

/// JPEG 2000 without loss by OpenJPEG: the reversible wavelet, and the reversible colour transform where there is RGB.
struct JPEG2000Encoder: FrameEncoder {
    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        let image = frame.description
        let shape = try frame.shapeToEncode()
        let precision = SampleBits.precision(of: frame)
        let samples = try SampleBits.byPixel(frame)
        let isRGB = shape.samples == 3 && image.photometricInterpretation == .rgb

        // 1. The image as the library wants it: 32 bits a sample, by plane.
        var parameters = [opj_image_cmptparm_t](repeating: opj_image_cmptparm_t(), count: shape.samples)
        for index in parameters.indices {
            parameters[index].dx = 1
            parameters[index].dy = 1
            parameters[index].w = UInt32(shape.columns)
            parameters[index].h = UInt32(shape.rows)
            parameters[index].prec = UInt32(precision)
            parameters[index].sgnd = image.isSigned ? 1 : 0
        }
        let colour = shape.samples == 1 ? OPJ_CLRSPC_GRAY : isRGB ? OPJ_CLRSPC_SRGB : OPJ_CLRSPC_UNSPECIFIED
        guard let planes = opj_image_create(UInt32(shape.samples), &parameters, colour),
            let components = planes.pointee.comps
        else { throw .unsupported("no memory to encode JPEG 2000") }
        defer { opj_image_destroy(planes) }
        planes.pointee.x1 = UInt32(shape.columns)
        planes.pointee.y1 = UInt32(shape.rows)
        samples.withUnsafeBytes { bytes in
            for index in 0..<shape.samples {
                guard let target = components[index].data else { continue }
                switch (shape.sampleBytes, image.isSigned) {
                case (1, false): Self.fill(target, bytes, as: UInt8.self, shape, index)
                case (1, true): Self.fill(target, bytes, as: Int8.self, shape, index)
                case (2, false): Self.fill(target, bytes, as: UInt16.self, shape, index)
                default: Self.fill(target, bytes, as: Int16.self, shape, index)
                }
            }
        }

        // 2. As many resolutions as the smaller side can be halved, at most six.
        let resolutions = min(6, Int.bitWidth - min(shape.rows, shape.columns).leadingZeroBitCount)
        guard let codec = opj_create_compress(OPJ_CODEC_J2K) else { throw .unsupported("no memory to encode") }
        defer { opj_destroy_codec(codec) }
        guard gantry_opj_setup_lossless_encoder(codec, planes, Int32(resolutions), isRGB ? 1 : 0) != 0 else {
            throw .unsupported("an image that JPEG 2000 cannot hold")
        }
        let bytes = try CodestreamSink.collect { (stream) throws(CodecError) in
            guard opj_start_compress(codec, planes, stream) != 0, opj_encode(codec, stream) != 0,
                opj_end_compress(codec, stream) != 0
            else { throw .unsupported("an image that JPEG 2000 cannot hold") }
        }
        return EncodedFrame(
            bytes: bytes, description: image.decoded(photometricInterpretation: isRGB ? .ybrRCT : nil))
    }

    private static func fill<Sample: FixedWidthInteger>(
        _ target: UnsafeMutablePointer<Int32>, _ bytes: UnsafeRawBufferPointer, as: Sample.Type, _ shape: FrameShape,
        _ sample: Int
    ) {
        let source = bytes.assumingMemoryBound(to: Sample.self)
        for index in 0..<shape.pixels {
            target[index] = Int32(truncatingIfNeeded: source[index &* shape.samples &+ sample].littleEndian)
        }
    }
}

/// What the library writes, in memory.
private struct CodestreamSink {
    var bytes: [UInt8] = []
    var offset = 0

    static func collect(
        _ body: (UnsafeMutablePointer<opj_stream_t?>) throws(CodecError) -> Void
    ) throws(CodecError) -> [UInt8] {
        guard let stream = opj_stream_create(1 << 16, 0) else { throw .unsupported("no memory to encode") }
        let stored = UnsafeMutablePointer<CodestreamSink>.allocate(capacity: 1)
        stored.initialize(to: CodestreamSink())
        defer {
            opj_stream_destroy(stream)
            stored.deinitialize(count: 1)
            stored.deallocate()
        }
        opj_stream_set_user_data(stream, stored, nil)
        opj_stream_set_write_function(stream) { source, count, context in
            guard let sink = context?.assumingMemoryBound(to: CodestreamSink.self), let source else { return -1 }
            sink.pointee.write(UnsafeRawBufferPointer(start: source, count: count))
            return count
        }
        opj_stream_set_skip_function(stream) { count, context in
            guard let sink = context?.assumingMemoryBound(to: CodestreamSink.self), count >= 0 else { return -1 }
            sink.pointee.offset += Int(count)
            return count
        }
        opj_stream_set_seek_function(stream) { offset, context in
            guard let sink = context?.assumingMemoryBound(to: CodestreamSink.self), offset >= 0 else { return 0 }
            sink.pointee.offset = Int(offset)
            return 1
        }
        try body(stream)
        return stored.pointee.bytes
    }

    private mutating func write(_ source: UnsafeRawBufferPointer) {
        let end = offset + source.count
        if end > bytes.count { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
        bytes.replaceSubrange(offset..<end, with: source)
        offset = end
    }
}
