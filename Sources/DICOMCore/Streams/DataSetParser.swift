// Long, because it is one state machine: element, item and fragment headers share its window, its frames and its
// look-ahead.

/// Reads an encoded data set in any number of pieces, without I/O and without recursion, and shows a visitor what it
/// finds (PS3.5 7). Memory is constant: only an incomplete header, or the bounded look-ahead that an irregular header
/// needs, is kept between pieces.
struct DataSetParser<Visitor: DataSetVisitor & Sendable>: Sendable {
    /// What encloses the bytes being read.
    struct Frame: Sendable {
        enum Kind: UInt8, Sendable { case root, item, sequence, fragments }
        var kind: Kind
        var encoding: ElementEncoding
        /// Whether a delimiter ends it.
        var isUndefined: Bool
        /// Whether each item's first element tells the encoding: inside UN, the rules leave doubt.
        var detectsEncoding: Bool
        /// Where it ends at the latest.
        var end: Int
        /// The tag before, for what follows must usually be higher.
        var lastTag: UInt32
    }

    enum State: Sendable {
        case header
        case value(remaining: Int, isWanted: Bool)
        case offsetTable(remaining: Int)
        case slack
    }

    var visitor: Visitor
    let rules: ReadingRules
    let limits: ReadLimits
    /// Whether the transfer syntax encapsulates pixel data.
    var isEncapsulated = false
    /// Offset of the first byte that has not been read.
    private(set) var offset: Int
    private(set) var findings: [Finding] = []
    /// Bytes behind the data set's last element: NULs, FF, or another file.
    private(set) var slackLength = 0

    private var state = State.header
    private var top: Frame
    private var frames: [Frame] = []
    private var tail: [UInt8] = []
    private var tailStart = 0
    private var needed = 0
    private var isAfterOddLength = false
    private var isSlackEmpty = true
    private var elementCount = 0
    private var privateCount = 0
    private var itemCount = 0
    private var headerBytes = 0
    private var depth = 0
    private var fragmentCount = 0
    private var fragmentsOrigin = 0

    /// How far ahead an irregular header may look.
    static var lookAhead: Int { 1 << 16 }
    /// Values up to this length are shown in one piece.
    static var wholeValue: Int { 256 }
    private static var findingLimit: Int { 256 }

    init(
        _ visitor: Visitor, encoding: ElementEncoding, offset: Int, rules: ReadingRules, limits: ReadLimits
    ) {
        self.visitor = visitor
        self.rules = rules
        self.limits = limits
        self.offset = offset
        self.top = Frame(
            kind: .root, encoding: encoding, isUndefined: true, detectsEncoding: false, end: .max, lastTag: 0)
    }

    // MARK: - Bytes in

    /// Reads the next piece. Works on the caller's memory wherever the bytes suffice.
    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws(DataSetReadError) {
        var input = bytes
        while !input.isEmpty {
            guard tail.count > tailStart else {
                tail.removeAll(keepingCapacity: true)
                tailStart = 0
                let used = try run(input, isFinal: false)
                if used < input.count { tail.append(contentsOf: input[used...]) }
                return
            }
            // The incomplete header is in the tail: add what it needs, then go on in the caller's memory.
            let kept = tail.count - tailStart
            let added = min(input.count, max(needed - kept, 64))
            var held: [UInt8] = []
            swap(&held, &tail)
            held.append(contentsOf: input[..<added])
            let used = try Self.run(&self, on: held, from: tailStart, isFinal: false)
            if used >= kept {
                input = input.part(used - kept, input.count)
                held.removeAll(keepingCapacity: true)
                tailStart = 0
            } else {
                input = input.part(added, input.count)
                tailStart += used
                if tailStart > held.count / 2 {
                    held.removeFirst(tailStart)
                    tailStart = 0
                }
            }
            swap(&held, &tail)
        }
    }

    /// Reads the last piece and ends.
    mutating func finish(_ bytes: UnsafeRawBufferPointer) throws(DataSetReadError) {
        let used = try run(bytes, isFinal: true)
        try end(remaining: bytes.part(used, bytes.count))
    }

    /// Ends: nothing comes any more.
    mutating func finish() throws(DataSetReadError) {
        var held: [UInt8] = []
        swap(&held, &tail)
        let used = try Self.run(&self, on: held, from: tailStart, isFinal: true)
        let rest = Array(held[(tailStart + used)...])
        do {
            try rest.withUnsafeBytes { bytes in try end(remaining: bytes) }
        } catch let error as DataSetReadError {
            throw error
        } catch {
            throw DataSetReadError(.truncated, at: offset)
        }
    }

