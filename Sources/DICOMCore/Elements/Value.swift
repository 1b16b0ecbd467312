/// The closed set of things that a data element can hold (PS3.5 7).
public enum Value: Hashable, Sendable {
    /// The value field as Explicit VR Little Endian encodes it, padding included. Text is still in the data set's
    /// Specific Character Set; binary numbers are little endian, whatever the stored transfer syntax.
    case bytes(ArraySlice<UInt8>)
    /// The items of a sequence (PS3.5 7.5). Zero items is an empty sequence.
    case items([DataSet])
    /// Encapsulated pixel data (PS3.5 A.4).
    case fragments(EncapsulatedValue)
    /// A large value that is not in memory.
    case bulk(BulkBytes)

    /// A value of no bytes.
    @inlinable public static var empty: Value { .bytes([]) }
}

/// Where the bytes of a large value are.
public enum BulkBytes: Hashable, Sendable {
    /// A range of the stream that the data set was read from. For a deflated transfer syntax it counts inflated
    /// bytes from the start of the data set; for all others, bytes of the file. The bytes there are in the byte
    /// order of the stream's transfer syntax.
    case range(Range<Int>)
    /// A BulkDataURI as it stood in JSON or XML (PS3.18 F.2.6, PS3.19 A.1.4).
    case uri(String)
}

/// Pixel data as a sequence of fragments (PS3.5 A.4).
public struct EncapsulatedValue: Hashable, Sendable {
    /// One item behind the Basic Offset Table.
    public struct Fragment: Hashable, Sendable {
        /// Where the fragment's bytes are in the stream, without the item header.
        public var range: Range<Int>
        /// Its first four bytes, big endian, zero-filled: enough to recognise a codestream's start.
        public var head: UInt32

        public init(range: Range<Int>, head: UInt32) {
            self.range = range
            self.head = head
        }
    }

    /// Offsets of the Basic Offset Table, from the first byte behind it; empty when the table is empty or absent.
    public var basicOffsetTable: [UInt32]
    /// Offset of the first item header behind the Basic Offset Table, from the start of the stream.
    public var origin: Int
    public var fragments: [Fragment]

    public init(basicOffsetTable: [UInt32], origin: Int, fragments: [Fragment]) {
        self.basicOffsetTable = basicOffsetTable
        self.origin = origin
        self.fragments = fragments
    }
}
