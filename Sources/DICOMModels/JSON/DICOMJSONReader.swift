public import DICOMCore

/// Reads the DICOM JSON model (PS3.18 F.2).
///
/// Text of the data sets is UTF-8; (0008,0005) stays as sent, and becomes ISO_IR 192 where it is absent but needed.
/// Numbers may be strings and strings numbers, person names plain strings, bytes arrays of numbers. Members that the
/// model does not know are passed over, as are group lengths, group 0002 and padding.
public enum DICOMJSONReader {
    /// Reads an array of data sets, or a single one.
    public static func dataSets(
        from bytes: [UInt8], limits: ModelLimits = .standard
    ) throws(ModelError) -> [DataSet] {
        guard bytes.count <= limits.bytes else { throw ModelError(.tooLarge(limit: limits.bytes), at: limits.bytes) }
        return try bytes.withUnsafeBufferPointer { (buffer) throws(ModelError) in
            let raw = UnsafeRawBufferPointer(buffer)
            guard raw.isValidUTF8, !raw.starts(with: [0xEF, 0xBB, 0xBF]) else { throw ModelError(.notUTF8, at: 0) }
            var reader = DocumentReader(scanner: JSONScanner(raw), limits: limits)
            let dataSets = try reader.document()
            try reader.scanner.finish()
            return dataSets
        }
    }
}

/// One document being read.
private struct DocumentReader {
    var scanner: JSONScanner
    private let limits: ModelLimits
    private var elements = 0
    private var items = 0
    /// Whether text that the default repertoire does not hold occurred in the data set at the top.
    private var hasNonASCII = false
    /// The last key or string read.
    private var text: [UInt8] = []

    init(scanner: JSONScanner, limits: ModelLimits) {
        self.scanner = scanner
        self.limits = limits
    }

    mutating func document() throws(ModelError) -> [DataSet] {
        guard try scanner.take(0x5B) else { return [try topDataSet()] }
        var dataSets: [DataSet] = []
        guard try !scanner.take(0x5D) else { return dataSets }
        repeat { dataSets.append(try topDataSet()) } while try scanner.take(0x2C)
        try scanner.expect(0x5D)
        return dataSets
    }

    private mutating func topDataSet() throws(ModelError) -> DataSet {
        hasNonASCII = false
        var dataSet = try dataSet(depth: 0)
        if hasNonASCII { dataSet.insertIfAbsent(.utf8CharacterSet) }
        return dataSet
    }

    // MARK: - Data sets and elements

    private mutating func dataSet(depth: Int) throws(ModelError) -> DataSet {
        guard depth <= limits.depth else { throw ModelError(.nestingTooDeep(limit: limits.depth), at: scanner.offset) }
        items += 1
        guard items <= limits.items else { throw ModelError(.tooManyItems(limit: limits.items), at: scanner.offset) }
        try expectObject()
        var found = ElementList()
        guard try !scanner.take(0x7D) else { return DataSet(characterSet: .utf8) }
        repeat {
            let start = scanner.offset
            try key()
            guard let tag = Tag(hexadecimal: String(decoding: text, as: UTF8.self)), tag.group != 0xFFFE else {
                throw ModelError(.invalidTag, at: start)
            }
            let element = try element(tag, depth: depth)
            elements += 1
            guard elements <= limits.elements else {
                throw ModelError(.tooManyElements(limit: limits.elements), at: start)
            }
            if tag.isInModels { found.append(element) }
        } while try scanner.take(0x2C)
        try scanner.expect(0x7D)
        guard let dataSet = found.dataSet() else { throw ModelError(.duplicate, at: scanner.offset) }
        return dataSet
    }

    private enum Member { case value, inlineBinary, bulkDataURI }

    private mutating func element(_ tag: Tag, depth: Int) throws(ModelError) -> DataElement {
        try expectObject()
        var vr: VR?
        var hasUnknownVR = false
        var value: Value?
        // A value in front of its VR is passed over, and read when the VR is known.
        var waiting: (member: Member, offset: Int)?
        let start = scanner.offset
        if try !scanner.take(0x7D) {
            repeat {
                let offset = scanner.offset
                try key()
                let member: Member
                if isText("vr") {
                    guard vr == nil, !hasUnknownVR else { throw ModelError(.duplicate, at: offset) }
                    try string()
                    vr = VR(String(decoding: text, as: UTF8.self))
                    hasUnknownVR = vr == nil
                    continue
                } else if isText("Value") {
                    member = .value
                } else if isText("InlineBinary") {
                    member = .inlineBinary
                } else if isText("BulkDataURI") {
                    member = .bulkDataURI
                } else {
                    try scanner.skipValue(limit: skipDepth)
                    continue
                }
                guard waiting == nil else {
                    throw ModelError(waiting?.member == member ? .duplicate : .conflictingValues, at: offset)
                }
                waiting = (member, scanner.offset)
                if let vr {
                    value = try read(member, of: vr, depth: depth)
                } else {
                    try scanner.skipValue(limit: skipDepth)
                }
            } while try scanner.take(0x2C)
            try scanner.expect(0x7D)
        }
        // A VR to come is bytes until we know it.
        let actual = vr ?? (hasUnknownVR ? .UN : .inferred(for: tag))
        if value == nil, let waiting {
            guard !hasUnknownVR || waiting.member != .value else { throw ModelError(.invalidVR, at: start) }
            let end = scanner.offset
            scanner.seek(to: waiting.offset)
            value = try read(waiting.member, of: actual, depth: depth)
            scanner.seek(to: end)
        }
        return DataElement(tag, actual, value ?? (actual == .SQ ? .items([]) : .empty))
    }

