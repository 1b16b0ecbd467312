/// The registry of data elements (PS3.6 6, 7, 8): what VR, multiplicity and keyword a standard tag has.
///
/// Private elements are not in it. The standard's table is parsed once, on first use, into an open-addressed hash
/// table that lives as long as the process, so that looking up a VR is one or two memory reads.
// `slots` and `patterns` are written before `standard` is published and never after.
public struct DataDictionary: @unchecked Sendable {
    /// The data elements of PS3.6.
    public static let standard = DataDictionary(parsing: table, rows: rowCount)

    /// One row of the registry.
    public struct Entry: Hashable, Sendable {
        /// The tag that was asked for; of a repeating group the one of that group.
        public var tag: Tag
        /// The first of `vrs`.
        public var vr: VR
        /// The VRs the standard allows, such as US and SS.
        public var vrs: [VR]
        public var vm: ValueMultiplicity
        /// Empty for the few retired attributes that have none.
        public var keyword: String
        public var name: String
        public var isRetired: Bool
    }

    @usableFromInline
    struct Slot {
        @usableFromInline var tag: UInt32
        /// Where the row's text starts.
        @usableFromInline var offset: UInt32
        @usableFromInline var vr: VR
        @usableFromInline var second: VR?

        @usableFromInline
        init(tag: UInt32, offset: UInt32, vr: VR, second: VR?) {
            self.tag = tag
            self.offset = offset
            self.vr = vr
            self.second = second
        }
    }

    struct Pattern {
        var pattern: TagPattern
        var slot: Slot
    }

    @usableFromInline static var slotBits: UInt32 { 13 }
    /// No element has this tag.
    @usableFromInline static var freeSlot: UInt32 { 0xFFFF_FFFF }

    @usableFromInline let slots: UnsafePointer<Slot>
    let patterns: UnsafeBufferPointer<Pattern>
    let text: UnsafeBufferPointer<UInt8>

    /// The entry of a standard attribute; those of repeating groups are found by pattern (PS3.5 7.6).
    public func entry(for tag: Tag) -> Entry? {
        guard let slot = slot(for: tag) else { return nil }
        return Row(text: text, offset: Int(slot.offset)).entry(tag: tag)
    }

    /// The VR of an attribute, the first one where there are several; UL for group lengths, LO for private creators,
    /// `nil` for private and unknown elements.
    @inlinable
    public func vr(for tag: Tag) -> VR? {
        if let slot = exactSlot(for: tag) { return slot.vr }
        return rareVR(for: tag)
    }

    /// The first two VRs of an attribute that has more than one: US or SS, OB or OW, US or OW.
    public func vrs(for tag: Tag) -> (VR, VR)? {
        guard let slot = slot(for: tag), let second = slot.second else { return nil }
        return (slot.vr, second)
    }

    /// The attribute with this keyword, case-sensitive (PS3.6 6); of repeating groups the first group's.
    public func tag(forKeyword keyword: some StringProtocol) -> Tag? { Self.tagsByKeyword[String(keyword)] }

    /// The keyword of an attribute.
    public func keyword(for tag: Tag) -> String? {
        guard let slot = slot(for: tag) else { return nil }
        let keyword = Row(text: text, offset: Int(slot.offset)).string(.keyword)
        return keyword.isEmpty ? nil : keyword
    }

    @inlinable
    func exactSlot(for tag: Tag) -> Slot? {
        var index = Int(truncatingIfNeeded: (tag.rawValue &* 0x9E37_79B1) >> (32 - Self.slotBits))
        while true {
            let slot = slots[index]
            if slot.tag == tag.rawValue { return slot.tag == Self.freeSlot ? nil : slot }
            if slot.tag == Self.freeSlot { return nil }
            index = (index + 1) & ((1 << Int(Self.slotBits)) - 1)
        }
    }

    @usableFromInline
    func rareVR(for tag: Tag) -> VR? {
        if tag.isGroupLength { return .UL }
        if tag.isPrivate { return tag.isPrivateCreator ? .LO : nil }
        return repeatingSlot(for: tag)?.vr
    }

    private func slot(for tag: Tag) -> Slot? { exactSlot(for: tag) ?? repeatingSlot(for: tag) }

