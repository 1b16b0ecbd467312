/// Stands between the file and the data set when the transfer syntax is deflated (PS3.5 A.5).
struct InflateStage {
    private let limits: ReadLimits
    private var inflater: Inflater?
    /// The first bytes, held until they tell the wrapping.
    private var head: [UInt8] = []
    /// Bytes behind the deflated stream.
    private(set) var trailing = 0
    /// Whether the stream is wrapped although the standard wants it raw.
    private(set) var isWrapped = false

    init(limits: ReadLimits) { self.limits = limits }

    /// Whether the stream has come to its end.
    var isAtEnd: Bool { inflater?.isAtEnd == true }

    mutating func receive(
        _ bytes: UnsafeRawBufferPointer, isFinal: Bool = false,
        _ body: (UnsafeRawBufferPointer) throws(DataSetReadError) -> Void
    ) throws(DataSetReadError) {
        if let inflater {
            try inflate(inflater, bytes, body)
            return
        }
        let added = min(bytes.count, 5 - head.count)
        head.append(contentsOf: bytes[..<added])
        guard head.count == 5 || (isFinal && !head.isEmpty) else { return }
        let format = Self.format(head)
        isWrapped = format != .raw
        let inflater = Inflater(format, limits: InflateLimits(limits))
        self.inflater = inflater
        let first = head
        let result: Result<Void, DataSetReadError> = first.withUnsafeBytes { held in
            do throws(DataSetReadError) {
                return .success(try inflate(inflater, held, body))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        try inflate(inflater, bytes.part(added, bytes.count), body)
    }

    private mutating func inflate(
        _ inflater: Inflater, _ bytes: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(DataSetReadError) -> Void
    ) throws(DataSetReadError) {
        do {
            let used = try inflater.receive(bytes) { (piece) throws(DataSetReadError) in try body(piece) }
            trailing += bytes.count - used
        } catch let error as DataSetReadError {
            throw error
        } catch InflateError.limit(let limit) {
            throw DataSetReadError(.inflateLimit(limit: limit), at: inflater.outputCount)
        } catch {
            throw DataSetReadError(.corruptDeflate, at: inflater.outputCount)
        }
    }

    /// A raw stream cannot begin with a gzip header. It can with a zlib header, as a stored block whose length is given
    /// twice.
    private static func format(_ head: [UInt8]) -> DeflateFormat {
        guard head.count >= 2 else { return .raw }
        if head[0] == 0x1F, head[1] == 0x8B { return .gzip }
        let isZlib = head[0] & 0x0F == 8 && head[0] >> 4 <= 7 && (Int(head[0]) << 8 | Int(head[1])) % 31 == 0
        guard isZlib else { return .raw }
        let isStoredBlock =
            head[0] & 0x06 == 0 && head.count == 5 && head[1] == ~head[3] && head[2] == ~head[4]
        return isStoredBlock ? .raw : .zlib
    }
}
