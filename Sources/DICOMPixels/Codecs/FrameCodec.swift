/// Undoes the compression of single frames in one or more transfer syntaxes.
public protocol FrameDecoder: Sendable {
    /// - Parameters:
    ///   - codestream: all fragments of the frame, joined; a padding byte may follow.
    ///   - image: what the data set says. It counts: a codestream that describes another image is refused before
    ///     memory is taken for it.
    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer
}

/// Compresses single frames, without loss.
public protocol FrameEncoder: Sendable {
    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame
}

/// One frame as a fragment holds it.
public struct EncodedFrame: Hashable, Sendable {
    /// Without the byte that makes a fragment even.
    public var bytes: [UInt8]
    /// What the data set that goes with it has to say: encoding may change the photometric interpretation (PS3.5 8.2.4)
    /// and the planar configuration.
    public var description: ImagePixelDescription

    public init(bytes: [UInt8], description: ImagePixelDescription) {
        self.bytes = bytes
        self.description = description
    }
}
