/// Writes down what a parser finds, as plain numbers, and makes a `DataSet` of it in the end.
///
/// All values share one block of memory: the caller's array, or a copy of the values that are kept.
struct DataSetTape: DataSetVisitor, Sendable {
    private struct Entry {
        enum Kind: UInt8 { case bytes, bulk, fragments, sequence, endSequence, item, endItem }
        var tag: UInt32
        var vr: VR
        var kind: Kind
        /// Place of the value; of an item, the entry of its Specific Character Set.
        var start: Int
        /// Length of the value; of a sequence its items, of an item its elements.
        var count: Int
    }

    let retention: ValueRetention
    private var entries: [Entry] = []
    /// Copies of kept values, if they are not slices of the caller's memory.
    private var block: [UInt8] = []
    private var isCopying: Bool
    private var encapsulated: [EncapsulatedValue] = []
    private(set) var keptBytes = 0
    /// Entries of the sequences and items that are open.
    private var open: [Int] = []
    private var openValue: ElementStart?
    private var pendingTable: [UInt8] = []
    private var isSigned: [Bool] = [false]
    private var rootCharacterSet = -1
    private var rootCount = 0
    /// Length of the pixel data value of the data set itself, if it is native.
    private(set) var nativePixelData: (tag: Tag, length: Int, offset: Int)?

    /// With `isCopying` false, offsets of values must be indices of the array that `dataSet(from:)` gets.
    init(retention: ValueRetention, isCopying: Bool) {
        self.retention = retention
        self.isCopying = isCopying
        entries.reserveCapacity(64)
    }

    /// Whether no value that is kept, and no sequence, is open.
    var isBetweenElements: Bool { openValue == nil && open.isEmpty }

    // MARK: - What the parser shows

    @inline(__always)
    mutating func value(_ element: ElementStart, _ bytes: UnsafeRawBufferPointer) {
        guard retention.keeps(element.tag, element.vr, length: bytes.count) else {
            add(element, .bulk, start: element.offset, count: bytes.count)
            return
        }
        keptBytes += bytes.count
        if element.tag.rawValue == 0x0028_0103, bytes.count >= 1 {
            isSigned[isSigned.count - 1] = bytes.contains(1)
        }
        if isCopying {
            add(element, .bytes, start: block.count, count: bytes.count)
            block.append(contentsOf: bytes)
            if element.encoding.isBigEndian { swapTail(bytes.count, element.vr) }
        } else {
            add(element, .bytes, start: element.offset, count: bytes.count)
        }
    }

    mutating func beginValue(_ element: ElementStart) -> Bool {
        let length = element.length ?? 0
        guard retention.keeps(element.tag, element.vr, length: length) else {
            add(element, .bulk, start: element.offset, count: length)
            return false
        }
        add(element, .bytes, start: isCopying ? block.count : element.offset, count: length)
        openValue = element
        return true
    }

    mutating func valueBytes(_ bytes: UnsafeRawBufferPointer) {
        keptBytes += bytes.count
        guard isCopying else { return }
        block.append(contentsOf: bytes)
        if let openValue, openValue.encoding.isBigEndian { swapTail(bytes.count, openValue.vr) }
    }

    mutating func endValue() { openValue = nil }

    mutating func endValue(missing: Int) {
        openValue = nil
        guard let last = entries.indices.last else { return }
        entries[last].count -= missing
        nativePixelData?.length -= missing
    }

    mutating func beginSequence(_ element: ElementStart) {
        add(element, .sequence, start: 0, count: 0)
        open.append(entries.count - 1)
    }

    mutating func beginItem() {
        if let sequence = open.last { entries[sequence].count += 1 }
        entries.append(Entry(tag: 0, vr: .UN, kind: .item, start: -1, count: 0))
        open.append(entries.count - 1)
        isSigned.append(isSigned.last ?? false)
    }

    mutating func endItem() {
        open.removeLast()
        isSigned.removeLast()
        entries.append(Entry(tag: 0, vr: .UN, kind: .endItem, start: 0, count: 0))
    }

    mutating func endSequence() {
        open.removeLast()
        entries.append(Entry(tag: 0, vr: .SQ, kind: .endSequence, start: 0, count: 0))
    }

