/// Reads big endian numbers of a codestream, never beyond its end.
struct CodestreamReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = min(max(offset, 0), bytes.count)
    }

    var remaining: Int { bytes.count - offset }

    mutating func byte() throws(CodecError) -> Int {
        guard remaining >= 1 else { throw .truncated }
        defer { offset += 1 }
        return Int(bytes[offset])
    }

    mutating func short() throws(CodecError) -> Int {
        guard remaining >= 2 else { throw .truncated }
        defer { offset += 2 }
        return Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    }

    mutating func long() throws(CodecError) -> Int {
        let high = try short()
        return try high << 16 | short()
    }

    mutating func skip(_ count: Int) throws(CodecError) {
        guard count >= 0, count <= remaining else { throw .truncated }
        offset += count
    }

    /// The next bytes, by themselves.
    mutating func slice(_ count: Int) throws(CodecError) -> CodestreamReader {
        let start = offset
        try skip(count)
        return CodestreamReader(UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
    }
}
