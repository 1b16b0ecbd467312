import CExpat
import DICOMCore

/// Makes a data set of the events of one document. A class because the C parser keeps a pointer to it.
final class NativeModelBuilder {
    private(set) var failure: ModelError?
    private(set) var result: DataSet?
    private let parser: XML_Parser
    private let limits: ModelLimits
    private var open: [Place] = []
    private var dataSets: [PrivateBlocks] = []
    private var attributes: [OpenAttribute] = []
    private var text: [UInt8] = []
    private var name: [[[UInt8]]] = []
    private var elements = 0
    private var items = 0
    private var gaps = 0
    private var hasNonASCII = false

    private enum Place { case dataSet, attribute, value, name, group(Int), component(Int, Int), inlineBinary, bulkData }

    private struct OpenAttribute {
        var tag: Tag
        var vr: VR
        var creator: String?
        var field: ValueBytes
        var hasValue = false
        var items: [DataSet] = []
        var uri: String?
        var inline: Value?
    }

    init(parser: XML_Parser, limits: ModelLimits) {
        self.parser = parser
        self.limits = limits
    }

    static func from(_ user: UnsafeMutableRawPointer?) -> NativeModelBuilder? {
        user.map { Unmanaged<NativeModelBuilder>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Stops at the first thing that is wrong.
    func fail(_ code: ModelError.Code) {
        guard failure == nil else { return }
        failure = ModelError(code, at: max(0, Int(XML_GetCurrentByteIndex(parser))))
        XML_StopParser(parser, 0)
    }

    func declare(encoding: String?) {
        guard let encoding else { return }
        if !["utf-8", "utf8", "us-ascii"].contains(encoding.lowercased()) { fail(.notUTF8) }
    }

    // MARK: - Elements of XML

    func start(_ name: UnsafePointer<CChar>, _ list: UnsafeMutablePointer<UnsafePointer<CChar>?>) {
        guard failure == nil else { return }
        let full = String(cString: name).split(separator: " ", omittingEmptySubsequences: false)
        guard let local = full.last,
            full.count == 1 || full[0] == "http://dicom.nema.org/PS3.19/models/NativeDICOM"
        else { return fail(.unexpected) }
        let values = XMLAttributes(list)
        switch (open.last, String(local)) {
        case (nil, "NativeDicomModel"):
            dataSets.append(PrivateBlocks())
            open.append(.dataSet)
        case (.dataSet, "DicomAttribute"): startAttribute(values)
        case (.attribute, "Value"): startValue(values, .value)
        case (.attribute, "PersonName"): startValue(values, .name)
        case (.attribute, "Item"): startItem()
        case (.attribute, "InlineBinary"): startOther(.inlineBinary)
        case (.attribute, "BulkData"): startBulkData(values)
        case (.name, "Alphabetic"): startGroup(0)
        case (.name, "Ideographic"): startGroup(1)
        case (.name, "Phonetic"): startGroup(2)
        case (.group(let group), let part):
            let parts = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"]
            guard let component = parts.firstIndex(of: part) else { return fail(.unexpected) }
            guard self.name[group][component].isEmpty else { return fail(.duplicate) }
            startOther(.component(group, component))
        default: fail(.unexpected)
        }
    }

    func add(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil else { return }
        switch open.last {
        case .value, .component, .inlineBinary: text.append(contentsOf: bytes)
        case nil, .dataSet, .attribute, .name, .group, .bulkData:
            if bytes.contains(where: { $0 > 0x20 }) { fail(.unexpected) }
        }
    }

    func end() {
        guard failure == nil, let place = open.popLast() else { return }
        switch place {
        case .value: finishValue()
        case .name:
            text = Array(name.map { Self.joined($0, with: 0x5E) }.joined(separator: [0x3D]))
            while text.last == 0x3D { text.removeLast() }
            finishValue()
        case .component(let group, let component): name[group][component] = text
        case .inlineBinary: finishInlineBinary()
        case .group, .bulkData: break
        case .attribute: finishAttribute()
        case .dataSet: finishDataSet()
        }
    }

    private static func joined(_ parts: [[UInt8]], with separator: UInt8) -> [UInt8] {
        var bytes = Array(parts.joined(separator: [separator]))
        while bytes.last == separator { bytes.removeLast() }
        return bytes
    }

    // MARK: - Starts

    private func startAttribute(_ values: XMLAttributes) {
        elements += 1
        guard elements <= limits.elements else { return fail(.tooManyElements(limit: limits.elements)) }
        guard let tag = values["tag"].flatMap({ Tag(hexadecimal: $0) }), tag.group != 0xFFFE else {
            return fail(.invalidTag)
        }
        var vr = VR.inferred(for: tag)
        if let letters = values["vr"] {
            guard let known = VR(letters) else { return fail(.invalidVR) }
            vr = known
        }
        let creator = values["privateCreator"].flatMap { tag.isPrivate && !$0.isEmpty ? $0 : nil }
        attributes.append(OpenAttribute(tag: tag, vr: vr, creator: creator, field: ValueBytes(vr)))
        open.append(.attribute)
    }

    private func startValue(_ values: XMLAttributes, _ place: Place) {
        guard let last = attributes.indices.last else { return }
        let isName = if case .name = place { true } else { false }
        // Person names as plain values come from older writers.
        guard attributes[last].vr != .SQ, !isName || attributes[last].vr == .PN else { return fail(.unexpected) }
        attributes[last].hasValue = true
        if let number = values["number"] {
            guard let number = Int(number), number > attributes[last].field.count else { return fail(.invalidValue) }
            while attributes[last].field.count < number - 1 {
                gaps += 1
                guard gaps <= limits.elements else { return fail(.tooManyElements(limit: limits.elements)) }
                attributes[last].field.appendEmpty()
            }
        }
        name = Array(repeating: Array(repeating: [], count: 5), count: 3)
        startOther(place)
    }

    private func startItem() {
        guard let last = attributes.last, last.vr == .SQ else { return fail(.unexpected) }
        items += 1
        guard items <= limits.items else { return fail(.tooManyItems(limit: limits.items)) }
        guard attributes.count <= limits.depth else { return fail(.nestingTooDeep(limit: limits.depth)) }
        dataSets.append(PrivateBlocks())
        open.append(.dataSet)
    }

    private func startGroup(_ group: Int) {
        guard name[group].allSatisfy(\.isEmpty) else { return fail(.duplicate) }
        open.append(.group(group))
    }

    private func startBulkData(_ values: XMLAttributes) {
        guard let last = attributes.indices.last else { return }
        guard attributes[last].uri == nil else { return fail(.duplicate) }
        guard attributes[last].vr.mayBeBulkData, let uri = values["uri"] ?? values["uuid"].map({ "urn:uuid:" + $0 }),
            !uri.isEmpty
        else { return fail(.invalidValue) }
        attributes[last].uri = uri
        open.append(.bulkData)
    }

    private func startOther(_ place: Place) {
        text.removeAll(keepingCapacity: true)
        open.append(place)
    }

    // MARK: - Ends

    private func finishValue() {
        guard let last = attributes.indices.last else { return }
        let isTaken = text.withUnsafeBytes { bytes in
            if attributes[last].vr.usesSpecificCharacterSet, !hasNonASCII {
                hasNonASCII = TextTraits(of: bytes).contains(.nonASCII)
            }
            guard !bytes.isEmpty else {
                attributes[last].field.appendEmpty()
                return true
            }
            return attributes[last].field.append(text: bytes)
        }
        if !isTaken { fail(.invalidValue) }
    }

    private func finishInlineBinary() {
        guard let last = attributes.indices.last else { return }
        guard attributes[last].inline == nil else { return fail(.duplicate) }
        text.removeAll { $0 <= 0x20 }
        guard let bytes = text.withUnsafeBytes({ Base64.decode($0) }) else { return fail(.invalidBase64) }
        var field = ValueBytes(attributes[last].vr)
        guard field.append(raw: bytes), let value = field.finish() else { return fail(.invalidValue) }
        attributes[last].inline = value
    }

    private func finishAttribute() {
        guard let attribute = attributes.popLast(), let last = dataSets.indices.last else { return }
        let given = [
            attribute.hasValue || !attribute.items.isEmpty, attribute.uri != nil, attribute.inline != nil,
        ]
        guard given.count(where: { $0 }) <= 1 else { return fail(.conflictingValues) }
        let value: Value
        if let uri = attribute.uri {
            value = .bulk(.uri(uri))
        } else if let inline = attribute.inline {
            value = inline
        } else if attribute.vr == .SQ {
            value = .items(attribute.items)
        } else if let bytes = attribute.field.finish() {
            value = bytes
        } else {
            return fail(.invalidValue)
        }
        dataSets[last].append(DataElement(attribute.tag, attribute.vr, value), creator: attribute.creator)
    }

    private func finishDataSet() {
        guard let found = dataSets.popLast() else { return }
        guard var dataSet = found.dataSet() else { return fail(.duplicate) }
        if let last = attributes.indices.last {
            attributes[last].items.append(dataSet)
        } else {
            if hasNonASCII { dataSet.insertIfAbsent(.utf8CharacterSet) }
            result = dataSet
        }
    }
}

/// The attributes of one XML element: names and values in turn, then a null pointer.
private struct XMLAttributes {
    private let list: UnsafeMutablePointer<UnsafePointer<CChar>?>

    init(_ list: UnsafeMutablePointer<UnsafePointer<CChar>?>) { self.list = list }

    subscript(name: String) -> String? {
        var index = 0
        while let key = list[index], let value = list[index + 1] {
            if String(cString: key) == name { return String(cString: value) }
            index += 2
        }
        return nil
    }
}