    mutating func beginFragments(_ element: ElementStart) {
        add(element, .fragments, start: encapsulated.count, count: 0)
        encapsulated.append(EncapsulatedValue(basicOffsetTable: [], origin: element.offset, fragments: []))
        pendingTable.removeAll(keepingCapacity: true)
    }

    mutating func offsetTable(_ bytes: UnsafeRawBufferPointer) {
        keptBytes += bytes.count
        pendingTable.append(contentsOf: bytes)
    }

    mutating func fragment(offset: Int, length: Int, head: UInt32) -> Bool {
        let last = encapsulated.count - 1
        if last >= 0 { encapsulated[last].fragments.append(.init(range: offset..<offset + length, head: head)) }
        return false
    }

    mutating func endFragments(origin: Int) {
        let last = encapsulated.count - 1
        guard last >= 0 else { return }
        encapsulated[last].origin = origin
        encapsulated[last].basicOffsetTable = pendingTable.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { bytes.littleEndian32($0 * 4) }
        }
    }

    @inline(__always)
    private mutating func add(_ element: ElementStart, _ kind: Entry.Kind, start: Int, count: Int) {
        var vr = element.vr
        // US or SS: the pixel representation tells (PS3.5 A.1).
        if vr == .US, element.encoding.isImplicit, isSigned.last == true,
            DataDictionary.standard.vrs(for: element.tag)?.1 == .SS
        {
            vr = .SS
        }
        if let item = open.last {
            entries[item].count += 1
            if element.tag.rawValue == 0x0008_0005, entries[item].start < 0 { entries[item].start = entries.count }
        } else {
            rootCount += 1
            if element.tag.rawValue == 0x0008_0005, rootCharacterSet < 0 { rootCharacterSet = entries.count }
            if element.tag.group == 0x7FE0, kind == .bulk || kind == .bytes, nativePixelData == nil,
                [0x08, 0x09, 0x10].contains(element.tag.element)
            {
                nativePixelData = (element.tag, count, element.offset)
            }
        }
        entries.append(Entry(tag: element.tag.rawValue, vr: vr, kind: kind, start: start, count: count))
    }

    private mutating func swapTail(_ count: Int, _ vr: VR) {
        let start = block.count - count
        block.withUnsafeMutableBytes { bytes in
            swapBytes(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]), width: vr.numberWidth)
        }
    }

    // MARK: - The data set

    private struct Level {
        var elements: [DataElement]
        var items: [DataSet]
        var tag: UInt32
        var characterSet: SpecificCharacterSet
        var isAscending: Bool
    }

    /// Makes the data set. `shared` is the array whose indices the values' offsets are, if values were not copied.
    consuming func dataSet(
        from shared: [UInt8]?, findings: inout [Finding]
    ) throws(DataSetReadError) -> DataSet {
        let memory = isCopying ? block : shared ?? []
        var stack: [Level] = []
        var characterSet = CharacterSetTerms.read(term(rootCharacterSet, memory)) ?? .default
        var elements: [DataElement] = []
        elements.reserveCapacity(rootCount)
        var items: [DataSet] = []
        var isAscending = true
        var last: UInt32 = 0
        for entry in entries {
            let tag = Tag(rawValue: entry.tag)
            let value: Value
            switch entry.kind {
            case .bytes:
                value = .bytes(memory[entry.start..<entry.start + entry.count])
            case .bulk:
                value = .bulk(.range(entry.start..<entry.start + entry.count))
            case .fragments:
                value = .fragments(encapsulated[entry.start])
            case .sequence:
                stack.append(
                    Level(
                        elements: elements, items: items, tag: entry.tag, characterSet: characterSet,
                        isAscending: isAscending))
                // The stack alone owns the arrays, so that they grow in place when their turn comes again.
                elements = []
                items = []
                items.reserveCapacity(entry.count)
                continue
            case .item:
                stack.append(
                    Level(elements: [], items: items, tag: 0, characterSet: characterSet, isAscending: true))
                characterSet = CharacterSetTerms.read(term(entry.start, memory)) ?? characterSet
                items = []
                elements = []
                elements.reserveCapacity(entry.count)
                isAscending = true
                last = 0
                continue
            case .endItem:
                let item = try Self.makeDataSet(elements, characterSet, isAscending, isRoot: false, &findings)
                guard var level = stack.popLast() else { continue }
                swap(&items, &level.items)
                items.append(item)
                characterSet = level.characterSet
                elements = []
                continue
            case .endSequence:
                guard var level = stack.popLast() else { continue }
                let element = DataElement(Tag(rawValue: level.tag), .SQ, .items(items))
                swap(&elements, &level.elements)
                swap(&items, &level.items)
                isAscending = level.isAscending
                last = elements.last?.tag.rawValue ?? 0
                if level.tag <= last, !elements.isEmpty { isAscending = false }
                last = level.tag
                elements.append(element)
                continue
            }
            if entry.tag <= last, !elements.isEmpty { isAscending = false }
            last = entry.tag
            elements.append(DataElement(tag, entry.vr, value))
        }
        return try Self.makeDataSet(elements, characterSet, isAscending, isRoot: true, &findings)
    }

    private func term(_ entry: Int, _ memory: [UInt8]) -> ArraySlice<UInt8>? {
        guard entry >= 0, entries[entry].kind == .bytes else { return nil }
        return memory[entries[entry].start..<entries[entry].start + entries[entry].count]
    }

    /// Sorts if need be. Of elements with the same tag the first counts; identifying UIDs must not differ.
    private static func makeDataSet(
        _ elements: [DataElement], _ characterSet: SpecificCharacterSet, _ isAscending: Bool, isRoot: Bool,
        _ findings: inout [Finding]
    ) throws(DataSetReadError) -> DataSet {
        guard !isAscending else { return DataSet(ascending: elements, characterSet: characterSet) }
        let order = elements.indices.sorted {
            (elements[$0].tag.rawValue, $0) < (elements[$1].tag.rawValue, $1)
        }
        var sorted: [DataElement] = []
        sorted.reserveCapacity(elements.count)
        for index in order {
            let element = elements[index]
            guard let last = sorted.last, last.tag == element.tag else {
                sorted.append(element)
                continue
            }
            let isIdentity = IdentityCheck.tags.contains(element.tag)
            if isRoot, isIdentity, let first = last.bytes, let second = element.bytes,
                UIDText.trimmed(first) != UIDText.trimmed(second)
            {
                throw DataSetReadError(.conflictingUIDs(element.tag), at: 0)
            }
            if findings.count < 256 { findings.append(Finding(.duplicateTag, tag: element.tag)) }
        }
        return DataSet(ascending: sorted, characterSet: characterSet)
    }
}

