import COpenJPEG
import Glibc

/// JPEG 2000 and high-throughput JPEG 2000 by OpenJPEG (ITU-T T.800, T.814, PS3.5 A.4.4), on the calling thread only.
struct JPEG2000Decoder: FrameDecoder {
    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer {
        let shape = try FrameShape(image, limits: limits)
        // 1. Our own look at the header, before the library takes memory: it needs four bytes a sample.
        let header = try JPEG2000Header(codestream, shape)
        try shape.require(precision: header.precision)
        guard header.precision <= 31 else { throw .unsupported("\(header.precision) bits in JPEG 2000") }
        // 2. The library's samples.
        guard let codec = opj_create_decompress(OPJ_CODEC_J2K) else { throw .unsupported("no memory to decode") }
        defer { opj_destroy_codec(codec) }
        guard gantry_opj_setup_decoder(codec) != 0 else { throw .unsupported("no memory to decode") }
        let decoded = try CodestreamSource.withStream(of: header.codestream) { (stream) throws(CodecError) in
            var decoded: UnsafeMutablePointer<opj_image_t>?
            guard opj_read_header(stream, codec, &decoded) != 0, let decoded else {
                throw .corrupt("JPEG 2000 headers that cannot be read")
            }
            guard opj_decode(codec, stream, decoded) != 0, opj_end_decompress(codec, stream) != 0 else {
                opj_image_destroy(decoded)
                throw .corrupt("damaged JPEG 2000 data")
            }
            return decoded
        }
        defer { opj_image_destroy(decoded) }
        guard Int(decoded.pointee.numcomps) == shape.samples, let components = decoded.pointee.comps else {
            throw .disagrees("another number of samples per pixel")
        }
        // 3. By pixel, in as many bytes as are allocated.
        let bytes = try makeBytes(shape.byteCount) { (output) throws(CodecError) in
            for index in 0..<shape.samples {
                let component = components[index]
                guard Int(component.w) == shape.columns, Int(component.h) == shape.rows, let data = component.data
                else { throw .disagrees("another number of rows or columns") }
                let values = UnsafeBufferPointer(start: data, count: shape.pixels)
                switch shape.sampleBytes {
                case 1: Self.store(values, output, as: UInt8.self, shape.samples, index)
                case 2: Self.store(values, output, as: UInt16.self, shape.samples, index)
                default: Self.store(values, output, as: UInt32.self, shape.samples, index)
                }
            }
            SampleBits.extend(
                output, sampleBytes: shape.sampleBytes, precision: header.precision, isSigned: image.isSigned)
        }
        return try FrameBuffer(decoded: bytes, description(of: image))
    }

    /// What the library undid: YBR_RCT and YBR_ICT are names for RGB that was transformed (PS3.5 8.2.4).
    private func description(of image: ImagePixelDescription) -> ImagePixelDescription {
        let isTransformed = [.ybrRCT, .ybrICT].contains(image.photometricInterpretation)
        return image.decoded(photometricInterpretation: isTransformed ? .rgb : nil)
    }

    private static func store<Sample: FixedWidthInteger>(
        _ values: UnsafeBufferPointer<Int32>, _ output: UnsafeMutableRawBufferPointer, as: Sample.Type, _ samples: Int,
        _ sample: Int
    ) {
        guard let target = output.assumingMemoryBound(to: Sample.self).baseAddress, let source = values.baseAddress
        else { return }
        switch samples {
        case 1:
            for index in 0..<values.count { target[index] = Sample(truncatingIfNeeded: source[index]).littleEndian }
        case 3:
            let target = target + sample
            for index in 0..<values.count {
                target[index &* 3] = Sample(truncatingIfNeeded: source[index]).littleEndian
            }
        default:
            let target = target + sample
            for index in 0..<values.count {
                target[index &* samples] = Sample(truncatingIfNeeded: source[index]).littleEndian
            }
        }
    }
}

/// A codestream in memory as the library's stream.
private struct CodestreamSource {
    let base: UnsafeRawPointer
    let count: Int
    var offset = 0

    static func withStream<Result>(
        of codestream: UnsafeRawBufferPointer,
        _ body: (UnsafeMutablePointer<opj_stream_t?>) throws(CodecError) -> Result
    ) throws(CodecError) -> Result {
        // The library copies through a buffer of its own: no larger than the codestream.
        let bufferSize = min(max(codestream.count, 64), 1 << 20)
        guard let base = codestream.baseAddress, let stream = opj_stream_create(bufferSize, 1) else {
            throw .unsupported("no memory to decode")
        }
        let stored = UnsafeMutablePointer<CodestreamSource>.allocate(capacity: 1)
        stored.initialize(to: CodestreamSource(base: base, count: codestream.count))
        defer {
            opj_stream_destroy(stream)
            stored.deallocate()
        }
        opj_stream_set_user_data(stream, stored, nil)
        opj_stream_set_user_data_length(stream, UInt64(codestream.count))
        opj_stream_set_read_function(stream) { target, count, context in
            guard let source = context?.assumingMemoryBound(to: CodestreamSource.self), let target else { return -1 }
            let length = min(count, source.pointee.count - source.pointee.offset)
            guard length > 0 else { return -1 }
            memcpy(target, source.pointee.base + source.pointee.offset, length)
            source.pointee.offset += length
            return length
        }
        opj_stream_set_skip_function(stream) { count, context in
            guard let source = context?.assumingMemoryBound(to: CodestreamSource.self), count >= 0 else { return -1 }
            let length = min(Int(count), source.pointee.count - source.pointee.offset)
            source.pointee.offset += length
            // Less than was asked for means the end.
            return length > 0 || count == 0 ? Int64(length) : -1
        }
        opj_stream_set_seek_function(stream) { offset, context in
            guard let source = context?.assumingMemoryBound(to: CodestreamSource.self), offset >= 0,
                offset <= source.pointee.count
            else { return 0 }
            source.pointee.offset = Int(offset)
            return 1
        }
        return try body(stream)
    }
}
