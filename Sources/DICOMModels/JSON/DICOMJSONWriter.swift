public import DICOMCore

/// Writes data sets in the DICOM JSON model (PS3.18 F.2).
///
/// Keys ascend. Group lengths, group 0002, items and trailing padding are left out. Text becomes UTF-8; bytes that the
/// character set has no meaning for become U+FFFD, control characters escapes, NUL never appears.
public struct DICOMJSONWriter: Sendable {
    private let policy: BulkDataPolicy
    /// The sequences around the element being written, and the number of the item in each, from 1.
    private var path: [PathStep] = []

    private struct PathStep {
        var tag: Tag
        var item: Int
    }

    public init(bulkData: BulkDataPolicy) {
        policy = bulkData
    }

    /// Appends the JSON object of the data set.
    public mutating func write(_ dataSet: DataSet, into output: inout [UInt8]) {
        var sink = ByteSink(capacity: 64 + dataSet.elements.count * 72)
        path.removeAll(keepingCapacity: true)
        writeObject(dataSet, into: &sink)
        sink.finish(into: &output)
    }

    /// Appends only the value object of one element of the data set: `{"vr":"CS","Value":["CT"]}`.
    public mutating func writeElement(_ element: DataElement, of dataSet: DataSet, into output: inout [UInt8]) {
        var sink = ByteSink(capacity: 128)
        path.removeAll(keepingCapacity: true)
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
        path.append(PathStep(tag: tag, item: 0))
        for (index, item) in items.enumerated() {
            if index > 0 { sink.append(0x2C) }
            path[path.count - 1].item = index + 1
            writeObject(item, into: &sink)
        }
        path.removeLast()
        sink.append(0x5D)
    }

    /// The BulkDataURI of an attribute of ours: base, `/bulkdata/`, path.
    private func writeReference(to tag: Tag, into sink: inout ByteSink) {
        guard policy.base != nil else { return }
        sink.append(",\"BulkDataURI\":\"")
        policy.escapedBase.withUnsafeBytes { sink.append($0) }
        sink.append("/bulkdata/")
        for step in path {
            sink.reserve(32)
            sink.appendUnchecked(step.tag)
            sink.appendUnchecked(0x2F)
            sink.appendUnchecked(decimal: UInt64(step.item))
            sink.appendUnchecked(0x2F)
        }
        sink.reserve(9)
        sink.appendUnchecked(tag)
        sink.appendUnchecked(0x22)
    }

    // MARK: - Values

    @inline(__always)
    private func writeBytes(
        _ bytes: ArraySlice<UInt8>, of tag: Tag, _ vr: VR, in characterSet: SpecificCharacterSet,
        into sink: inout ByteSink
    ) {
        bytes.withUnsafeBytes { raw in
            switch vr {
            case .AE, .AS, .CS, .DA, .DT, .LO, .SH, .TM, .UI, .UR:
                writeText(raw, bytes, vr, characterSet, into: &sink)
            case .PN:
                writeNames(raw, bytes, characterSet, into: &sink)
            case .DS, .IS:
                guard raw.count <= policy.textBytes || !raw.hasMoreValues(than: policy.numbers) else {
                    return writeReference(to: tag, into: &sink)
                }
                writeNumberStrings(raw, bytes, vr, characterSet, into: &sink)
            case .LT, .ST, .UC, .UT:
                guard raw.count <= policy.textBytes else { return writeReference(to: tag, into: &sink) }
                writeText(raw, bytes, vr, characterSet, into: &sink)
            case .AT, .FD, .FL, .SL, .SS, .SV, .UL, .US, .UV:
                let count = raw.count / vr.valueWidth
                guard count <= policy.numbers else { return writeReference(to: tag, into: &sink) }
                if vr == .FL || vr == .FD, policy.base != nil, !raw.areFinite(vr) {
                    return writeReference(to: tag, into: &sink)
                }
                if count > 0 { sink.append(numbers: raw, count: count, vr) }
            case .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .UN:
                guard raw.count <= policy.binaryBytes, !tag.isPixelData || policy.base == nil else {
                    return writeReference(to: tag, into: &sink)
                }
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
