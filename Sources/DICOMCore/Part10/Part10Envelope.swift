/// Reads what stands in front of a data set, and finds out how the data set is encoded (PS3.10 7.1).
struct Part10Envelope {
    enum Phase { case prefix, meta, commandSet, encoding, done }

    let rules: ReadingRules
    private(set) var findings: [Finding] = []
    private(set) var phase = Phase.prefix
    /// Everything before this has been read.
    private(set) var position = 0
    private(set) var needed = 144
    /// Where group 0002 starts, and what it holds; values are ranges of the file.
    private(set) var metaStart = 0
    private var metaElements: [(tag: Tag, vr: VR, range: Range<Int>)] = []
    private var isGood = true
    private var hasMeta = true
    private var groupEnd: Int?
    private var isDeflateDeclared = false

    /// What the data set's bytes turned out to be.
    private(set) var encoding = ElementEncoding.explicitLittleEndian
    private(set) var isDeflated = false
    private(set) var transferSyntax: TransferSyntax?
    private(set) var transferSyntaxUID = ""

    private static let metaLimit = 1 << 20
    private static let findingLimit = 256

    init(rules: ReadingRules) {
        self.rules = rules
        metaElements.reserveCapacity(8)
    }

    /// Whether preamble, prefix and group 0002 are as they must be.
    var isFaithful: Bool { isGood && hasMeta }

    /// Reads on. The window begins at the file's first byte; says whether the data set's first byte is reached.
    mutating func advance(_ window: UnsafeRawBufferPointer, isFinal: Bool) throws(DataSetReadError) -> Bool {
        while true {
            let noted = findings.count
            let isReady: Bool
            switch phase {
            case .prefix: isReady = try readPrefix(window, isFinal: isFinal)
            case .meta: isReady = try readMetaElement(window, isFinal: isFinal)
            case .commandSet: isReady = try passCommandElement(window, isFinal: isFinal)
            case .encoding: isReady = try findEncoding(window, isFinal: isFinal)
            case .done: return true
            }
            guard isReady else {
                // It will be read again when more bytes have come.
                findings.removeLast(findings.count - noted)
                return false
            }
        }
    }

    /// Group 0002 of the file, whose bytes from `metaStart` to `position` are these.
    func fileMeta(_ bytes: [UInt8], startingAt start: Int) -> FileMetaInformation {
        let elements = metaElements.lazy.map { element in
            DataElement(
                element.tag, element.vr,
                .bytes(bytes[(element.range.lowerBound - start)..<(element.range.upperBound - start)]))
        }
        return FileMetaInformation(elements: DataSet(elements))
    }

    mutating func note(_ rule: Finding.Rule, _ tag: Tag? = nil) throws(DataSetReadError) {
        guard rules.accepts(rule) else { throw DataSetReadError(.notAllowed(rule), at: position) }
        isGood = false
        if findings.count < Self.findingLimit { findings.append(Finding(rule, tag: tag, offset: position)) }
    }

    // MARK: - Phases

    private mutating func readPrefix(
        _ window: UnsafeRawBufferPointer, isFinal: Bool
    ) throws(DataSetReadError) -> Bool {
        guard window.count >= 144 || isFinal else {
            needed = 144
            return false
        }
        guard window.count >= 132 else { throw DataSetReadError(.notDICOM, at: 0) }
        let prefix: UInt32 = 0x4449_434D
        if window.bigEndian32(128) == prefix {
            position = 132
            phase = .meta
        } else if window.bigEndian32(0) == prefix {
            position = 4
            phase = .meta
            try note(.missingPreamble)
        } else if window.littleEndian16(0) == 2, Self.isMetaHeader(window) {
            phase = .meta
            try note(.missingPrefix)
        } else if window.littleEndian32(0) == 0, window.littleEndian32(4) == 4 {
            hasMeta = false
            phase = .commandSet
            try note(.commandSet)
        } else {
            guard Self.isFirstHeader(window) else { throw DataSetReadError(.notDICOM, at: 0) }
            hasMeta = false
            phase = .encoding
            try note(.missingFileMeta)
        }
        metaStart = position
        return true
    }

    private static func isMetaHeader(_ window: UnsafeRawBufferPointer) -> Bool {
        let element = window.littleEndian16(2)
        let isExplicit = VRTable.areLetters(window[4], window[5])
        return element <= 0x0102 && (isExplicit || window.littleEndian32(4) <= 128)
    }