    private mutating func read(_ member: Member, of vr: VR, depth: Int) throws(ModelError) -> Value {
        let start = scanner.offset
        switch member {
        case .value: return vr == .SQ ? try itemList(depth: depth) : try valueList(vr)
        case .inlineBinary:
            guard try !scanner.takeNull() else { return vr == .SQ ? .items([]) : .empty }
            try string()
            guard let bytes = text.withUnsafeBytes({ Base64.decode($0) }) else {
                throw ModelError(.invalidBase64, at: start)
            }
            var field = ValueBytes(vr)
            guard field.append(raw: bytes), let value = field.finish() else {
                throw ModelError(.invalidValue, at: start)
            }
            return value
        case .bulkDataURI:
            try string()
            guard vr.mayBeBulkData, !text.isEmpty else { throw ModelError(.invalidValue, at: start) }
            return .bulk(.uri(String(decoding: text, as: UTF8.self)))
        }
    }

    // MARK: - Values

    private mutating func itemList(depth: Int) throws(ModelError) -> Value {
        guard try !scanner.takeNull() else { return .items([]) }
        try expectArray()
        var list: [DataSet] = []
        guard try !scanner.take(0x5D) else { return .items(list) }
        repeat {
            if try scanner.takeNull() {
                list.append(DataSet(characterSet: .utf8))
            } else {
                list.append(try dataSet(depth: depth + 1))
            }
        } while try scanner.take(0x2C)
        try scanner.expect(0x5D)
        return .items(list)
    }

    private mutating func valueList(_ vr: VR) throws(ModelError) -> Value {
        guard try !scanner.takeNull() else { return .empty }
        let start = scanner.offset
        try expectArray()
        guard try !scanner.take(0x5D) else { return .empty }
        var field = ValueBytes(vr)
        repeat {
            let offset = scanner.offset
            guard try appendValue(to: &field) else { throw ModelError(.invalidValue, at: offset) }
        } while try scanner.take(0x2C)
        try scanner.expect(0x5D)
        guard let value = field.finish() else { throw ModelError(.invalidValue, at: start) }
        return value
    }

    private mutating func appendValue(to field: inout ValueBytes) throws(ModelError) -> Bool {
        switch try scanner.peek() {
        case 0x22:
            try string()
            return appendText(to: &field)
        case 0x7B where field.vr == .PN:
            try personName()
            return appendText(to: &field)
        case 0x6E:
            try scanner.takeLiteral("null")
            field.appendEmpty()
            return true
        case 0x2D, 0x30...0x39:
            guard field.vr != .PN, field.vr != .UI else { return false }
            let number = try scanner.number()
            return field.append(number: number)
        default: throw ModelError(.unexpected, at: scanner.offset)
        }
    }

    private mutating func appendText(to field: inout ValueBytes) -> Bool {
        text.withUnsafeBytes {
            if field.vr.usesSpecificCharacterSet, !hasNonASCII {
                hasNonASCII = TextTraits(of: $0).contains(.nonASCII)
            }
            return field.append(text: $0)
        }
    }

    /// Joins the component groups into `text`, the way they stand in a value field (PS3.5 6.2.1).
    private mutating func personName() throws(ModelError) {
        var groups: [[UInt8]?] = [nil, nil, nil]
        try scanner.expect(0x7B)
        if try !scanner.take(0x7D) {
            repeat {
                let offset = scanner.offset
                try key()
                guard let group = isText("Alphabetic") ? 0 : isText("Ideographic") ? 1 : isText("Phonetic") ? 2 : nil
                else {
                    try scanner.skipValue(limit: skipDepth)
                    continue
                }
                guard groups[group] == nil else { throw ModelError(.duplicate, at: offset) }
                text.removeAll(keepingCapacity: true)
                if try !scanner.takeNull() { try string() }
                groups[group] = text
            } while try scanner.take(0x2C)
            try scanner.expect(0x7D)
        }
        text = Array(groups.map { $0 ?? [] }.joined(separator: [0x3D]))
        while text.last == 0x3D { text.removeLast() }
    }

    // MARK: - Tokens

    private var skipDepth: Int { limits.depth * 3 + 16 }

    /// Reads a string into `text`.
    private mutating func string() throws(ModelError) {
        text.removeAll(keepingCapacity: true)
        guard try scanner.peek() == 0x22 else { throw ModelError(.unexpected, at: scanner.offset) }
        try scanner.string(into: &text)
    }

    private func isText(_ name: StaticString) -> Bool {
        text.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    private mutating func key() throws(ModelError) {
        text.removeAll(keepingCapacity: true)
        try scanner.string(into: &text)
        try scanner.expect(0x3A)
    }

    private mutating func expectObject() throws(ModelError) {
        guard try scanner.take(0x7B) else { throw ModelError(.unexpected, at: scanner.offset) }
    }

    private mutating func expectArray() throws(ModelError) {
        guard try scanner.take(0x5B) else { throw ModelError(.unexpected, at: scanner.offset) }
    }
}
