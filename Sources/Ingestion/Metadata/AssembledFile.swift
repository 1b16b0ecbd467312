import DICOMCore

/// A Part 10 file made of a data set and bulk data parts: what to write, in pieces, without holding the parts.
struct AssembledFile {
    /// Bytes of ours, or a range of a part.
    enum Piece {
        case bytes([UInt8])
        case part(Int, Range<Int>)
    }

    private(set) var pieces: [Piece] = []
    private let assembly: MetadataAssembly
    private let encoder = DataSetEncoder(transferSyntax: .explicitVRLittleEndian)
    private var bytes: [UInt8] = []

    /// The longest value of a 32-bit length, even as values are (PS3.5 7.1.1).
    private static let longestValue = 0xFFFF_FFFE
    private static let depthLimit = 64

    /// Plans the file, or says why there can be none.
    init(_ metadata: DataSet, from assembly: MetadataAssembly) throws(RefusalCause) {
        self.assembly = assembly
        var dataSet = DataSet(characterSet: metadata.characterSet)
        for element in metadata.elements where element.tag.group > 2 { dataSet.insertIfAbsent(element) }
        let pixels = try AssembledPixels(&dataSet, from: assembly)
        try Self.describeDocument(&dataSet, from: assembly)
        dataSet = MetadataText.prepare(dataSet)
        let identity = IdentityCheck(dataSet: dataSet)
        let fileMeta = FileMetaInformation(
            mediaStorageSOPClassUID: identity.sopClass.uid ?? "",
            mediaStorageSOPInstanceUID: identity.sopInstance.uid ?? "",
            transferSyntaxUID: pixels?.transferSyntaxUID ?? TransferSyntax.explicitVRLittleEndian.uid)
        bytes = fileMeta.encoded()
        try append(dataSet, pixels, depth: 0)
        flush()
    }

    private mutating func flush() {
        if !bytes.isEmpty { pieces.append(.bytes(bytes)) }
        bytes = []
    }

    /// Elements that are in memory go through the encoder in runs; bulk data stays where it is.
    private mutating func append(_ dataSet: DataSet, _ pixels: AssembledPixels?, depth: Int) throws(RefusalCause) {
        guard depth < Self.depthLimit else { throw .tooComplex(offset: 0) }
        var run = DataSet(characterSet: dataSet.characterSet)
        for element in dataSet.elements {
            if let pixels, element.tag == .pixelData {
                try encode(&run)
                append(pixels)
                continue
            }
            switch element.value {
            case .bulk(.uri(let uri)):
                try encode(&run)
                try append(element, try assembly.parts(for: uri, of: element.tag))
            case .items(let items) where items.contains(where: Self.hasBulkData):
                try encode(&run)
                appendHeader(element.tag, .SQ, length: 0xFFFF_FFFF)
                for item in items {
                    appendItem(.item, length: 0xFFFF_FFFF)
                    try append(item, nil, depth: depth + 1)
                    appendItem(.itemDelimitationItem, length: 0)
                }
                appendItem(.sequenceDelimitationItem, length: 0)
            case .bytes, .items: run.insertIfAbsent(element)
            case .fragments, .bulk(.range): throw .metadataUnusable
            }
        }
        try encode(&run)
    }

    private mutating func encode(_ run: inout DataSet) throws(RefusalCause) {
        do throws(DataSetWriteError) {
            try encoder.encode(run, into: &bytes)
        } catch {
            throw .metadataUnusable
        }
        run = DataSet(characterSet: run.characterSet)
    }

    /// One value, which several parts may make up.
    private mutating func append(
        _ element: DataElement, _ parts: [(position: Int, part: BulkDataPart)]
    ) throws(RefusalCause) {
        let length = parts.reduce(0) { $0 + $1.part.length }
        guard length <= Self.longestValue else { throw .bulkDataUnusable("the value is too long") }
        // A value too long for its VR's length field is written as UN (PS3.5 6.2.2).
        let vr = element.vr.hasLongHeader || length <= 0xFFFE ? element.vr : .UN
        appendHeader(element.tag, vr, length: length + length & 1)
        flush()
        for (position, part) in parts { pieces.append(.part(position, 0..<part.length)) }
        if length & 1 != 0 { bytes.append(vr.paddingByte) }
    }

    /// Encapsulated pixel data: an empty offset table, and a fragment for each part (PS3.5 A.4).
    private mutating func append(_ pixels: AssembledPixels) {
        appendHeader(.pixelData, .OB, length: 0xFFFF_FFFF)
        appendItem(.item, length: 0)
        for frame in pixels.frames {
            var start = frame.range.lowerBound
            while start < frame.range.upperBound {
                let end = min(start + Self.longestValue, frame.range.upperBound)
                appendItem(.item, length: end - start + (end - start) & 1)
                flush()
                pieces.append(.part(frame.position, start..<end))
                if (end - start) & 1 != 0 { bytes.append(0) }
                start = end
            }
        }
        appendItem(.sequenceDelimitationItem, length: 0)
    }

    private mutating func appendHeader(_ tag: Tag, _ vr: VR, length: Int) {
        appendTag(tag)
        bytes.append(contentsOf: vr.letters.utf8)
        if vr.hasLongHeader {
            bytes.append(contentsOf: [0, 0])
            appendLength(length)
        } else {
            withUnsafeBytes(of: UInt16(truncatingIfNeeded: length).littleEndian) { bytes.append(contentsOf: $0) }
        }
    }

    private mutating func appendItem(_ tag: Tag, length: Int) {
        appendTag(tag)
        appendLength(length)
    }

    private mutating func appendTag(_ tag: Tag) {
        withUnsafeBytes(of: tag.group.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: tag.element.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func appendLength(_ length: Int) {
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: length).littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func hasBulkData(_ dataSet: DataSet) -> Bool {
        dataSet.elements.contains { element in
            switch element.value {
            case .bulk: true
            case .items(let items): items.contains(where: hasBulkData)
            case .bytes, .fragments: false
            }
        }
    }

    /// An encapsulated document has the media type of its part, and its length when padding hides it (PS3.3 C.24.2).
    private static func describeDocument(
        _ dataSet: inout DataSet, from assembly: MetadataAssembly
    ) throws(RefusalCause) {
        guard case .bulk(.uri(let uri))? = dataSet[.encapsulatedDocument]?.value else { return }
        let parts = try assembly.parts(for: uri, of: .encapsulatedDocument)
        if dataSet[.mimeTypeOfEncapsulatedDocument]?.isEmpty ?? true, let part = parts.first?.part,
            part.mediaType != BulkDataPart.octetStream
        {
            dataSet.set(DataElement(.mimeTypeOfEncapsulatedDocument, .LO, .bytes(ArraySlice(part.mediaType.utf8))))
        }
        let length = parts.reduce(0) { $0 + $1.part.length }
        if dataSet[.encapsulatedDocumentLength] == nil, length & 1 != 0, let length = UInt32(exactly: length) {
            let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) }
            dataSet.set(DataElement(.encapsulatedDocumentLength, .UL, .bytes(bytes[...])))
        }
    }
}

extension PartialIdentity {
    /// The SOP UIDs of a data set, if both are valid.
    init?(_ dataSet: DataSet) {
        let check = IdentityCheck(dataSet: dataSet)
        guard let sopClass = check.sopClass.uid.flatMap({ UID($0) }),
            let instance = check.sopInstance.uid.flatMap({ UID($0) })
        else { return nil }
        self.init(sopClass: sopClass, instance: instance, study: check.study.uid.flatMap { UID($0) })
    }
}
