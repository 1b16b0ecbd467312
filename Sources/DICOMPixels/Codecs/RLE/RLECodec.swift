/// RLE Lossless: a segment for each byte of each sample, its high byte first (PS3.5 G).
struct RLECodec: FrameDecoder, FrameEncoder {
    /// A count and 15 offsets.
    private static let headerLength = 64

    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer {
        let shape = try FrameShape(image, limits: limits)
        // 1. The header names the segments that the data set asks for, in ascending order.
        guard codestream.count >= Self.headerLength else { throw .truncated }
        let numbers = (0..<16).map {
            Int(UInt32(littleEndian: codestream.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
        }
        let count = numbers[0]
        guard (1...15).contains(count) else { throw .corrupt("no number of segments") }
        guard count == shape.samples * shape.sampleBytes else { throw .disagrees("another number of segments") }
        var segments: [UnsafeRawBufferPointer] = []
        for index in 1...count {
            let start = numbers[index]
            let end = index < count ? numbers[index + 1] : codestream.count
            guard start >= Self.headerLength, start <= end, end <= codestream.count else {
                throw .corrupt("segments outside of the frame")
            }
            // Two bytes make at most 128: so much memory is not taken for nothing.
            guard (end - start) * 64 >= shape.pixels else { throw .truncated }
            segments.append(UnsafeRawBufferPointer(rebasing: codestream[start..<end]))
        }
        // 2. Samples go where the data set's planar configuration wants them.
        let isByPlane = shape.samples > 1 && image.planarConfiguration == 1
        let bytes = try makeBytes(shape.byteCount) { (output) throws(CodecError) in
            var plane = [UInt8]()
            for (index, segment) in segments.enumerated() {
                let sample = index / shape.sampleBytes
                let byte = shape.sampleBytes - 1 - index % shape.sampleBytes
                let stride = isByPlane ? shape.sampleBytes : shape.sampleBytes * shape.samples
                let first = (isByPlane ? sample * shape.pixels : sample) * shape.sampleBytes + byte
                if stride == 1 {
                    try RLESegment.decode(
                        segment, into: UnsafeMutableRawBufferPointer(rebasing: output[first..<first + shape.pixels]))
                    continue
                }
                if plane.isEmpty { plane = [UInt8](repeating: 0, count: shape.pixels) }
                var failure: CodecError?
                plane.withUnsafeMutableBytes { plane in
                    do throws(CodecError) {
                        try RLESegment.decode(segment, into: plane)
                        Self.spread(plane, into: output, at: first, stride: stride)
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
            }
        }
        return try FrameBuffer(decoded: bytes, image.decoded(planarConfiguration: isByPlane ? 1 : 0))
    }

    /// Constant strides become shuffles.
    private static func spread(
        _ plane: UnsafeMutableRawBufferPointer, into output: UnsafeMutableRawBufferPointer, at first: Int, stride: Int
    ) {
        guard let source = plane.assumingMemoryBound(to: UInt8.self).baseAddress,
            let start = output.assumingMemoryBound(to: UInt8.self).baseAddress
        else { return }
        let target = start + first
        switch stride {
        case 2: for index in 0..<plane.count { target[index &* 2] = source[index] }
        case 3: for index in 0..<plane.count { target[index &* 3] = source[index] }
        case 4: for index in 0..<plane.count { target[index &* 4] = source[index] }
        case 6: for index in 0..<plane.count { target[index &* 6] = source[index] }
        default: for index in 0..<plane.count { target[index &* stride] = source[index] }
        }
    }

    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        let image = frame.description
        let shape = try FrameShape(image, limits: CodecLimits(frameBytes: .max))
        guard shape.byteCount == frame.bytes.count else { throw .unsupported("subsampled colour") }
        let count = shape.samples * shape.sampleBytes
        guard count <= 15 else { throw .unsupported("more than 15 segments") }
        let isByPlane = shape.samples > 1 && image.planarConfiguration == 1
        var bytes = [UInt8](repeating: 0, count: Self.headerLength)
        bytes[0] = UInt8(count)
        bytes.reserveCapacity(Self.headerLength + frame.bytes.count)
        var plane = [UInt8](repeating: 0, count: shape.pixels)
        for index in 0..<count {
            let sample = index / shape.sampleBytes
            let byte = shape.sampleBytes - 1 - index % shape.sampleBytes
            let stride = isByPlane ? shape.sampleBytes : shape.sampleBytes * shape.samples
            let first = (isByPlane ? sample * shape.pixels : sample) * shape.sampleBytes + byte
            frame.bytes.withUnsafeBufferPointer { source in
                plane.withUnsafeMutableBufferPointer { plane in
                    for pixel in plane.indices { plane[pixel] = source[first + pixel * stride] }
                }
            }
            guard let offset = UInt32(exactly: bytes.count) else { throw .unsupported("a frame of 4 GiB") }
            for shift in 0..<4 { bytes[4 + index * 4 + shift] = UInt8(truncatingIfNeeded: offset >> (shift * 8)) }
            // Runs do not cross rows (PS3.5 G.3.1).
            plane.withUnsafeBufferPointer { plane in
                for row in 0..<shape.rows {
                    let start = row * shape.columns
                    RLESegment.encode(UnsafeBufferPointer(rebasing: plane[start..<start + shape.columns]), into: &bytes)
                }
            }
            if bytes.count % 2 == 1 { bytes.append(0) }
        }
        return EncodedFrame(bytes: bytes, description: image)
    }
}
