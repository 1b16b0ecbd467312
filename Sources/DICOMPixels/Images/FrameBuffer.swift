/// One frame that is not compressed: its samples as Explicit VR Little Endian would hold them (PS3.5 8.1.1, 8.2).
///
/// What a decoder returns and what encoders and the rendering pipeline take. Only the compression is undone: nothing
/// is rescaled, windowed or inverted.
public struct FrameBuffer: Hashable, Sendable {
    /// How `bytes` are laid out. It is what the data set says, except where decoding changed it: then the data set that
    /// goes with the pixels has to say the same (`photometricInterpretation`, `planarConfiguration`). Number of Frames
    /// is 1.
    public var description: ImagePixelDescription
    /// Little endian, on a byte boundary, `description.frameByteCount` of them, without padding.
    public var bytes: [UInt8]

    /// `nil` when there are not as many bytes as the description asks for.
    public init?(_ description: ImagePixelDescription, bytes: [UInt8]) {
        guard description.frameByteCount == bytes.count else { return nil }
        self.description = description
        self.description.numberOfFrames = 1
        self.bytes = bytes
    }
}
