/// How much a codec may make of a frame.
public struct CodecLimits: Hashable, Sendable {
    /// Bytes of a frame that is not compressed.
    public var frameBytes: Int

    public init(frameBytes: Int = 1 << 30) {
        self.frameBytes = frameBytes
    }
}
