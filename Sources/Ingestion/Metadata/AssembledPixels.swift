import DICOMCore

/// Compressed pixel data of an assembled file: a part for each frame, or one for a video.
struct AssembledPixels {
    /// A part, and where in it the codestream lies.
    struct Frame {
        var position: Int
        var range: Range<Int>
    }

    let transferSyntaxUID: String
    let frames: [Frame]

    /// `nil` when the pixel data is uncompressed or there is none. Completes the data set's image attributes.
    init?(_ dataSet: inout DataSet, from assembly: MetadataAssembly) throws(RefusalCause) {
        guard let element = dataSet[.pixelData], case .bulk(.uri(let uri)) = element.value else { return nil }
        let parts = try assembly.parts(for: uri, of: .pixelData)
        guard let first = parts.first?.part else { return nil }
        guard parts.allSatisfy({ $0.part.mediaType == first.mediaType }) else {
            throw .bulkDataUnusable("frames have different media types")
        }
        let header = CodestreamHeader(first.head, partLength: first.length)
        guard let transferSyntaxUID = try Self.transferSyntaxUID(of: first, header, assembly) else {
            Self.correctVR(of: element, in: &dataSet)
            return nil
        }
        self.transferSyntaxUID = transferSyntaxUID
        frames = parts.map { position, part in
            // Boxes around a JPEG 2000 codestream do not belong into a fragment (PS3.5 A.4.4).
            let codestream = CodestreamHeader(part.head, partLength: part.length)?.codestream
            return Frame(position: position, range: codestream ?? 0..<part.length)
        }
        let byteCount = frames.reduce(0) { $0 + $1.range.count }
        for tag in [Tag.extendedOffsetTable, .extendedOffsetTableLengths, .encapsulatedPixelDataValueTotalLength] {
            dataSet.remove(tag)
        }
        if dataSet[.rows] == nil {
            guard let header else {
                throw .bulkDataUnusable("image attributes are missing and \(first.mediaType) does not tell them")
            }
            Self.describe(header, frameCount: frames.count, in: &dataSet)
        }
        Self.describeLoss(transferSyntaxUID, header, frameCount: frames.count, byteCount: byteCount, in: &dataSet)
        dataSet.set(DataElement(.pixelData, .OB, element.value))
    }

    /// The transfer syntax of the stored object; `nil` for uncompressed pixels.
    private static func transferSyntaxUID(
        of part: BulkDataPart, _ header: CodestreamHeader?, _ assembly: MetadataAssembly
    ) throws(RefusalCause) -> String? {
        switch part.mediaType {
        case "image/gif", "image/png":
            throw .bulkDataUnusable("pixel data of type \(part.mediaType) is not converted")
        case "image/jpeg":
            // A plain image/jpeg is nearly always baseline, whatever its default transfer syntax says.
            guard let header else { throw .bulkDataUnusable("it is no JPEG") }
            return header.transferSyntaxUID
        case "image/jp2", "image/jls", "image/jphc":
            if part.transferSyntaxUID == nil, let header { return header.transferSyntaxUID }
        default: break
        }
        guard let uid = assembly.transferSyntaxUID(for: part) else {
            guard part.mediaType == BulkDataPart.octetStream else {
                throw .bulkDataUnusable("media type \(part.mediaType) has no transfer syntax")
            }
            return nil
        }
        guard let syntax = TransferSyntax(uid: uid) else { throw .transferSyntax }
        return syntax.isEncapsulated ? uid : nil
    }

    /// Native pixel data of more than eight bits is OW in Explicit VR (PS3.5 A.2).
    private static func correctVR(of element: DataElement, in dataSet: inout DataSet) {
        let isWide = (dataSet[.bitsAllocated]?.bytes).map { $0.first != 8 && $0.first != 1 } ?? false
        guard isWide ? element.vr != .OW : element.vr != .OW && element.vr != .OB else { return }
        dataSet.set(DataElement(.pixelData, .OW, element.value))
    }

    /// The Image Pixel module as the codestream has it (PS3.3 C.7.6.3).
    private static func describe(_ header: CodestreamHeader, frameCount: Int, in dataSet: inout DataSet) {
        setNumber(header.samplesPerPixel, for: .samplesPerPixel, in: &dataSet)
        setText(header.photometricInterpretation, .CS, for: .photometricInterpretation, in: &dataSet)
        setNumber(header.rows, for: .rows, in: &dataSet)
        setNumber(header.columns, for: .columns, in: &dataSet)
        setNumber(header.bitsAllocated, for: .bitsAllocated, in: &dataSet)
        setNumber(header.precision, for: .bitsStored, in: &dataSet)
        setNumber(header.precision - 1, for: .highBit, in: &dataSet)
        setNumber(header.isSigned ? 1 : 0, for: .pixelRepresentation, in: &dataSet)
        if header.samplesPerPixel > 1 { setNumber(0, for: .planarConfiguration, in: &dataSet) }
        if frameCount > 1 { setText(String(frameCount), .IS, for: .numberOfFrames, in: &dataSet) }
    }

    /// Lossy Image Compression, its ratio and its method (PS3.3 C.7.6.1.1.5), unless the metadata tell them.
    private static func describeLoss(
        _ transferSyntaxUID: String, _ header: CodestreamHeader?, frameCount: Int, byteCount: Int,
        in dataSet: inout DataSet
    ) {
        guard dataSet[.lossyImageCompression] == nil, let method = lossMethods[transferSyntaxUID] else { return }
        setText("01", .CS, for: .lossyImageCompression, in: &dataSet)
        setText(method, .CS, for: .lossyImageCompressionMethod, in: &dataSet)
        guard let header, byteCount > 0 else { return }
        let pixels = header.rows * header.columns * header.samplesPerPixel * (header.bitsAllocated / 8)
        let hundredths = pixels * frameCount * 100 / byteCount
        let fraction = hundredths % 100
        setText(
            "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)", .DS, for: .lossyImageCompressionRatio,
            in: &dataSet)
    }

    /// Defined terms of (0028,2114) for transfer syntaxes that lose information.
    private static let lossMethods: [String: String] = {
        var methods: [String: String] = [:]
        func add(_ method: String, _ suffixes: [String]) {
            for suffix in suffixes { methods["1.2.840.10008.1.2.4.\(suffix)"] = method }
        }
        add("ISO_10918_1", ["50", "51", "53", "55"])
        add("ISO_14495_1", ["81"])
        add("ISO_15444_1", ["91", "93"])
        add("ISO_15444_15", ["203"])
        add("ISO_18181_1", ["111", "112"])
        add("ISO_13818_2", ["100", "101", "100.1", "101.1"])
        add("ISO_14496_10", ["102", "103", "104", "105", "106", "102.1", "103.1", "104.1", "105.1", "106.1"])
        add("ISO_23008_2", ["107", "108"])
        return methods
    }()

    private static func setNumber(_ value: Int, for tag: Tag, in dataSet: inout DataSet) {
        let bytes = [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
        dataSet.set(DataElement(tag, .US, .bytes(bytes[...])))
    }

    private static func setText(_ value: String, _ vr: VR, for tag: Tag, in dataSet: inout DataSet) {
        dataSet.set(DataElement(tag, vr, .bytes(ArraySlice(value.utf8))))
    }
}
