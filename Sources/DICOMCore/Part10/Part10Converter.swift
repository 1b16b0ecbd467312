/// Turns a stored file into a Part 10 file with good file meta information, as the bytes come, in constant memory.
///
/// Implicit VR, big endian, deflated and GE's private encoding become Explicit VR Little Endian; that becomes deflated;
/// encapsulated but uncompressed frames become native; everything else keeps its data set byte for byte. Pixel data is
/// not decompressed. Feed one copy only.
public struct Part10Converter: Sendable {
    /// The stored file, as `DICOMFile` describes it.
    public struct Source: Hashable, Sendable {
        public var sopClassUID: String
        public var sopInstanceUID: String
        /// What the data set's bytes are.
        public var transferSyntaxUID: String
        /// Bytes to leave out in front of the data set; 0 when the bytes given begin with it.
        public var dataSetOffset: Int

        public init(sopClassUID: String, sopInstanceUID: String, transferSyntaxUID: String, dataSetOffset: Int) {
            self.sopClassUID = sopClassUID
            self.sopInstanceUID = sopInstanceUID
            self.transferSyntaxUID = transferSyntaxUID
            self.dataSetOffset = dataSetOffset
        }

        public init(_ file: DICOMFile) {
            let meta = file.rewrittenFileMeta
            self.init(
                sopClassUID: meta.mediaStorageSOPClassUID ?? "",
                sopInstanceUID: meta.mediaStorageSOPInstanceUID ?? "",
                transferSyntaxUID: file.transferSyntaxUID, dataSetOffset: file.dataSetOffset)
        }
    }

    /// Whether a data set in one transfer syntax can become one in the other. Encapsulated frames can only if they are all
    /// there and the attributes tell their size; else `finish` throws.
    public static func canConvert(_ source: TransferSyntax?, to target: TransferSyntax) -> Bool {
        guard let source else { return false }
        if source == target { return true }
        let isPlainTarget = target == .explicitVRLittleEndian || target.isDeflated && !target.isEncapsulated
        return isPlainTarget && (source == .encapsulatedUncompressed || !source.isEncapsulated && source.isFileSyntax)
    }

    /// GE's private transfer syntax: implicit VR little endian with big endian pixel data.
    static let gePrivate = "1.2.840.113619.5.2"

    private var toSkip: Int
    private var meta: [UInt8]
    private var inflateStage: InflateStage?
    private var parser: DataSetParser<DataSetReencoder>?
    private var deflater: Deflater?
    private var deflatedCount = 0

    /// The target must be one that `canConvert` allows; for any other the data set stays as it is.
    public init(from source: Source, to target: TransferSyntax) {
        toSkip = source.dataSetOffset
        let syntax = TransferSyntax(uid: source.transferSyntaxUID)
        let isConverted = source.transferSyntaxUID != target.uid && Self.canConvert(syntax, to: target)
        let written = isConverted ? target.uid : source.transferSyntaxUID
        meta = FileMetaInformation(
            mediaStorageSOPClassUID: source.sopClassUID, mediaStorageSOPInstanceUID: source.sopInstanceUID,
            transferSyntaxUID: written
        ).encoded()
        guard isConverted, let syntax else { return }
        if syntax.isDeflated { inflateStage = InflateStage(limits: .standard) }
        if target.isDeflated { deflater = Deflater(.raw) }
        guard syntax.isImplicitVR || syntax.isBigEndian || syntax.isEncapsulated else { return }
        var limits = ReadLimits.standard
        // What was stored has been counted already.
        limits.bytes = .max
        // And if it was cut, it has been accepted so.
        var rules = ReadingRules.tolerant
        rules.acceptsTruncatedPixelData = true
        let encoding: ElementEncoding =
            syntax.isImplicitVR
            ? .implicitLittleEndian : syntax.isBigEndian ? .explicitBigEndian : .explicitLittleEndian
        parser = DataSetParser(
            DataSetReencoder(
                swapsPixelData: source.transferSyntaxUID == Self.gePrivate, joinsFrames: syntax.isEncapsulated),
            encoding: encoding, offset: 0, rules: rules, limits: limits)
        parser?.isEncapsulated = syntax.isEncapsulated
    }

    /// Takes stored bytes and appends what the new file has of them.
    public mutating func receive(
        _ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]
    ) throws(DataSetReadError) {
        writeMeta(into: &output)
        guard toSkip < bytes.count else {
            toSkip -= bytes.count
            return
        }
        let input = bytes.part(toSkip, bytes.count)
        toSkip = 0
        guard var stage = inflateStage else { return try convert(input, into: &output) }
        try stage.receive(input) { (piece) throws(DataSetReadError) in try convert(piece, into: &output) }
        inflateStage = stage
    }

    /// Ends the new file.
    public mutating func finish(into output: inout [UInt8]) throws(DataSetReadError) {
        writeMeta(into: &output)
        if inflateStage?.isAtEnd == false { throw DataSetReadError(.truncated, at: 0) }
        if parser != nil {
            try parser?.finish()
            if parser?.visitor.lacksFrames == true { throw DataSetReadError(.truncated, at: 0) }
            if let rest = takeParsed() { rest.withUnsafeBytes { write($0, into: &output) } }
        }
        guard let deflater else { return }
        let before = output.count
        deflater.finish(into: &output)
        deflatedCount += output.count - before
        if deflatedCount & 1 != 0 { output.append(0) }
    }

    private mutating func writeMeta(into output: inout [UInt8]) {
        guard !meta.isEmpty else { return }
        output.append(contentsOf: meta)
        meta = []
    }

    private mutating func convert(
        _ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]
    ) throws(DataSetReadError) {
        guard parser != nil else { return write(bytes, into: &output) }
        try parser?.receive(bytes)
        if let made = takeParsed() { made.withUnsafeBytes { write($0, into: &output) } }
    }

    private mutating func takeParsed() -> [UInt8]? {
        guard let made = parser?.visitor.output, !made.isEmpty else { return nil }
        parser?.visitor.output = []
        return made
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard let deflater else {
            output.append(contentsOf: bytes)
            return
        }
        let before = output.count
        deflater.receive(bytes, into: &output)
        deflatedCount += output.count - before
    }
}