    /// Whether a data set may begin like this. Strict, for there is nothing else that says that this is DICOM.
    private static func isFirstHeader(_ window: UnsafeRawBufferPointer) -> Bool {
        for encoding in [ElementEncoding.explicitLittleEndian, .explicitBigEndian] {
            let tag = window.tag(0, encoding)
            guard (0x0004...0x0010).contains(tag.group), tag.group & 1 == 0 else { continue }
            if letters(window, 4) != nil { return true }
            let isKnown = DataDictionary.standard.vr(for: tag) != nil
            if encoding == .explicitLittleEndian, isKnown, window.littleEndian32(4) <= 1 << 16 { return true }
        }
        return false
    }

    private static func letters(_ window: UnsafeRawBufferPointer, _ index: Int) -> VR? {
        VR(rawValue: UInt16(window[index]) << 8 | UInt16(window[index + 1]))
    }

    private mutating func readMetaElement(
        _ window: UnsafeRawBufferPointer, isFinal: Bool
    ) throws(DataSetReadError) -> Bool {
        let index = position
        let available = window.count - index
        guard available >= 8 else {
            if isFinal { throw DataSetReadError(.truncated, at: position) }
            needed = index + 8
            return false
        }
        let group = window.littleEndian16(index)
        if group != 2 || (isDeflateDeclared && groupEnd == position) {
            // Group 0002 in big endian is nothing that PS3.10 knows.
            if window.uint16(index, .explicitBigEndian) == 2, VRTable.areLetters(window[index + 4], window[index + 5]) {
                throw DataSetReadError(.notDICOM, at: position)
            }
            try endMeta()
            let isCommandSet = window.littleEndian32(index) == 0 && window.littleEndian32(index + 4) == 4
            phase = isCommandSet ? .commandSet : .encoding
            if isCommandSet { try note(.commandSet) }
            return true
        }
        let tag = window.tag(index, .explicitLittleEndian)
        var header = 8
        var length: Int
        var vr = Self.letters(window, index + 4)
        if let known = vr, !known.hasLongHeader {
            length = Int(window.littleEndian16(index + 6))
        } else if vr != nil || VRTable.areLetters(window[index + 4], window[index + 5]) {
            guard available >= 12 else {
                if isFinal { throw DataSetReadError(.truncated, at: position) }
                needed = index + 12
                return false
            }
            header = 12
            length = Int(window.littleEndian32(index + 8))
        } else {
            length = Int(window.littleEndian32(index + 4))
            vr = DataDictionary.standard.vr(for: tag)
            try note(.implicitFileMeta, tag)
        }
        guard index - metaStart + header + length <= Self.metaLimit else {
            throw DataSetReadError(.tooManyBytes(limit: Self.metaLimit), at: position)
        }
        guard available >= header + length else {
            if isFinal { throw DataSetReadError(.truncated, at: position) }
            needed = index + header + length
            return false
        }
        let value = index + header..<index + header + length
        position = value.upperBound
        if tag.element == 0 {
            if length == 4 { groupEnd = position + Int(window.littleEndian32(value.lowerBound)) }
        } else if metaElements.count < 1024 {
            metaElements.append((tag, vr ?? .UN, value))
            // As of all elements, the first one counts.
            if tag.element == 0x0010, transferSyntaxUID.isEmpty {
                try readTransferSyntax(window.part(value.lowerBound, value.upperBound))
            }
        }
        return true
    }

    private mutating func readTransferSyntax(_ bytes: UnsafeRawBufferPointer) throws(DataSetReadError) {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0 || bytes[end - 1] == 0x20 { end -= 1 }
        var start = 0
        while start < end, bytes[start] == 0x20 { start += 1 }
        // Behind an odd UID one NUL is the padding that the standard wants.
        let padding = bytes.count - (end - start)
        if padding > 1 || (padding == 1 && (bytes[bytes.count - 1] != 0 || bytes.count & 1 != 0)) {
            try note(.paddedTransferSyntax, Tag(0x0002, 0x0010))
        }
        // What is no UID is not passed on: it goes into headers and documents.
        let text = bytes[start..<end]
        guard text.count <= 64, text.allSatisfy({ $0 == 0x2E || (0x30...0x39).contains($0) }) else { return }
        transferSyntaxUID = String(decoding: text, as: UTF8.self)
        transferSyntax = TransferSyntax(uid: transferSyntaxUID)
        isDeflateDeclared = transferSyntax?.isDeflated == true
    }

    private mutating func endMeta() throws(DataSetReadError) {
        guard !metaElements.isEmpty else {
            hasMeta = false
            return try note(.missingFileMeta)
        }
        if groupEnd != position { try note(.wrongMetaGroupLength, Tag(0x0002, 0x0000)) }
    }