/// The value of (0008,0005) as a character set (PS3.3 C.12.1.1.2).
enum CharacterSetTerms {
    private static let latin1 = SpecificCharacterSet(terms: ["ISO_IR 100"])
    private static let latin1Bytes = Array("ISO_IR 100".utf8)
    private static let utf8Bytes = Array("ISO_IR 192".utf8)

    /// `nil` when there is no element, or one without a value.
    static func read(_ bytes: ArraySlice<UInt8>?) -> SpecificCharacterSet? {
        guard let bytes, !bytes.isEmpty else { return nil }
        if bytes.elementsEqual(latin1Bytes) { return latin1 }
        if bytes.elementsEqual(utf8Bytes) { return .utf8 }
        let terms = bytes.split(separator: 0x5C, omittingEmptySubsequences: false).map { term in
            String(decoding: UIDText.trimmed(term), as: UTF8.self)
        }
        return terms.allSatisfy(\.isEmpty) ? nil : SpecificCharacterSet(terms: terms)
    }
}

/// The characters of a UID or other identifier without its padding.
enum UIDText {
    /// Without blanks and NULs at either end.
    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var slice = bytes
        while let last = slice.last, last == 0 || last == 0x20 { slice.removeLast() }
        while let first = slice.first, first == 0x20 { slice.removeFirst() }
        return slice
    }

    /// Whether the characters are a UID as identities need it: 1 to 64 digits and dots, no empty component; leading
    /// zeros are let pass (PS3.5 9.1).
    static func isValid(_ text: ArraySlice<UInt8>) -> Bool {
        guard (1...64).contains(text.count) else { return false }
        var previous: UInt8 = 0x2E
        for byte in text {
            switch byte {
            case 0x30...0x39: break
            case 0x2E where previous != 0x2E: break
            default: return false
            }
            previous = byte
        }
        return previous != 0x2E
    }
}
