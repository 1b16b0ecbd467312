/// Encapsulated Uncompressed Explicit VR Little Endian: a fragment is a frame (PS3.5 A.4.11).
struct UncompressedFrameCodec: FrameDecoder, FrameEncoder {
    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer {
        guard let count = image.frameByteCount else { throw .tooLarge }
        guard count <= limits.frameBytes else { throw .tooLarge }
        guard codestream.count >= count else { throw .truncated }
        // At most the byte that makes it even.
        guard codestream.count <= count + count % 2 else { throw .disagrees("more bytes than the frame has") }
        var description = image
        description.numberOfFrames = 1
        return try FrameBuffer(decoded: Array(codestream[..<count]), description)
    }

    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        EncodedFrame(bytes: frame.bytes, description: frame.description)
    }
}
