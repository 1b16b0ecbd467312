/// A tag, its value representation, and a value (PS3.5 7.1).
public struct DataElement: Hashable, Sendable {
    public var tag: Tag
    public var vr: VR
    public var value: Value

    @inlinable
    public init(_ tag: Tag, _ vr: VR, _ value: Value) {
        self.tag = tag
        self.vr = vr
        self.value = value
    }

    /// The value field when it is in memory, padding included.
    @inlinable public var bytes: ArraySlice<UInt8>? {
        if case .bytes(let bytes) = value { bytes } else { nil }
    }

    /// The items when this is a sequence.
    @inlinable public var items: [DataSet]? {
        if case .items(let items) = value { items } else { nil }
    }

    /// Whether the value field has no bytes, the sequence no items.
    @inlinable public var isEmpty: Bool {
        switch value {
        case .bytes(let bytes): bytes.isEmpty
        case .items(let items): items.isEmpty
        case .fragments, .bulk: false
        }
    }
}
