/// How much a data set may ask of its reader. Real data sets are far below; bombs are far above.
public struct ReadLimits: Hashable, Sendable {
    /// Sequences inside sequences.
    public var depth: Int
    public var elements: Int
    public var privateElements: Int
    public var items: Int
    /// Headers, and values that are kept in memory.
    public var bytes: Int
    /// Bytes that a deflated data set may inflate to.
    public var inflatedBytes: Int
    /// Inflated bytes for one deflated byte; counts only behind `ratioFloor`, because masks deflate extremely well.
    public var inflateRatio: Int
    public var ratioFloor: Int

    public init(
        depth: Int = 64, elements: Int = 5_000_000, privateElements: Int = 1_000_000, items: Int = 1_000_000,
        bytes: Int = 64 << 20, inflatedBytes: Int = 2 << 30, inflateRatio: Int = 200, ratioFloor: Int = 64 << 20
    ) {
        self.depth = depth
        self.elements = elements
        self.privateElements = privateElements
        self.items = items
        self.bytes = bytes
        self.inflatedBytes = inflatedBytes
        self.inflateRatio = inflateRatio
        self.ratioFloor = ratioFloor
    }

    /// What the gateway uses unless told otherwise.
    public static let standard = ReadLimits()
}
