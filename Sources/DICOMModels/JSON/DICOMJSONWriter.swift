public import DICOMCore

/// Writes data sets in the DICOM JSON model (PS3.18 F.2).
///
/// Keys ascend. Group lengths, group 0002, items and trailing padding are left out. Text becomes UTF-8; bytes that the
/// character set has no meaning for become U+FFFD, control characters escapes, NUL never appears.
public struct DICOMJSONWriter: Sendable {
    private let policy: BulkDataPolicy
    private var path = BulkDataPath()

    public init(bulkData: BulkDataPolicy) {
        policy = bulkData
    }

    /// Appends the JSON object of the data set.
    public mutating func write(_ dataSet: DataSet, into output: inout [UInt8]) {
        var sink = ByteSink(capacity: 64 + dataSet.elements.count * 72)
        path.removeAll()
        writeObject(dataSet, into: &sink)
        sink.finish(into: &output)
    }

    /// Appends only the value object of one element of the data set: `{"vr":"CS","Value":["CT"]}`.
    public mutating func writeElement(_ element: DataElement, of dataSet: DataSet, into output: inout [UInt8]) {
        var sink = ByteSink(capacity: 128)
        path.removeAll()
        sink.append("{\"vr\":\"")
        writeRest(of: element, in: dataSet.characterSet, into: &sink)
        sink.finish(into: &output)
    }

    // MARK: - Objects

    private mutating func writeObject(_ dataSet: DataSet, into sink: inout ByteSink) {
        sink.append(0x7B)
        var isFirst = true
        for element in dataSet.elements where element.tag.isInModels {
            sink.reserve(24)
            if !isFirst { sink.appendUnchecked(0x2C) }
            isFirst = false
            sink.appendUnchecked(0x22)
            sink.appendUnchecked(element.tag)
            sink.appendUnchecked("\":{\"vr\":\"")
            writeRest(of: element, in: dataSet.characterSet, into: &sink)
        }
        sink.append(0x7D)
    }

    /// Writes what follows `{"vr":"`.
    @inline(__always)
    private mutating func writeRest(
        of element: DataElement, in characterSet: SpecificCharacterSet, into sink: inout ByteSink
    ) {
        switch element.value {
        case .bytes(let bytes):
            sink.reserve(24)
            // A sequence that is not one: its bytes are all that is known.
            let vr = element.vr == .SQ && !bytes.isEmpty ? VR.UN : element.vr
            sink.appendUnchecked(vr)
            sink.appendUnchecked(0x22)
            if !bytes.isEmpty { writeBytes(bytes, of: element.tag, vr, in: characterSet, into: &sink) }
        case .items(let items):
            sink.append("SQ\"")
            writeItems(items, of: element.tag, into: &sink)
        case .fragments, .bulk(.range):
            sink.reserve(3)
            sink.appendUnchecked(element.vr)
            sink.appendUnchecked(0x22)
            writeReference(to: element.tag, into: &sink)
        case .bulk(.uri(let uri)):
            sink.reserve(3)
            sink.appendUnchecked(element.vr)
            sink.appendUnchecked(0x22)
            sink.append(",\"BulkDataURI\":")
            var uri = uri
            uri.withUTF8 { sink.append(jsonString: UnsafeRawBufferPointer($0)) }
        }
        sink.append(0x7D)
    }

    private mutating func writeItems(_ items: [DataSet], of tag: Tag, into sink: inout ByteSink) {
        guard !items.isEmpty else { return }
        sink.append(",\"Value\":[")
        path.enter(tag)
        for (index, item) in items.enumerated() {
            if index > 0 { sink.append(0x2C) }
            path.nextItem()
            writeObject(item, into: &sink)
        }
        path.leave()
        sink.append(0x5D)
    }

    /// The BulkDataURI of an attribute of ours: base, `/bulkdata/`, path.
    private func writeReference(to tag: Tag, into sink: inout ByteSink) {
        guard policy.base != nil else { return }
        sink.append(",\"BulkDataURI\":\"")
        policy.escapedBase.withUnsafeBytes { sink.append($0) }
        path.write(tag, into: &sink)
        sink.append(0x22)
    }

    // MARK: - Values

    @inline(__always)
    private func writeBytes(
        _ bytes: ArraySlice<UInt8>, of tag: Tag, _ vr: VR, in characterSet: SpecificCharacterSet,
        into sink: inout ByteSink
    ) {
        bytes.withUnsafeBytes { raw in
            guard !policy.names(raw, of: tag, vr) else { return writeReference(to: tag, into: &sink) }
            switch vr {
            case .AE, .AS, .CS, .DA, .DT, .LO, .LT, .SH, .ST, .TM, .UC, .UI, .UR, .UT:
                writeText(raw, bytes, vr, characterSet, into: &sink)
            case .PN: writeNames(raw, bytes, characterSet, into: &sink)
            case .DS, .IS: writeNumberStrings(raw, bytes, vr, characterSet, into: &sink)
            case .AT, .FD, .FL, .SL, .SS, .SV, .UL, .US, .UV:
                // There is no JSON for NaN and infinities.
                if vr == .FL || vr == .FD, policy.base != nil, !raw.areFinite(vr) {
                    return writeReference(to: tag, into: &sink)
                }
                let count = raw.count / vr.valueWidth
                if count > 0 { sink.append(numbers: raw, count: count, vr) }
            case .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .UN:
                sink.append(",\"InlineBinary\":\"")
                sink.append(base64: raw)
                sink.append(0x22)
            }
        }
    }
}

extension Tag {
    /// Whether the text models show the element: no group length, nothing of group 0002, no item, no padding
    /// (PS3.18 F.2.2).
    @inline(__always)
    var isInModels: Bool {
        rawValue & 0xFFFF != 0 && rawValue >> 16 != 0x0002 && rawValue >> 16 != 0xFFFE
            && self != .dataSetTrailingPadding
    }

    /// Float Pixel Data, Double Float Pixel Data, Pixel Data (PS3.3 C.7.6.24, C.7.6.25, C.7.6.3).
    @inline(__always)
    var isPixelData: Bool { rawValue == 0x7FE0_0010 || rawValue == 0x7FE0_0008 || rawValue == 0x7FE0_0009 }
}