    private mutating func passCommandElement(
        _ window: UnsafeRawBufferPointer, isFinal: Bool
    ) throws(DataSetReadError) -> Bool {
        let available = window.count - position
        guard available >= 8 else {
            if isFinal { throw DataSetReadError(.truncated, at: position) }
            needed = position + 8
            return false
        }
        guard window.littleEndian16(position) == 0 else {
            phase = .encoding
            return true
        }
        let length = Int(window.littleEndian32(position + 4))
        guard length <= 1 << 16, position <= Self.metaLimit else { throw DataSetReadError(.notDICOM, at: position) }
        guard available >= 8 + length else {
            if isFinal { throw DataSetReadError(.truncated, at: position) }
            needed = position + 8 + length
            return false
        }
        position += 8 + length
        return true
    }

    // MARK: - The data set's encoding

    private mutating func findEncoding(
        _ window: UnsafeRawBufferPointer, isFinal: Bool
    ) throws(DataSetReadError) -> Bool {
        let available = window.count - position
        guard available >= 16 || isFinal else {
            needed = position + 16
            return false
        }
        let declared = transferSyntax
        if declared?.isDeflated == true {
            guard available >= 1 else { throw DataSetReadError(.truncated, at: position) }
            let first = available >= 8 ? window.tag(position, .explicitLittleEndian) : Tag(rawValue: 0)
            let isPlain = first.group == 8 && Self.letters(window, position + 4) != nil
            isDeflated = !isPlain
            if isPlain {
                transferSyntax = .explicitVRLittleEndian
                transferSyntaxUID = TransferSyntax.explicitVRLittleEndian.uid
                try note(.transferSyntaxMismatch)
            }
            encoding = .explicitLittleEndian
            phase = .done
            return true
        }
        guard available >= 8 else { throw DataSetReadError(.truncated, at: position) }
        let expected: ElementEncoding? = declared.map { syntax in
            syntax.isImplicitVR
                ? .implicitLittleEndian : syntax.isBigEndian ? .explicitBigEndian : .explicitLittleEndian
        }
        // A first element without a VR may be a slip in an explicit data set: the next one decides.
        var found = Self.encoding(window, position, expected: expected)
        if found == .implicitLittleEndian, expected != .implicitLittleEndian {
            let length = Int(window.littleEndian32(position + 4))
            if length <= 4096 {
                let next = position + 8 + length
                guard window.count >= next + 8 || isFinal else {
                    needed = next + 8
                    return false
                }
                if window.count >= next + 8, Self.letters(window, next + 4) != nil { found = .explicitLittleEndian }
            } else if expected != nil, length != Int(undefinedLength) {
                found = nil
            }
        }
        if declared != nil, let expected {
            encoding = found ?? expected
            if encoding != expected {
                if declared?.isEncapsulated != true {
                    transferSyntax = Self.plainSyntax(encoding)
                    transferSyntaxUID = transferSyntax?.uid ?? transferSyntaxUID
                }
                try note(.transferSyntaxMismatch)
            }
        } else if !transferSyntaxUID.isEmpty {
            encoding = found ?? .explicitLittleEndian
            findings.append(Finding(.unknownTransferSyntax, tag: Tag(0x0002, 0x0010)))
        } else {
            guard let found else { throw DataSetReadError(.notDICOM, at: position) }
            encoding = found
            transferSyntax = Self.plainSyntax(found)
            transferSyntaxUID = transferSyntax?.uid ?? ""
            if hasMeta { try note(.missingTransferSyntax) }
        }
        phase = .done
        return true
    }

    private static func plainSyntax(_ encoding: ElementEncoding) -> TransferSyntax {
        switch encoding {
        case .explicitLittleEndian: .explicitVRLittleEndian
        case .implicitLittleEndian: .implicitVRLittleEndian
        case .explicitBigEndian: .explicitVRBigEndian
        }
    }

    /// What the first header looks like; `nil` when it is none that we know. Data sets begin with a low group: only that
    /// overrides the byte order that the file names.
    private static func encoding(
        _ window: UnsafeRawBufferPointer, _ index: Int, expected: ElementEncoding?
    ) -> ElementEncoding? {
        let little = window.tag(index, .explicitLittleEndian)
        let big = window.tag(index, .explicitBigEndian)
        if letters(window, index + 4) != nil {
            switch expected {
            case .explicitLittleEndian: return big.group < 0x0100 ? .explicitBigEndian : .explicitLittleEndian
            case .explicitBigEndian: return little.group < 0x0100 ? .explicitLittleEndian : .explicitBigEndian
            case .implicitLittleEndian, nil:
                return little.group <= big.group ? .explicitLittleEndian : .explicitBigEndian
            }
        }
        guard (0x0004...0x7FE0).contains(little.group), little.group & 1 == 0 else { return nil }
        let length = window.littleEndian32(index + 4)
        return length <= 1 << 24 || length == undefinedLength ? .implicitLittleEndian : nil
    }
}
