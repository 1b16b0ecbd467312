package import DICOMCore

/// Attributes with their values already in the form of the DICOM JSON model, in tag order: what the index keeps of a
/// study, a series or an instance, so that an answer is a merge of prepared bytes (PS3.18 F.2).
///
/// The bytes are one flag byte and then, for each attribute, its tag (4 bytes, little endian), the length of its value
/// object (1 byte, or FF and 4 bytes) and the value object (`{"vr":"PN","Value":[…]}`). A length of zero stands for an
/// attribute that is not there although the template has it (see `MetadataDocument`).
package struct AttributeFragments: Hashable, Sendable {
    /// What holds for all values together, so that writers need not look.
    package struct Flags: OptionSet, Hashable, Sendable {
        package var rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Some text is not ASCII, so an answer has to name its character set.
        package static let hasWideText = Flags(rawValue: 1)
        /// Some value has a zero byte where the instance's URL belongs.
        package static let hasPlaceholder = Flags(rawValue: 2)
    }

    /// The encoded form, as a row keeps it.
    package private(set) var bytes: [UInt8]

    /// No attributes.
    package init() { bytes = [0] }

    /// Takes what `bytes` gave before; anything unreadable at its end is passed over when reading.
    package init(decoding bytes: [UInt8]) { self.bytes = bytes.isEmpty ? [0] : bytes }

    package var flags: Flags { Flags(rawValue: bytes[0]) }
    package var isEmpty: Bool { bytes.count == 1 }

    /// Appends an attribute; callers append in tag order.
    package mutating func append(_ tag: Tag, _ value: some Collection<UInt8>) {
        appendHeader(tag, length: value.count)
        let start = bytes.count
        bytes.append(contentsOf: value)
        noteFlags(from: start)
    }

    /// Appends what `write` appends to the bytes it is given as the value of this attribute.
    package mutating func append(_ tag: Tag, writing write: (inout [UInt8]) -> Void) {
        appendHeader(tag, length: 0)
        let start = bytes.count
        write(&bytes)
        let length = bytes.count - start
        if length < 0xFF {
            bytes[start - 1] = UInt8(length)
            noteFlags(from: start)
        } else {
            bytes[start - 1] = 0xFF
            let wide = UInt32(truncatingIfNeeded: length)
            bytes.insert(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: wide >> (8 * $0)) }, at: start)
            noteFlags(from: start + 4)
        }
    }

    /// Says that the template's attribute is not there.
    package mutating func appendAbsence(of tag: Tag) { appendHeader(tag, length: 0) }

    private mutating func appendHeader(_ tag: Tag, length: Int) {
        let raw = tag.rawValue
        bytes.append(UInt8(truncatingIfNeeded: raw))
        bytes.append(UInt8(truncatingIfNeeded: raw >> 8))
        bytes.append(UInt8(truncatingIfNeeded: raw >> 16))
        bytes.append(UInt8(truncatingIfNeeded: raw >> 24))
        if length < 0xFF {
            bytes.append(UInt8(length))
        } else {
            bytes.append(0xFF)
            let wide = UInt32(truncatingIfNeeded: length)
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: wide >> shift))
            }
        }
    }

    private mutating func noteFlags(from start: Int) {
        var all: UInt8 = 0
        var hasZero = false
        for index in start..<bytes.count {
            all |= bytes[index]
            hasZero = hasZero || bytes[index] == 0
        }
        if all >= 0x80 { bytes[0] |= Flags.hasWideText.rawValue }
        if hasZero { bytes[0] |= Flags.hasPlaceholder.rawValue }
    }
}

extension AttributeFragments {
    /// One attribute while reading: its tag, and where its value object is in the encoded bytes.
    @usableFromInline
    struct Entry: Hashable, Sendable {
        var tag: UInt32
        var start: Int
        var end: Int

        var isAbsence: Bool { start == end }
    }

    /// Reads attribute after attribute of encoded bytes without copying them.
    struct Cursor {
        private let base: UnsafeRawBufferPointer
        private var position: Int

        /// Starts behind the flag byte.
        init(_ bytes: UnsafeRawBufferPointer) {
            base = bytes
            position = 1
        }

