public import DICOMCore

/// Writes data sets in the Native DICOM Model (PS3.19 A.1), one document each.
///
/// What has no place in XML, such as most control characters, becomes U+FFFD. Private elements name their creator and
/// have no block digits; the creator elements themselves are not listed.
public struct NativeModelWriter: Sendable {
    private let policy: BulkDataPolicy
    private var path = BulkDataPath()

    public init(bulkData: BulkDataPolicy) {
        policy = bulkData
    }

    /// Appends the document, declaration included.
    public mutating func write(_ dataSet: DataSet, into output: inout [UInt8]) {
        var sink = ByteSink(capacity: 256 + dataSet.elements.count * 128)
        path.removeAll()
        sink.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        sink.append(
            "<NativeDicomModel xmlns=\"http://dicom.nema.org/PS3.19/models/NativeDICOM\" xml:space=\"preserve\">")
        writeElements(of: dataSet, into: &sink)
        sink.append("</NativeDicomModel>\n")
        sink.finish(into: &output)
    }

    // MARK: - Elements

    private mutating func writeElements(of dataSet: DataSet, into sink: inout ByteSink) {
        for element in dataSet.elements where element.tag.isInModels && !element.tag.isPrivateCreator {
            var tag = element.tag
            var creator: String?
            if tag.isPrivate, tag.element >= 0x1000 {
                creator = dataSet.string(for: Tag(tag.group, tag.element >> 8))
                if creator != nil { tag = Tag(tag.group, tag.element & 0xFF) }
            }
            let isSequence = if case .items = element.value { true } else { false }
            let vr: VR = isSequence ? .SQ : element.vr == .SQ && !element.isEmpty ? .UN : element.vr
            sink.append("<DicomAttribute tag=\"")
            sink.reserve(16)
            sink.appendUnchecked(tag)
            sink.append("\" vr=\"")
            sink.reserve(2)
            sink.appendUnchecked(vr)
            if !tag.isPrivate, let keyword = DataDictionary.standard.keyword(for: tag) {
                sink.append("\" keyword=\"")
                sink.append(xml: keyword)
            }
            if let creator {
                sink.append("\" privateCreator=\"")
                sink.append(xml: creator)
            }
            sink.append("\">")
            writeValue(of: element, vr, in: dataSet.characterSet, into: &sink)
            sink.append("</DicomAttribute>")
        }
    }

    private mutating func writeValue(
        of element: DataElement, _ vr: VR, in characterSet: SpecificCharacterSet, into sink: inout ByteSink
    ) {
        switch element.value {
        case .bytes(let bytes):
            bytes.withUnsafeBytes { raw in
                guard !policy.names(raw, of: element.tag, vr) else {
                    return writeReference(to: element.tag, into: &sink)
                }
                writeValues(raw, bytes, vr, characterSet, into: &sink)
            }
        case .items(let items):
            path.enter(element.tag)
            for (index, item) in items.enumerated() {
                path.nextItem()
                sink.append(tag: "Item", number: index + 1)
                writeElements(of: item, into: &sink)
                sink.append("</Item>")
            }
            path.leave()
        case .fragments, .bulk(.range): writeReference(to: element.tag, into: &sink)
        case .bulk(.uri(let uri)):
            sink.append("<BulkData uri=\"")
            sink.append(xml: uri)
            sink.append("\"/>")
        }
    }

    private func writeReference(to tag: Tag, into sink: inout ByteSink) {
        guard let base = policy.base else { return }
        sink.append("<BulkData uri=\"")
        sink.append(xml: base)
        path.write(tag, into: &sink)
        sink.append("\"/>")
    }

    // MARK: - Values

