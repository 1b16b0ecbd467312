/// Reads a DICOM file that comes in pieces of any size, without I/O (PS3.10 7).
///
/// It accepts what `ReadingRules` accept and says so in findings; values beyond the retention are passed over as they
/// come, so that memory does not depend on the size of pixel data. Feed one copy only.
public struct Part10Reader: Sendable {
    private let rules: ReadingRules
    private let limits: ReadLimits
    private let retention: ValueRetention
    private var envelope: Part10Envelope
    /// The bytes in front of the data set, held until they are complete.
    private var head: [UInt8] = []
    private var fileMeta = FileMetaInformation()
    private var parser: DataSetParser<DataSetTape>?
    private var inflateStage: InflateStage?
    private var length = 0

    public init(
        rules: ReadingRules = .tolerant, limits: ReadLimits = .standard, retention: ValueRetention = .metadata
    ) {
        self.rules = rules
        self.limits = limits
        self.retention = retention
        self.envelope = Part10Envelope(rules: rules)
    }

    /// Reads the next piece.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) throws(DataSetReadError) {
        length += bytes.count
        guard parser == nil else { return try receiveDataSet(bytes) }
        var input = bytes
        if head.isEmpty {
            guard try !envelope.advance(input, isFinal: false) else {
                let start = envelope.position
                beginDataSet(input)
                return try receiveDataSet(input.part(start, input.count))
            }
            head.append(contentsOf: input)
            return
        }
        while !input.isEmpty {
            let added = min(input.count, max(envelope.needed - head.count, 64))
            head.append(contentsOf: input[..<added])
            input = input.part(added, input.count)
            guard try advance(isFinal: false) else { continue }
            try receiveHeldDataSet()
            return try receiveDataSet(input)
        }
    }

    /// Ends: nothing comes any more.
    public mutating func finish() throws(DataSetReadError) -> DICOMFile {
        if parser == nil {
            guard try advance(isFinal: true) else { throw DataSetReadError(.truncated, at: length) }
            try receiveHeldDataSet()
        }
        if var stage = inflateStage {
            if !stage.isAtEnd {
                try stage.receive(UnsafeRawBufferPointer(start: nil, count: 0), isFinal: true) {
                    (piece) throws(DataSetReadError) in try parser?.receive(piece)
                }
            }
            guard stage.isAtEnd else { throw DataSetReadError(.truncated, at: length) }
            inflateStage = stage
        }
        try parser?.finish()
        return try file(from: nil)
    }

    /// The data set as far as it has come, where the bytes end at its pixel data: that has its place, as always, and what
    /// is behind it is missing. Nothing may be received any more.
    public mutating func finishAtPixelData() throws(DataSetReadError) -> DataSet {
        guard let parser, parser.visitor.isBetweenElements else { throw DataSetReadError(.truncated, at: length) }
        self.parser = nil
        var findings: [Finding] = []
        return try parser.visitor.dataSet(from: nil, findings: &findings)
    }

    /// Reads a file that is in memory as a whole. Small ones are not copied: values are slices of `bytes`.
    public static func read(
        _ bytes: [UInt8], rules: ReadingRules = .tolerant, limits: ReadLimits = .standard,
        retention: ValueRetention = .metadata
    ) throws(DataSetReadError) -> DICOMFile {
        var reader = Part10Reader(rules: rules, limits: limits, retention: retention)
        let result: Result<DICOMFile, DataSetReadError> = bytes.withUnsafeBytes { window in
            do throws(DataSetReadError) {
                return .success(try reader.read(window, of: bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Above this a file is not held in memory for the sake of a few values.
    private static let sharedLimit = 1 << 18

    private mutating func read(
        _ window: UnsafeRawBufferPointer, of bytes: [UInt8]
    ) throws(DataSetReadError) -> DICOMFile {
        length = window.count
        guard try envelope.advance(window, isFinal: true) else { throw DataSetReadError(.truncated, at: length) }
        let start = envelope.position
        let isShared = window.count <= Self.sharedLimit && !envelope.isDeflated && !envelope.encoding.isBigEndian
        guard isShared else {
            beginDataSet(window)
            try receiveDataSet(window.part(start, window.count))
            return try finish()
        }
        fileMeta = envelope.fileMeta(bytes, startingAt: 0)
        var parser = makeParser(isCopying: false)
        try parser.finish(window.part(start, window.count))
        self.parser = parser
        return try file(from: bytes)
    }

    // MARK: - Stages

    private mutating func advance(isFinal: Bool) throws(DataSetReadError) -> Bool {
        let held = head
        let result: Result<Bool, DataSetReadError> = held.withUnsafeBytes { window in
            do throws(DataSetReadError) {
                return .success(try envelope.advance(window, isFinal: isFinal))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func makeParser(isCopying: Bool) -> DataSetParser<DataSetTape> {
        var parser = DataSetParser(
            DataSetTape(retention: retention, isCopying: isCopying), encoding: envelope.encoding,
            offset: envelope.isDeflated ? 0 : envelope.position, rules: rules, limits: limits)
        parser.isEncapsulated = envelope.transferSyntax?.isEncapsulated ?? false
        return parser
    }

    /// The window begins with the file and holds all that is in front of the data set.
    private mutating func beginDataSet(_ window: UnsafeRawBufferPointer) {
        let start = envelope.metaStart
        fileMeta = envelope.fileMeta(Array(window[start..<envelope.position]), startingAt: start)
        parser = makeParser(isCopying: true)
        if envelope.isDeflated { inflateStage = InflateStage(limits: limits) }
    }

    private mutating func receiveHeldDataSet() throws(DataSetReadError) {
        let held = head
        head = []
        held.withUnsafeBytes { beginDataSet($0) }
        let start = envelope.position
        let result: Result<Void, DataSetReadError> = held.withUnsafeBytes { window in
            do throws(DataSetReadError) {
                return .success(try receiveDataSet(window.part(start, window.count)))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private mutating func receiveDataSet(_ bytes: UnsafeRawBufferPointer) throws(DataSetReadError) {
        guard inflateStage != nil else {
            try parser?.receive(bytes)
            return
        }
        try inflateStage?.receive(bytes) { (piece) throws(DataSetReadError) in try parser?.receive(piece) }
    }

    // MARK: - The result

    private mutating func file(from shared: [UInt8]?) throws(DataSetReadError) -> DICOMFile {
        guard let parser else { throw DataSetReadError(.truncated, at: length) }
        self.parser = nil
        if inflateStage?.isWrapped == true { try envelope.note(.wrappedDeflate) }
        var isFaithful = envelope.isFaithful
        var findings = envelope.findings + parser.findings
        let native = parser.visitor.nativePixelData
        let dataSet = try parser.visitor.dataSet(from: shared, findings: &findings)
        if findings.contains(where: { $0.rule == .duplicateTag }), !rules.accepts(.duplicateTag) {
            throw DataSetReadError(.notAllowed(.duplicateTag), at: 0)
        }
        if let native {
            try check(native.tag, native.length, at: native.offset, dataSet, &findings)
        }
        if !agrees(Tag(0x0002, 0x0002), Tag(0x0008, 0x0016), dataSet, &findings) { isFaithful = false }
        if !agrees(Tag(0x0002, 0x0003), Tag(0x0008, 0x0018), dataSet, &findings) { isFaithful = false }
        let trailing = inflateStage?.trailing ?? 0
        if trailing > 1 { findings.append(Finding(.trailingSlack, offset: length - trailing)) }
        return DICOMFile(
            fileMeta: fileMeta, dataSet: dataSet, transferSyntax: envelope.transferSyntax,
            transferSyntaxUID: envelope.transferSyntaxUID, dataSetOffset: envelope.position, isFaithful: isFaithful,
            length: length, slackLength: inflateStage == nil ? parser.slackLength : trailing, findings: findings)
    }

    /// Whether the file meta information names the same UID as the data set. The data set wins.
    private func agrees(_ meta: Tag, _ own: Tag, _ dataSet: DataSet, _ findings: inout [Finding]) -> Bool {
        guard let there = fileMeta.elements[meta]?.bytes, let here = dataSet[own]?.bytes else {
            findings.append(Finding(.missingUID, tag: meta))
            return false
        }
        guard there == here || UIDText.trimmed(there) == UIDText.trimmed(here) else {
            findings.append(Finding(.metaUIDMismatch, tag: meta))
            return false
        }
        return !there.isEmpty
    }

    /// Native pixel data must not be shorter than the attributes say.
    private func check(
        _ tag: Tag, _ count: Int, at offset: Int, _ dataSet: DataSet, _ findings: inout [Finding]
    ) throws(DataSetReadError) {
        if dataSet[Tag(0x7FE0, 0x0010)] != nil,
            dataSet[Tag(0x7FE0, 0x0008)] != nil || dataSet[Tag(0x7FE0, 0x0009)] != nil
        {
            findings.append(Finding(.severalPixelData, tag: tag))
            guard tag.element == 0x0010 else { return }
        }
        // Whatever native bytes under an encapsulated syntax are, the attributes do not tell their length.
        guard let transferSyntax = envelope.transferSyntax, !transferSyntax.isEncapsulated else { return }
        guard count > 0 else {
            findings.append(Finding(.emptyPixelData, tag: tag))
            return
        }
        switch PixelDataLength.expected(tag, dataSet) {
        case .unknown, .bits: break
        case .beyondCounting: try acceptTruncated(tag, at: offset, &findings)
        case .bytes(let expected):
            guard count >= expected else { return try acceptTruncated(tag, at: offset, &findings) }
            if count > expected + (expected & 1) { findings.append(Finding(.pixelDataTooLong, tag: tag)) }
        }
    }

    private func acceptTruncated(
        _ tag: Tag, at offset: Int, _ findings: inout [Finding]
    ) throws(DataSetReadError) {
        guard rules.acceptsTruncatedPixelData else { throw DataSetReadError(.truncated, at: offset) }
        guard !findings.contains(where: { $0.rule == .truncatedPixelData }) else { return }
        findings.append(Finding(.truncatedPixelData, tag: tag, offset: offset))
    }
}