        /// The next attribute; `nil` at the end, or where the bytes are not ours.
        mutating func next() -> Entry? {
            guard position + 5 <= base.count else { return nil }
            let tag = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            var length = Int(base[position + 4])
            var start = position + 5
            if length == 0xFF {
                guard start + 4 <= base.count else { return nil }
                length = Int(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
                start += 4
            }
            guard length <= base.count - start else { return nil }
            position = start + length
            return Entry(tag: tag, start: start, end: position)
        }
    }

    /// Every attribute, in order.
    var entries: [Entry] {
        bytes.withUnsafeBytes { raw in
            var cursor = Cursor(raw)
            var entries: [Entry] = []
            while let entry = cursor.next() { entries.append(entry) }
            return entries
        }
    }

    /// The value object of an attribute.
    package subscript(tag: Tag) -> ArraySlice<UInt8>? {
        let entry: Entry? = bytes.withUnsafeBytes { raw in
            var cursor = Cursor(raw)
            while let entry = cursor.next(), entry.tag <= tag.rawValue {
                if entry.tag == tag.rawValue { return entry }
            }
            return nil
        }
        guard let entry, !entry.isAbsence else { return nil }
        return bytes[entry.start..<entry.end]
    }

    /// These attributes, with those of `other` where this has none or an empty one (`{"vr":"LO"}`).
    func filled(from other: AttributeFragments) -> AttributeFragments {
        var merged = AttributeFragments()
        let left = entries
        let right = other.entries
        var (l, r) = (0, 0)
        while l < left.count || r < right.count {
            if r == right.count || (l < left.count && left[l].tag < right[r].tag) {
                merged.append(Tag(rawValue: left[l].tag), bytes[left[l].start..<left[l].end])
                l += 1
            } else if l == left.count || right[r].tag < left[l].tag {
                merged.append(Tag(rawValue: right[r].tag), other.bytes[right[r].start..<right[r].end])
                r += 1
            } else {
                if left[l].end - left[l].start <= Self.emptyValueLength {
                    merged.append(Tag(rawValue: right[r].tag), other.bytes[right[r].start..<right[r].end])
                } else {
                    merged.append(Tag(rawValue: left[l].tag), bytes[left[l].start..<left[l].end])
                }
                l += 1
                r += 1
            }
        }
        return merged
    }

    /// Whether `filled(from:)` would change anything.
    func lacksSomething(of other: AttributeFragments) -> Bool {
        guard bytes != other.bytes else { return false }
        let left = entries
        var l = 0
        for candidate in other.entries where candidate.end - candidate.start > Self.emptyValueLength {
            while l < left.count, left[l].tag < candidate.tag { l += 1 }
            guard l < left.count, left[l].tag == candidate.tag,
                left[l].end - left[l].start > Self.emptyValueLength
            else { return true }
        }
        return false
    }

    /// Bytes of `{"vr":"XX"}`.
    private static var emptyValueLength: Int { 11 }

    /// What is different in these attributes from `template`, with an absence for each attribute that only the
    /// template has.
    func difference(from template: AttributeFragments) -> AttributeFragments {
        var result = AttributeFragments()
        result.bytes.reserveCapacity(512)
        bytes.withUnsafeBytes { mine in
            template.bytes.withUnsafeBytes { theirs in
                var (left, right) = (Cursor(mine), Cursor(theirs))
                var (entry, other) = (left.next(), right.next())
                while entry != nil || other != nil {
                    guard let mineNow = entry else {
                        if let theirNow = other { result.appendAbsence(of: Tag(rawValue: theirNow.tag)) }
                        other = right.next()
                        continue
                    }
                    if let theirNow = other, theirNow.tag < mineNow.tag {
                        result.appendAbsence(of: Tag(rawValue: theirNow.tag))
                        other = right.next()
                        continue
                    }
                    let value = UnsafeRawBufferPointer(rebasing: mine[mineNow.start..<mineNow.end])
                    if let theirNow = other, theirNow.tag == mineNow.tag {
                        let same = UnsafeRawBufferPointer(rebasing: theirs[theirNow.start..<theirNow.end])
                        if !value.elementsEqual(same) { result.append(Tag(rawValue: mineNow.tag), value) }
                        other = right.next()
                    } else {
                        result.append(Tag(rawValue: mineNow.tag), value)
                    }
                    entry = left.next()
                }
            }
        }
        return result
    }
}