    private static func run(
        _ parser: inout Self, on held: [UInt8], from start: Int, isFinal: Bool
    ) throws(DataSetReadError) -> Int {
        let result: Result<Int, DataSetReadError> = held.withUnsafeBytes { bytes in
            do throws(DataSetReadError) {
                return .success(try parser.run(bytes.part(start, bytes.count), isFinal: isFinal))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Judges what is left when the bytes are at their end.
    private mutating func end(remaining: UnsafeRawBufferPointer) throws(DataSetReadError) {
        switch state {
        case .slack:
            try endSlack()
            return
        case .value(let missing, let isWanted):
            // (FFFC,FFFC) has any length; nothing may follow it (PS3.10 7.2).
            if frames.isEmpty, top.lastTag == Tag.dataSetTrailingPadding.rawValue { return }
            guard missing > 0 else { break }
            guard mayBeCut(Tag(rawValue: top.lastTag)) else { throw DataSetReadError(.truncated, at: offset) }
            try note(.truncatedPixelData, Tag(rawValue: top.lastTag))
            if isWanted { visitor.valueBytes(remaining) }
            visitor.endValue(missing: missing - remaining.count)
            return
        case .offsetTable:
            throw DataSetReadError(.truncated, at: offset)
        case .header:
            break
        }
        if !remaining.isEmpty {
            guard frames.isEmpty, elementCount > 0, remaining.count < 8, remaining.allSatisfy({ $0 == 0 || $0 == 0xFF })
            else { throw DataSetReadError(.truncated, at: offset) }
            slackLength = remaining.count
            try endSlack()
            return
        }
        // A sequence delimiter is missing at the end of the file.
        if frames.count == 1, top.isUndefined, top.kind == .sequence || top.kind == .fragments {
            try note(.missingSequenceDelimiter, nil)
            close()
        }
        guard frames.isEmpty else { throw DataSetReadError(.truncated, at: offset) }
    }

    /// Whether the stream may end inside the value: pixel data of the data set itself, if the rules let it pass.
    private func mayBeCut(_ tag: Tag) -> Bool {
        frames.isEmpty && rules.acceptsTruncatedPixelData && tag.group == 0x7FE0
            && [0x0008, 0x0009, 0x0010].contains(tag.element)
    }

    private mutating func endSlack() throws(DataSetReadError) {
        try note(isSlackEmpty ? .trailingSlack : .trailingData, nil)
    }

    // MARK: - The loop

    /// Reads as far as the window goes and says how many bytes it used. What is left is an incomplete header.
    private mutating func run(
        _ window: UnsafeRawBufferPointer, isFinal: Bool
    ) throws(DataSetReadError) -> Int {
        let result: Result<Int, DataSetReadError> = VRTable.byLetters.withUnsafeBufferPointer { table in
            do throws(DataSetReadError) {
                guard let letters = table.baseAddress else { return .success(0) }
                return .success(try loop(window, isFinal: isFinal, letters: letters))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private mutating func loop(
        _ window: UnsafeRawBufferPointer, isFinal: Bool, letters: UnsafePointer<VR?>
    ) throws(DataSetReadError) -> Int {
        let base = offset
        var index = 0
        defer { offset = base + index }
        while true {
            switch state {
            case .header:
                while base + index >= top.end, !frames.isEmpty {
                    if top.isUndefined { try note(missingDelimiter, nil, at: base + index) }
                    close()
                }
                if isAfterOddLength {
                    guard try passPadding(window, &index, base, isFinal: isFinal, letters: letters) else {
                        return index
                    }
                    continue
                }
                guard window.count - index >= 8 else {
                    needed = 8
                    return index
                }
                let before = index
                let noted = findings.count
                let moved: Bool
                switch top.kind {
                case .root, .item:
                    moved = try readElement(window, &index, base, isFinal: isFinal, letters: letters)
                case .sequence:
                    moved = try readItem(window, &index, base, isFinal: isFinal, letters: letters)
                case .fragments:
                    moved = try readFragment(window, &index, base, isFinal: isFinal, letters: letters)
                }
                guard moved else {
                    // The header will be read again when more bytes have come.
                    findings.removeLast(findings.count - noted)
                    return index
                }
                headerBytes += min(index - before, 12)
                let bytes = headerBytes + visitor.keptBytes
                guard bytes <= limits.bytes else {
                    throw DataSetReadError(.tooManyBytes(limit: limits.bytes), at: base + before)
                }

            case .value(let remaining, let isWanted):
                let available = window.count - index
                var taken = min(remaining, available)
                if isWanted {
                    if taken < remaining { taken &= ~7 }
                    if taken > 0 { visitor.valueBytes(window.part(index, index + taken)) }
                    guard visitor.keptBytes <= limits.bytes else {
                        throw DataSetReadError(.tooManyBytes(limit: limits.bytes), at: base + index)
                    }
                }
                index += taken
                guard taken == remaining else {
                    state = .value(remaining: remaining - taken, isWanted: isWanted)
                    needed = min(8, remaining - taken)
                    return index
                }
                if isWanted { visitor.endValue() }
                state = .header

            case .offsetTable(let remaining):
                var taken = min(remaining, window.count - index)
                if taken < remaining { taken &= ~7 }
                visitor.offsetTable(window.part(index, index + taken))
                index += taken
                guard visitor.keptBytes <= limits.bytes else {
                    throw DataSetReadError(.tooManyBytes(limit: limits.bytes), at: base + index)
                }
                guard taken == remaining else {
                    state = .offsetTable(remaining: remaining - taken)
                    needed = min(8, remaining - taken)
                    return index
                }
                fragmentsOrigin = base + index
                state = .header

            case .slack:
                if isSlackEmpty {
                    isSlackEmpty = window[index...].allSatisfy { $0 == 0 || $0 == 0xFF }
                }
                slackLength += window.count - index
                return window.count
            }
        }
    }

    private var missingDelimiter: Finding.Rule {
        switch top.kind {
        case .root, .item: .missingItemDelimiter
        case .sequence, .fragments: .missingSequenceDelimiter
        }
    }

    /// After a value of odd length there may be a byte of padding that the length does not count.
    private mutating func passPadding(
        _ window: UnsafeRawBufferPointer, _ index: inout Int, _ base: Int, isFinal: Bool, letters: UnsafePointer<VR?>
    ) throws(DataSetReadError) -> Bool {
        let available = window.count - index
        if available < 9, !isFinal, base + index + 9 <= top.end {
            needed = 9
            return false
        }
        isAfterOddLength = false
        if isPlausible(window, index, base, isFinal: isFinal, letters: letters) { return true }
        guard available > 0, isPlausible(window, index + 1, base, isFinal: isFinal, letters: letters) else {
            return true
        }
        try note(.paddedOddLength, nil, at: base + index)
        index += 1
        return true
    }

    // MARK: - Elements

    private mutating func readElement(
        _ window: UnsafeRawBufferPointer, _ index: inout Int, _ base: Int, isFinal: Bool, letters: UnsafePointer<VR?>
    ) throws(DataSetReadError) -> Bool {
        let tag = window.tag(index, top.encoding)
        let here = base + index
        if tag.group == 0xFFFE { return try readDelimiter(tag, window, &index, here) }
        if frames.isEmpty, tag.rawValue == 0 || tag.rawValue == .max, elementCount > 0 {
            state = .slack
            return true
        }

        // 1. The header. The regular ones are read here, all others by looking ahead.
        var encoding = top.encoding
        var vr: VR?
        var length: UInt32
        var header = 8
        if encoding.isImplicit {
            length = window.littleEndian32(index + 4)
            vr = implicitVR(tag)
        } else {
            vr = VRTable.vr(window[index + 4], window[index + 5], in: letters)
            var isRegular = vr != nil
            if let vr, !vr.hasLongHeader {
                length = UInt32(window.uint16(index + 6, encoding))
            } else {
                let available = window.count - index
                if available < 12, !isFinal {
                    needed = 12
                    return false
                }
                header = 12
                length = available < 12 ? 0 : window.uint32(index + 8, encoding)
                isRegular =
                    isRegular && available >= 12 && window[index + 6] == 0 && window[index + 7] == 0
                    && (length == undefinedLength || Int(length) <= top.end - here - 12)
                if isRegular, length > 0xFFFF, length != undefinedLength {
                    guard available >= 14 || isFinal else {
                        needed = 14
                        return false
                    }
                    isRegular = available < 14 || !isNextHeader(window, index + 8, behind: tag, letters: letters)
                }
            }
            if !isRegular {
                guard
                    let found = try resolveHeader(
                        tag, vr, window, index, base, isFinal: isFinal, letters: letters)
                else { return false }
                header = found.header
                length = found.length
                vr = found.vr
                if found.isImplicit { encoding = .implicitLittleEndian }
            }
        }
        let valueOffset = here + header

        // 2. Tags that cannot be.
        if tag.isPrivate {
            if tag.group < 8 || tag.group == 0xFFFF {
                guard length == 0 else { throw DataSetReadError(.invalidTag(tag), at: here) }
                try note(.skippedTag, tag, at: here)
                index += header
                return true
            }
        }

        // 3. Undefined lengths: sequences, and pixel data in fragments.
        if length == undefinedLength {
            return try readUndefined(tag, vr, encoding, header, window, &index, here, isFinal: isFinal)
        }

        // 4. Values. Group lengths, padding and strays of groups 0000 and 0002 are passed over.
        var count = Int(length)
        if count > top.end - valueOffset {
            guard top.kind == .item, vr?.isText == true, valueOffset <= top.end else {
                throw DataSetReadError(.lengthOverflow, at: here)
            }
            try note(.clampedLength, tag, at: here)
            count = top.end - valueOffset
        }
        let known = vr ?? .UN
        if tag.isGroupLength || tag == .dataSetTrailingPadding || tag.group == 2 || tag.group == 0 {
            // At its beginning they would pass for file meta information as soon as the data set is in another file.
            if elementCount == 0, tag.group <= 2 { throw DataSetReadError(.invalidTag(tag), at: here) }
            headerBytes += header
            try admit(tag, at: here)
            if tag.group <= 2 { try note(.skippedTag, tag, at: here) }
            index += header
            finishValue(count, isWanted: false)
            return true
        }
        let element = ElementStart(tag: tag, vr: known, encoding: encoding, offset: valueOffset, length: count)
        if known == .SQ {
            try admit(tag, at: here)
            index += header
            try open(
                element, end: valueOffset + count, isUndefined: false, encoding: encoding,
                detects: encoding != top.encoding)
            return true
        }
        if known == .UN || tag.rawValue == 0x7FE0_0010 {
            let hidden = try hiddenContent(
                element, isLabelled: vr != nil, window, index + header, isFinal: isFinal)
            switch hidden {
            case .unknown:
                return false
            case .sequence:
                try note(.unlabelledSequence, tag, at: here)
                try admit(tag, at: here)
                index += header
                var sequence = element
                sequence.vr = .SQ
                try open(
                    sequence, end: valueOffset + count, isUndefined: false, encoding: .implicitLittleEndian,
                    detects: false)
                return true
            case .fragments:
                try note(.mislabelledPixelData, tag, at: here)
                try admit(tag, at: here)
                index += header
                try openFragments(element, end: valueOffset + count, isUndefined: false)
                return true
            case .none:
                break
            }
        }
        let available = window.count - index - header
        if count <= available {
            try admit(tag, at: here)
            let start = index + header
            visitor.value(element, window.part(start, start + count))
            index = start + count
            if count & 1 != 0 {
                try note(.oddLength, tag, at: here)
                isAfterOddLength = true
            }
            return true
        }
        guard count > Self.wholeValue || (isFinal && mayBeCut(tag)) else {
            needed = header + count
            // At the end of the stream this is what the caller sees as truncated.
            return false
        }
        try admit(tag, at: here)
        let isWanted = visitor.beginValue(element)
        index += header
        if count & 1 != 0 {
            try note(.oddLength, tag, at: here)
            isAfterOddLength = true
        }
        state = .value(remaining: count, isWanted: isWanted)
        return true
    }

    private mutating func finishValue(_ count: Int, isWanted: Bool) {
        isAfterOddLength = count & 1 != 0
        if count > 0 { state = .value(remaining: count, isWanted: isWanted) }
    }

    private mutating func readUndefined(
        _ tag: Tag, _ vr: VR?, _ encoding: ElementEncoding, _ header: Int, _ window: UnsafeRawBufferPointer,
        _ index: inout Int, _ here: Int, isFinal: Bool
    ) throws(DataSetReadError) -> Bool {
        var element = ElementStart(tag: tag, vr: vr ?? .UN, encoding: encoding, offset: here + header, length: nil)
        let isPixelData = tag.rawValue == 0x7FE0_0010
        if isPixelData || (!encoding.isImplicit && (vr == .OB || vr == .OW)) {
            if encoding.isImplicit, isPixelData { element.vr = .OB }
            try admit(tag, at: here)
            if isPixelData, !isEncapsulated, frames.isEmpty { try note(.mislabelledPixelData, tag, at: here) }
            index += header
            try openFragments(element, end: top.end, isUndefined: true)
            return true
        }
        let isSequence = vr == .SQ || vr == .UN || encoding.isImplicit
        if !isSequence {
            let available = window.count - index - header
            guard available >= 4 else {
                if isFinal { throw DataSetReadError(.undefinedLength, at: here) }
                needed = header + 4
                return false
            }
            guard window.tag(index + header, encoding) == .item else {
                throw DataSetReadError(.undefinedLength, at: here)
            }
        }
        if vr != .SQ, !encoding.isImplicit, vr != .UN { try note(.unlabelledSequence, tag, at: here) }
        try admit(tag, at: here)
        index += header
        // The content of UN is implicit VR little endian, whatever is around it (PS3.5 6.2.2 note 2).
        let isUnknown = vr == .UN && !encoding.isImplicit
        element.vr = .SQ
        try open(
            element, end: top.end, isUndefined: true, encoding: isUnknown ? .implicitLittleEndian : encoding,
            detects: isUnknown || encoding != top.encoding || top.detectsEncoding)
        return true
    }

    /// VR of an element without one: the dictionary's; `nil` when it has none. Where the dictionary leaves OB or OW,
    /// implicit VR means OW (PS3.5 A.1).
    private func implicitVR(_ tag: Tag) -> VR? {
        guard let vr = DataDictionary.standard.vr(for: tag) else { return nil }
        return vr == .OB && DataDictionary.standard.vrs(for: tag)?.1 == .OW ? .OW : vr
    }

    // MARK: - Irregular headers

    private struct FoundHeader {
        var header: Int
        var length: UInt32
        var vr: VR?
        var isImplicit: Bool
    }

    /// Reads a header that is not as its VR demands: tries the ways it may be meant and takes the first behind which
    /// the next header makes sense. Looks a bounded number of bytes ahead; `nil` asks for them.
    private mutating func resolveHeader(
        _ tag: Tag, _ vr: VR?, _ window: UnsafeRawBufferPointer, _ index: Int, _ base: Int, isFinal: Bool,
        letters: UnsafePointer<VR?>
    ) throws(DataSetReadError) -> FoundHeader? {
        let here = base + index
        let available = window.count - index
        let areLetters = VRTable.areLetters(window[index + 4], window[index + 5])
        let short = FoundHeader(
            header: 8, length: UInt32(window.uint16(index + 6, top.encoding)),
            vr: vr ?? DataDictionary.standard.vr(for: tag), isImplicit: false)
        var candidates: [(FoundHeader, Finding.Rule?)] = []
        if areLetters {
            if available >= 12 {
                let length = window.uint32(index + 8, top.encoding)
                let long = FoundHeader(header: 12, length: length, vr: vr, isImplicit: false)
                let isReserved = window[index + 6] != 0 || window[index + 7] != 0
                candidates.append((long, vr == nil ? .unknownVR : isReserved ? .reservedBytesSet : nil))
            }
            candidates.append((short, .shortLengthField))
        } else {
            let length = window.littleEndian32(index + 4)
            if !top.encoding.isBigEndian {
                candidates.append(
                    (FoundHeader(header: 8, length: length, vr: implicitVR(tag), isImplicit: true), .missingVR))
            }
            if short.vr?.hasLongHeader == true, available >= 12, window[index + 6] == 0, window[index + 7] == 0 {
                let length = window.uint32(index + 8, top.encoding)
                candidates.append(
                    (FoundHeader(header: 12, length: length, vr: short.vr, isImplicit: false), .missingVR))
            }
            candidates.append((short, .missingVR))
        }
        for (found, rule) in candidates {
            switch probe(found, window, index, base, isFinal: isFinal, letters: letters) {
            case .fits:
                if let rule { try note(rule, tag, at: here) }
                return found
            case .needs(let count):
                needed = count
                return nil
            case .fails, .isOutOfReach:
                continue
            }
        }
        // Nothing could be proved: take the regular reading if it may be right, for its value is beyond the look-ahead.
        guard let (found, rule) = candidates.first else { throw DataSetReadError(.truncated, at: here) }
        let isKnownForm = areLetters && (vr == nil || found.header == 12)
        if available < 12, areLetters, vr?.hasLongHeader == true {
            throw DataSetReadError(.truncated, at: here)
        }
        guard found.length == undefinedLength || Int(found.length) <= top.end - here - found.header else {
            throw DataSetReadError(.lengthOverflow, at: here)
        }
        guard isKnownForm || found.isImplicit else { throw DataSetReadError(.invalidVR, at: here) }
        guard Int(found.length) + found.header > Self.lookAhead || vr != nil else {
            throw DataSetReadError(.invalidVR, at: here)
        }
        if let rule { try note(rule, tag, at: here) }
        return found
    }

    /// Whether a length field is in truth the tag of the next element: of a VR with a long header, some writers leave an
    /// empty value only the short one.
    private func isNextHeader(
        _ window: UnsafeRawBufferPointer, _ index: Int, behind tag: Tag, letters: UnsafePointer<VR?>
    ) -> Bool {
        let next = window.tag(index, top.encoding)
        guard next > tag, let vr = VRTable.vr(window[index + 4], window[index + 5], in: letters) else { return false }
        return DataDictionary.standard.vr(for: next) == vr
    }

    private enum Probe { case fits, fails, isOutOfReach, needs(Int) }

    private func probe(
        _ found: FoundHeader, _ window: UnsafeRawBufferPointer, _ index: Int, _ base: Int, isFinal: Bool,
        letters: UnsafePointer<VR?>
    ) -> Probe {
        let available = window.count - index
        if found.length == undefinedLength {
            guard available >= found.header + 4 else { return isFinal ? .fails : .needs(found.header + 4) }
            let tag = window.tag(index + found.header, found.isImplicit ? .implicitLittleEndian : top.encoding)
            return tag == .item || tag == .sequenceDelimitationItem ? .fits : .fails
        }
        let total = found.header + Int(found.length)
        guard total <= top.end - base - index else { return .fails }
        guard total <= Self.lookAhead else { return .isOutOfReach }
        if total == top.end - base - index { return .fits }
        if available < total + 9, !isFinal { return .needs(total + 9) }
        guard available >= total else { return .fails }
        if isPlausible(window, index + total, base, isFinal: isFinal, letters: letters) { return .fits }
        guard total & 1 != 0, isPlausible(window, index + total + 1, base, isFinal: isFinal, letters: letters) else {
            return .fails
        }
        return .fits
    }

    /// Whether a header, or the end of what is being read, may be at this place.
    private func isPlausible(
        _ window: UnsafeRawBufferPointer, _ index: Int, _ base: Int, isFinal: Bool, letters: UnsafePointer<VR?>
    ) -> Bool {
        let available = window.count - index
        guard available >= 0, base + index < top.end else { return base + index == top.end }
        guard available >= 8 else {
            return isFinal && frames.isEmpty && window[index...].allSatisfy { $0 == 0 || $0 == 0xFF }
        }
        let tag = window.tag(index, top.encoding)
        if tag.group == 0xFFFE {
            return tag == .item || tag == .itemDelimitationItem || tag == .sequenceDelimitationItem
        }
        if tag.rawValue == 0 || tag.rawValue == .max { return frames.isEmpty }
        guard top.kind == .root || top.kind == .item, tag.group >= 8 else { return false }
        if !top.encoding.isImplicit, VRTable.vr(window[index + 4], window[index + 5], in: letters) != nil {
            return true
        }
        // Without a VR the order of tags and the length have to do.
        let length = window.littleEndian32(index + 4)
        guard tag.rawValue > top.lastTag else { return false }
        return length == undefinedLength
            || Int(length) <= min(top.end - base - index - 8, top.encoding.isImplicit ? 1 << 28 : Self.lookAhead)
    }

    // MARK: - Content that the header does not tell

    private enum HiddenContent { case none, sequence, fragments, unknown }

    /// Whether a value of unknown VR is a sequence, or pixel data with a defined length is encapsulated.
    private mutating func hiddenContent(
        _ element: ElementStart, isLabelled: Bool, _ window: UnsafeRawBufferPointer, _ start: Int, isFinal: Bool
    ) throws(DataSetReadError) -> HiddenContent {
        let count = element.length ?? 0
        guard count >= 8 else { return .none }
        let available = window.count - start
        if element.tag.rawValue == 0x7FE0_0010 {
            guard isEncapsulated, frames.isEmpty else { return .none }
            guard available >= 4 else {
                needed = 12 + 4
                return isFinal ? .none : .unknown
            }
            if window.tag(start, element.encoding) == .item { return .fragments }
            try note(.mislabelledPixelData, element.tag, at: element.offset)
            return .none
        }
        // A gateway has lost the VR of a known sequence, or implicit VR has none for a private one.
        guard element.vr == .UN, count <= Self.lookAhead else { return .none }
        let isImplicit = element.encoding.isImplicit
        guard isImplicit || DataDictionary.standard.vr(for: element.tag) == .SQ else { return .none }
        guard available >= 4 else {
            needed = 12 + 4
            return isFinal ? .none : .unknown
        }
        guard window.tag(start, .implicitLittleEndian) == .item else { return .none }
        guard available >= count else {
            needed = count + 12
            return isFinal ? .none : .unknown
        }
        return ImplicitItems.canBeRead(window.part(start, start + count)) ? .sequence : .none
    }

    // MARK: - Items, fragments and delimiters

    private mutating func readDelimiter(
        _ tag: Tag, _ window: UnsafeRawBufferPointer, _ index: inout Int, _ here: Int
    ) throws(DataSetReadError) -> Bool {
        let length = window.uint32(index + 4, top.encoding)
        let isInUndefinedItem = top.kind == .item && top.isUndefined
        switch tag {
        case .itemDelimitationItem where isInUndefinedItem:
            if length != 0 { try note(.delimiterLength, tag, at: here) }
            index += 8
            close()
        case .sequenceDelimitationItem where isInUndefinedItem, .item where isInUndefinedItem:
            // The item's delimiter is missing; the sequence reads this one.
            try note(.missingItemDelimiter, nil, at: here)
            close()
        case .itemDelimitationItem, .sequenceDelimitationItem:
            try note(.strayDelimiter, tag, at: here)
            index += 8
        default:
            guard length == 0 else { throw DataSetReadError(.invalidTag(tag), at: here) }
            try note(.skippedTag, tag, at: here)
            index += 8
        }
        return true
    }

    private mutating func readItem(
        _ window: UnsafeRawBufferPointer, _ index: inout Int, _ base: Int, isFinal: Bool, letters: UnsafePointer<VR?>
    ) throws(DataSetReadError) -> Bool {
        let here = base + index
        let tag = window.tag(index, top.encoding)
        let length = window.uint32(index + 4, top.encoding)
        switch tag {
        case .item:
            break
        case .sequenceDelimitationItem where top.isUndefined:
            if length != 0 { try note(.delimiterLength, tag, at: here) }
            index += 8
            close()
            return true
        case .itemDelimitationItem, .sequenceDelimitationItem:
            try note(.strayDelimiter, tag, at: here)
            index += 8
            return true
        default:
            guard length == 0 else { throw DataSetReadError(.invalidItem, at: here) }
            try note(.skippedNonItem, tag, at: here)
            index += 8
            return true
        }
        var encoding = top.encoding
        if top.detectsEncoding, length != 0 {
            guard window.count - index >= 14 || isFinal else {
                needed = 14
                return false
            }
            encoding = detectedEncoding(window, index + 8, letters: letters)
            if encoding != top.encoding { try note(.explicitItemInImplicit, nil, at: here) }
        }
        itemCount += 1
        guard itemCount <= limits.items else {
            throw DataSetReadError(.tooManyItems(limit: limits.items), at: here)
        }
        let isUndefined = length == undefinedLength
        var end = top.end
        if !isUndefined {
            guard Int(length) <= top.end - here - 8 else { throw DataSetReadError(.lengthOverflow, at: here) }
            end = here + 8 + Int(length)
        }
        index += 8
        frames.append(top)
        top = Frame(
            kind: .item, encoding: encoding, isUndefined: isUndefined, detectsEncoding: top.detectsEncoding, end: end,
            lastTag: 0)
        visitor.beginItem()
        return true
    }

    /// Inside UN and mixed content, letters of a VR where one belongs say that the item is explicit.
    private func detectedEncoding(
        _ window: UnsafeRawBufferPointer, _ index: Int, letters: UnsafePointer<VR?>
    ) -> ElementEncoding {
        guard window.count - index >= 6, let vr = VRTable.vr(window[index + 4], window[index + 5], in: letters) else {
            return .implicitLittleEndian
        }
        let tag = window.tag(index, .implicitLittleEndian)
        guard vr != .UN, let known = DataDictionary.standard.vr(for: tag) else { return .explicitLittleEndian }
        let isKnown = known == vr || DataDictionary.standard.vrs(for: tag)?.1 == vr
        return isKnown ? .explicitLittleEndian : .implicitLittleEndian
    }

    private mutating func readFragment(
        _ window: UnsafeRawBufferPointer, _ index: inout Int, _ base: Int, isFinal: Bool, letters: UnsafePointer<VR?>
    ) throws(DataSetReadError) -> Bool {
        let here = base + index
        let tag = window.tag(index, top.encoding)
        let length = window.uint32(index + 4, top.encoding)
        guard tag == .item else {
            if tag == .sequenceDelimitationItem {
                if length != 0 { try note(.delimiterLength, tag, at: here) }
                index += 8
                if top.isUndefined { close() }
                return true
            }
            if tag == .itemDelimitationItem || length == 0 {
                try note(.strayDelimiter, tag, at: here)
                index += 8
                return true
            }
            // Another element where the delimiter should be.
            let isElement =
                tag.rawValue > top.lastTag && tag.group != 0xFFFE && top.isUndefined && fragmentCount > 0
                && VRTable.vr(window[index + 4], window[index + 5], in: letters) != nil
            guard isElement else { throw DataSetReadError(.invalidItem, at: here) }
            try note(.missingSequenceDelimiter, nil, at: here)
            close()
            return true
        }
        guard length != undefinedLength else { throw DataSetReadError(.undefinedLength, at: here) }
        let count = Int(length)
        guard count <= top.end - here - 8 else { throw DataSetReadError(.lengthOverflow, at: here) }
        let shown = min(count, 8)
        guard window.count - index >= 8 + shown else {
            needed = 8 + shown
            return false
        }
        var head: UInt32 = 0
        for place in 0..<4 {
            head = head << 8 | (place < count ? UInt32(window[index + 8 + place]) : 0)
        }
        if fragmentCount == 0 {
            fragmentCount = 1
            let second = count >= 8 ? window.littleEndian32(index + 12) : 0
            if count == 0 || (count % 4 == 0 && !Self.isCodestream(head, second)) {
                index += 8
                state = .offsetTable(remaining: count)
                return true
            }
            try note(.missingOffsetTable, nil, at: here)
            fragmentsOrigin = here
        }
        itemCount += 1
        guard itemCount <= limits.items else {
            throw DataSetReadError(.tooManyItems(limit: limits.items), at: here)
        }
        index += 8
        let isWanted = visitor.fragment(offset: here + 8, length: count, head: head)
        if count == 0 {
            if isWanted { visitor.endValue() }
        } else {
            state = .value(remaining: count, isWanted: isWanted)
        }
        isAfterOddLength = count & 1 != 0
        return true
    }

    /// Whether the first item is no offset table but already a frame: JPEG, JPEG 2000, JP2 and JPEG XL, MPEG, RLE.
    private static func isCodestream(_ head: UInt32, _ second: UInt32) -> Bool {
        switch head {
        case 0x0000_000C, 0x0000_01B3, 0x0000_0001: return true
        default: break
        }
        switch head >> 16 {
        case 0xFFD8, 0xFF4F, 0xFF0A: return true
        default: break
        }
        // The RLE header: number of segments, then the offset 64 of the first (PS3.5 G.5).
        return head & 0x00FF_FFFF == 0 && (1...15).contains(head >> 24) && second == 64
    }

    // MARK: - Frames

    private mutating func open(
        _ element: ElementStart, end: Int, isUndefined: Bool, encoding: ElementEncoding, detects: Bool
    ) throws(DataSetReadError) {
        guard depth < limits.depth else {
            throw DataSetReadError(.nestingTooDeep(limit: limits.depth), at: element.offset)
        }
        depth += 1
        frames.append(top)
        top = Frame(
            kind: .sequence, encoding: encoding, isUndefined: isUndefined, detectsEncoding: detects, end: end,
            lastTag: element.tag.rawValue)
        visitor.beginSequence(element)
    }

    private mutating func openFragments(
        _ element: ElementStart, end: Int, isUndefined: Bool
    ) throws(DataSetReadError) {
        guard depth < limits.depth else {
            throw DataSetReadError(.nestingTooDeep(limit: limits.depth), at: element.offset)
        }
        depth += 1
        frames.append(top)
        top = Frame(
            kind: .fragments, encoding: element.encoding, isUndefined: isUndefined, detectsEncoding: false, end: end,
            lastTag: element.tag.rawValue)
        fragmentCount = 0
        fragmentsOrigin = element.offset
        visitor.beginFragments(element)
    }

    private mutating func close() {
        switch top.kind {
        case .root: return
        case .item: visitor.endItem()
        case .sequence:
            visitor.endSequence()
            depth -= 1
        case .fragments:
            visitor.endFragments(origin: fragmentsOrigin)
            depth -= 1
        }
        isAfterOddLength = false
        if let frame = frames.popLast() { top = frame }
    }

    /// Counts an element that is about to be shown, once, and looks at its place.
    @inline(__always)
    private mutating func admit(_ tag: Tag, at here: Int) throws(DataSetReadError) {
        elementCount += 1
        guard elementCount <= limits.elements else {
            throw DataSetReadError(.tooManyElements(limit: limits.elements), at: here)
        }
        if tag.isPrivate {
            privateCount += 1
            guard privateCount <= limits.privateElements else {
                throw DataSetReadError(.tooManyElements(limit: limits.privateElements), at: here)
            }
        }
        if tag.rawValue <= top.lastTag, top.lastTag != 0 {
            try note(tag.rawValue == top.lastTag ? .duplicateTag : .tagsOutOfOrder, tag, at: here)
        }
        top.lastTag = tag.rawValue
    }

    /// Reports what was found, or stops if the rules do not accept it.
    mutating func note(_ rule: Finding.Rule, _ tag: Tag?, at here: Int? = nil) throws(DataSetReadError) {
        guard rules.accepts(rule) else { throw DataSetReadError(.notAllowed(rule), at: here ?? offset) }
        if findings.count < Self.findingLimit { findings.append(Finding(rule, tag: tag, offset: here)) }
    }
}
