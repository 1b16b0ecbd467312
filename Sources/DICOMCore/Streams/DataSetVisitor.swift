/// A data element as its header announces it.
struct ElementStart: Sendable {
    var tag: Tag
    var vr: VR
    /// How the header, and the numbers of the value, are encoded.
    var encoding: ElementEncoding
    /// Offset of the value's first byte from the start of the stream.
    var offset: Int
    /// Length of the value; `nil` for an undefined one.
    var length: Int?
}

/// Takes what a `DataSetParser` finds, in the order of the stream.
protocol DataSetVisitor {
    /// A whole value that lies in memory in one piece.
    mutating func value(_ element: ElementStart, _ bytes: UnsafeRawBufferPointer)
    /// A value that comes in pieces; says whether it wants the pieces.
    mutating func beginValue(_ element: ElementStart) -> Bool
    /// A piece of a value or fragment. All pieces but the last have a length that 8 divides.
    mutating func valueBytes(_ bytes: UnsafeRawBufferPointer)
    mutating func endValue()
    /// The stream has ended inside the value last begun, with so many bytes missing.
    mutating func endValue(missing: Int)
    mutating func beginSequence(_ element: ElementStart)
    mutating func beginItem()
    mutating func endItem()
    mutating func endSequence()
    mutating func beginFragments(_ element: ElementStart)
    /// A piece of the Basic Offset Table, little endian.
    mutating func offsetTable(_ bytes: UnsafeRawBufferPointer)
    /// A fragment's header; says whether it wants the bytes, which come through `valueBytes` and `endValue`.
    mutating func fragment(offset: Int, length: Int, head: UInt32) -> Bool
    mutating func endFragments(origin: Int)
    /// Bytes of values that the visitor has kept: what counts for the limit.
    var keptBytes: Int { get }
}
