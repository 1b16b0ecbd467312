import CZlib

/// Deflated Image Frame Compression: a fragment is a frame in raw RFC 1951 (PS3.5 A.4.13).
struct DeflatedFrameCodec: FrameDecoder, FrameEncoder {
    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer {
        guard let count = image.frameByteCount else { throw .tooLarge }
        guard count <= limits.frameBytes else { throw .tooLarge }
        // Room for a padding byte that was deflated too; more than that is never taken.
        var bytes = try makeBytes(count + count % 2) { (output) throws(CodecError) in
            let inflated = try inflate(codestream, into: output)
            guard inflated >= count else { throw .truncated }
            if inflated < output.count { output[count] = 0 }
        }
        bytes.removeLast(bytes.count - count)
        var description = image
        description.numberOfFrames = 1
        return try FrameBuffer(decoded: bytes, description)
    }

    /// Bytes that the stream has, which is an error when they do not fit.
    private func inflate(
        _ codestream: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        var stream = z_stream()
        guard gantry_inflateInit2(&stream, -15) == Z_OK else { throw .unsupported("no memory to inflate") }
        defer { inflateEnd(&stream) }
        var input = codestream[...]
        var filled = 0
        while true {
            let chunk = min(input.count, 1 << 30)
            let room = min(output.count - filled, 1 << 30)
            var spare: UInt8 = 0
            let status = withUnsafeMutablePointer(to: &spare) { spare in
                stream.next_in = UnsafeMutablePointer(
                    mutating: UnsafeRawBufferPointer(rebasing: input).assumingMemoryBound(to: UInt8.self).baseAddress)
                stream.avail_in = UInt32(chunk)
                // Where the frame is full, one more byte shows whether the stream has ended.
                stream.next_out =
                    room > 0 ? output.assumingMemoryBound(to: UInt8.self).baseAddress.map { $0 + filled } : spare
                stream.avail_out = room > 0 ? UInt32(room) : 1
                return CZlib.inflate(&stream, Z_NO_FLUSH)
            }
            input = input.dropFirst(chunk - Int(stream.avail_in))
            if room > 0 {
                filled += room - Int(stream.avail_out)
            } else if stream.avail_out == 0 {
                throw .disagrees("more bytes than the frame has")
            }
            switch status {
            case Z_STREAM_END: return filled
            case Z_OK: continue
            case Z_BUF_ERROR: throw .truncated
            default: throw .corrupt("not deflated")
            }
        }
    }

    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        var stream = z_stream()
        guard frame.bytes.count < 1 << 30, gantry_deflateInit2(&stream, Z_DEFAULT_COMPRESSION, -15) == Z_OK else {
            throw .unsupported("a frame too large to deflate")
        }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, UInt(frame.bytes.count)))
        var count = 0
        var bytes = try makeBytes(bound) { (output) throws(CodecError) in
            let status = frame.bytes.withUnsafeBufferPointer { input in
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(truncatingIfNeeded: output.count)
                return deflate(&stream, Z_FINISH)
            }
            guard status == Z_STREAM_END else { throw .unsupported("a frame that cannot be deflated") }
            count = output.count - Int(stream.avail_out)
            output[count...].withMemoryRebound(to: UInt8.self) { $0.update(repeating: 0) }
        }
        bytes.removeLast(bytes.count - count)
        return EncodedFrame(bytes: bytes, description: frame.description)
    }
}