    private func writeValues(
        _ raw: UnsafeRawBufferPointer, _ bytes: ArraySlice<UInt8>, _ vr: VR, _ characterSet: SpecificCharacterSet,
        into sink: inout ByteSink
    ) {
        switch vr {
        case .PN:
            for (index, value) in characterSet.decodeValues(bytes, vr: vr).enumerated() {
                sink.append(name: value, number: index + 1)
            }
        case .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .UN:
            guard !raw.isEmpty else { return }
            sink.append("<InlineBinary>")
            sink.append(base64: raw)
            sink.append("</InlineBinary>")
        case .AT, .FD, .FL, .SL, .SS, .SV, .UL, .US, .UV:
            for index in 0..<raw.count / vr.valueWidth {
                sink.append(tag: "Value", number: index + 1)
                sink.append(xmlNumber: raw, index, vr)
                sink.append("</Value>")
            }
        case .AE, .AS, .CS, .DA, .DS, .DT, .IS, .LO, .LT, .SH, .ST, .TM, .UC, .UI, .UR, .UT:
            for (index, value) in characterSet.decodeValues(bytes, vr: vr).enumerated() {
                sink.append(tag: "Value", number: index + 1)
                sink.append(xml: value)
                sink.append("</Value>")
            }
        }
    }
}

extension ByteSink {
    fileprivate mutating func append(tag name: StaticString, number: Int) {
        append(0x3C)
        append(name)
        append(" number=\"")
        append(decimal: Int64(number))
        append("\">")
    }

    /// Text or the value of an attribute in quotation marks. White space survives both (XML 1.0 2.11, 3.3.3).
    fileprivate mutating func append(xml text: String) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x26: append("&amp;")
            case 0x3C: append("&lt;")
            case 0x3E: append("&gt;")
            case 0x22: append("&quot;")
            case 0x09: append("&#9;")
            case 0x0A: append("&#10;")
            case 0x0D: append("&#13;")
            case 0x00..<0x20, 0xFFFE, 0xFFFF: append("\u{FFFD}")
            default:
                for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(byte) }
            }
        }
    }

    /// The component groups of a name and their components; whatever is behind the fifth stays with it.
    fileprivate mutating func append(name: String, number: Int) {
        append(tag: "PersonName", number: number)
        let groups = name.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false)
        let names: [StaticString] = ["Alphabetic", "Ideographic", "Phonetic"]
        let parts: [StaticString] = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"]
        for (group, name) in zip(groups, names) where !group.isEmpty {
            append(0x3C)
            append(name)
            append(0x3E)
            let components = group.split(separator: "^", maxSplits: 4, omittingEmptySubsequences: false)
            for (component, part) in zip(components, parts) where !component.isEmpty {
                append(0x3C)
                append(part)
                append(0x3E)
                append(xml: String(component))
                append("</")
                append(part)
                append(0x3E)
            }
            append("</")
            append(name)
            append(0x3E)
        }
        append("</PersonName>")
    }

    /// Decimal digits, in the forms of XML Schema for FL and FD; eight hexadecimal digits for AT.
    fileprivate mutating func append(xmlNumber raw: UnsafeRawBufferPointer, _ index: Int, _ vr: VR) {
        switch vr {
        case .US: append(decimal: Int64(raw.number(index, as: UInt16.self)))
        case .SS: append(decimal: Int64(raw.number(index, as: Int16.self)))
        case .UL: append(decimal: Int64(raw.number(index, as: UInt32.self)))
        case .SL: append(decimal: Int64(raw.number(index, as: Int32.self)))
        case .SV: append(decimal: raw.number(index, as: Int64.self))
        case .UV:
            reserve(20)
            appendUnchecked(decimal: raw.number(index, as: UInt64.self))
        case .FL:
            let value = Float(bitPattern: raw.number(index, as: UInt32.self))
            append(text: value.isFinite ? value.description : Double(value).schemaName)
        case .FD:
            let value = Double(bitPattern: raw.number(index, as: UInt64.self))
            append(text: value.isFinite ? value.description : value.schemaName)
        default:
            reserve(8)
            appendUnchecked(Tag(raw.number(2 * index, as: UInt16.self), raw.number(2 * index + 1, as: UInt16.self)))
        }
    }
}

extension Double {
    fileprivate var schemaName: String { isNaN ? "NaN" : self < 0 ? "-INF" : "INF" }
}