    private func repeatingSlot(for tag: Tag) -> Slot? {
        switch tag.group {
        case 0x0020, 0x0028, 0x1000, 0x1010, 0x5000...0x50FF, 0x6000...0x60FF, 0x7F00...0x7FFF: break
        default: return nil
        }
        guard !tag.isPrivate else { return nil }
        return patterns.first { $0.pattern.matches(tag) }?.slot
    }
}

// MARK: - Parsing the table

extension DataDictionary {
    private static let tagsByKeyword: [String: Tag] = {
        var tags: [String: Tag] = [:]
        tags.reserveCapacity(rowCount)
        var offset = 0
        while offset < standard.text.count {
            let row = Row(text: standard.text, offset: offset)
            if let pattern = row.pattern { tags[row.string(.keyword)] = Tag(rawValue: pattern.value) }
            offset = row.end + 1
        }
        tags[""] = nil
        return tags
    }()

    private init(parsing table: StaticString, rows: Int) {
        text = UnsafeBufferPointer(start: table.utf8Start, count: table.utf8CodeUnitCount)
        let capacity = 1 << Int(Self.slotBits)
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
        slots.initialize(
            repeating: Slot(tag: Self.freeSlot, offset: 0, vr: .UN, second: nil), count: capacity)
        var patterns: [Pattern] = []
        var offset = 0
        var count = 0
        while offset < text.count {
            let row = Row(text: text, offset: offset)
            defer { offset = row.end + 1 }
            guard let pattern = row.pattern, let (first, second) = row.firstVRs else { continue }
            let slot = Slot(tag: pattern.value, offset: UInt32(offset), vr: first, second: second)
            guard pattern.isSingleTag else {
                patterns.append(Pattern(pattern: pattern, slot: slot))
                continue
            }
            count += 1
            precondition(count < capacity * 3 / 4, "the dictionary has outgrown its hash table")
            var index = Int(truncatingIfNeeded: (slot.tag &* 0x9E37_79B1) >> (32 - Self.slotBits))
            while slots[index].tag != Self.freeSlot { index = (index + 1) & (capacity - 1) }
            slots[index] = slot
        }
        self.slots = UnsafePointer(slots)
        let kept = UnsafeMutableBufferPointer<Pattern>.allocate(capacity: patterns.count)
        _ = kept.initialize(from: patterns)
        self.patterns = UnsafeBufferPointer(kept)
    }

    /// One line of the table: tag, VRs, VM, R when retired, keyword, name, separated by tabs.
    private struct Row {
        enum Column: Int { case tag, vrs, vm, retired, keyword, name }

        let text: UnsafeBufferPointer<UInt8>
        let offset: Int

        /// Where the line feed is.
        var end: Int { text[offset...].firstIndex(of: 0x0A) ?? text.count }

        func bytes(_ column: Column) -> Slice<UnsafeBufferPointer<UInt8>> {
            var start = offset
            for _ in 0..<column.rawValue {
                while text[start] != 0x09 { start += 1 }
                start += 1
            }
            var stop = start
            while stop < text.count, text[stop] != 0x09, text[stop] != 0x0A { stop += 1 }
            return text[start..<stop]
        }

        func string(_ column: Column) -> String { String(decoding: bytes(column), as: UTF8.self) }

        var pattern: TagPattern? { TagPattern(digits: text[offset..<offset + 8]) }

        var vrs: [VR] {
            let letters = Array(bytes(.vrs))
            return stride(from: 0, to: letters.count - 1, by: 2).compactMap {
                VR(rawValue: UInt16(letters[$0]) << 8 | UInt16(letters[$0 + 1]))
            }
        }

        var firstVRs: (VR, VR?)? {
            let at = offset + 9
            guard let first = VR(rawValue: UInt16(text[at]) << 8 | UInt16(text[at + 1])) else { return nil }
            guard text[at + 2] != 0x09 else { return (first, nil) }
            return (first, VR(rawValue: UInt16(text[at + 2]) << 8 | UInt16(text[at + 3])))
        }

        func entry(tag: Tag) -> Entry? {
            let vrs = vrs
            guard let first = vrs.first, let vm = ValueMultiplicity(string(.vm)) else { return nil }
            return Entry(
                tag: tag, vr: first, vrs: vrs, vm: vm, keyword: string(.keyword), name: string(.name),
                isRetired: bytes(.retired).first == UInt8(ascii: "R"))
        }
    }
}
