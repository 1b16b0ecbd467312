import DICOMCore

/// Text values (PS3.18 F.2.3): trimmed, split at backslashes, made UTF-8.
extension DICOMJSONWriter {
    func writeText(
        _ raw: UnsafeRawBufferPointer, _ bytes: ArraySlice<UInt8>, _ vr: VR, _ characterSet: SpecificCharacterSet,
        into sink: inout ByteSink
    ) {
        let text = raw.trimmed(as: vr)
        guard !text.isEmpty else { return }
        let traits = TextTraits(of: text)
        if traits.isEmpty {
            // What nearly every value is: bytes that may stand in a JSON string as they are.
            sink.reserve(text.count &+ 16)
            sink.appendUnchecked(",\"Value\":[\"")
            sink.appendUnchecked(text)
            sink.appendUnchecked("\"]")
        } else if text.isReadable(traits, vr, characterSet) {
            sink.append(",\"Value\":[")
            if vr.isBackslashDelimited {
                let isPlain = traits == .backslash
                text.forEachValue { sink.append(value: $0.trimmed(as: vr), isPlain: isPlain, at: $1) }
            } else {
                sink.append(jsonString: text)
            }
            sink.append(0x5D)
        } else {
            writeValues(characterSet.decodeValues(bytes, vr: vr), into: &sink) {
                $0.append(value: $1.trimmed(as: vr), isPlain: false, at: $2)
            }
        }
    }

    /// PN: an object of the component groups that are not empty (PS3.18 F.2.3, PS3.5 6.2.1).
    func writeNames(
        _ raw: UnsafeRawBufferPointer, _ bytes: ArraySlice<UInt8>, _ characterSet: SpecificCharacterSet,
        into sink: inout ByteSink
    ) {
        let text = raw.trimmed(as: .PN)
        guard !text.isEmpty, !text.isOnlyDelimiters else { return }
        let traits = TextTraits(of: text)
        if text.isReadable(traits, .PN, characterSet) {
            sink.append(",\"Value\":[")
            let isPlain = traits.isDisjoint(with: [.special, .nonASCII])
            text.forEachValue { sink.append(name: $0, isPlain: isPlain, at: $1) }
            sink.append(0x5D)
        } else {
            writeValues(characterSet.decodeValues(bytes, vr: .PN), into: &sink) {
                $0.append(name: $1, isPlain: false, at: $2)
            }
        }
    }

    /// Values that had to be decoded; nothing when nothing is left of them.
    private func writeValues(
        _ values: [String], into sink: inout ByteSink, _ append: (inout ByteSink, UnsafeRawBufferPointer, Int) -> Void
    ) {
        guard values.count > 1 || values.first?.allSatisfy({ $0 == " " || $0 == "=" }) == false else { return }
        sink.append(",\"Value\":[")
        for (index, value) in values.enumerated() {
            var value = value
            value.withUTF8 { append(&sink, UnsafeRawBufferPointer($0), index) }
        }
        sink.append(0x5D)
    }

    /// DS and IS: the text itself as a number where a reader that prints the number gets the text back, else a string.
    func writeNumberStrings(
        _ raw: UnsafeRawBufferPointer, _ bytes: ArraySlice<UInt8>, _ vr: VR, _ characterSet: SpecificCharacterSet,
        into sink: inout ByteSink
    ) {
        let text = raw.trimmed(as: vr)
        guard !text.isEmpty else { return }
        let traits = TextTraits(of: text)
        guard traits.isDisjoint(with: [.special, .nonASCII]) else {
            return writeText(raw, bytes, vr, characterSet, into: &sink)
        }
        sink.append(",\"Value\":[")
        text.forEachValue { value, index in
            let number = value.trimmed(as: vr)
            let isNumber = vr == .IS ? IntegerString.isCanonical(number) : DecimalString.isCanonical(number)
            if isNumber {
                sink.reserve(number.count &+ 1)
                if index > 0 { sink.appendUnchecked(0x2C) }
                sink.appendUnchecked(number)
            } else {
                sink.append(value: number, isPlain: true, at: index)
            }
        }
        sink.append(0x5D)
    }
}

extension UnsafeRawBufferPointer {
    /// Calls `body` with each value between backslashes and its index from 0.
    @inline(__always)
    func forEachValue(_ body: (UnsafeRawBufferPointer, Int) -> Void) {
        var start = 0
        var index = 0
        while let end = firstOffset(of: 0x5C, from: start) {
            body(slice(start, end), index)
            start = end &+ 1
            index &+= 1
        }
        body(slice(start, count), index)
    }

    /// Whether there are more values between backslashes than that.
    func hasMoreValues(than limit: Int) -> Bool {
        var values = 1
        for byte in self where byte == 0x5C { values &+= 1 }
        return values > limit
    }

    /// Whether the bytes are UTF-8 in this character set, so that there is nothing to decode.
    @inline(__always)
    func isReadable(_ traits: TextTraits, _ vr: VR, _ characterSet: SpecificCharacterSet) -> Bool {
        if traits.contains(.nonASCII) {
            guard !vr.usesSpecificCharacterSet || characterSet.readsAsUTF8, isValidUTF8 else { return false }
        }
        // An escape sequence changes what the ASCII bytes behind it mean.
        return !traits.contains(.special) || firstOffset(of: 0x1B) == nil
    }

    /// Whether a person name has nothing but the delimiters of component groups.
    fileprivate var isOnlyDelimiters: Bool { allSatisfy { $0 == 0x3D } }
}

extension ByteSink {
    /// A trimmed text value of a list: a string, or `null` when nothing is left of it.
    @inline(__always)
    mutating func append(value: UnsafeRawBufferPointer, isPlain: Bool, at index: Int) {
        reserve(value.count &+ 8)
        if index > 0 { appendUnchecked(0x2C) }
        if value.isEmpty {
            appendUnchecked("null")
        } else if isPlain {
            appendUnchecked(0x22)
            appendUnchecked(value)
            appendUnchecked(0x22)
        } else {
            append(jsonString: value)
        }
    }

    /// A person name of a list: an object, or `null` when every component group is empty.
    mutating func append(name: UnsafeRawBufferPointer, isPlain: Bool, at index: Int) {
        let name = name.trimmed(as: .PN)
        if index > 0 { append(0x2C) }
        var start = 0
        var isOpen = false
        for group in 0..<3 where start <= name.count {
            // The standard ends at three groups; whatever follows stays with the third.
            let end = group == 2 ? name.count : name.firstOffset(of: 0x3D, from: start) ?? name.count
            let text = name.slice(start, end).trimmed(as: .PN)
            start = end &+ 1
            guard !text.isEmpty else { continue }
            append(isOpen ? 0x2C : 0x7B)
            isOpen = true
            switch group {
            case 0: append("\"Alphabetic\":")
            case 1: append("\"Ideographic\":")
            default: append("\"Phonetic\":")
            }
            append(value: text, isPlain: isPlain, at: 0)
        }
        append(isOpen ? "}" : "null")
    }

    /// A JSON string of UTF-8 bytes, with the escapes that must be (RFC 8259 7). NUL becomes U+FFFD.
    mutating func append(jsonString text: UnsafeRawBufferPointer) {
        reserve(text.count &* 6 &+ 2)
        appendUnchecked(0x22)
        for byte in text {
            switch byte {
            case 0x22, 0x5C:
                appendUnchecked(0x5C)
                appendUnchecked(byte)
            case 0x20...: appendUnchecked(byte)
            case 0x09: appendUnchecked("\\t")
            case 0x0A: appendUnchecked("\\n")
            case 0x0D: appendUnchecked("\\r")
            case 0: appendUnchecked("\u{FFFD}")
            default:
                appendUnchecked("\\u00")
                appendUnchecked(byte < 0x10 ? 0x30 : 0x31)
                let nibble = byte & 0xF
                appendUnchecked(nibble < 10 ? 0x30 &+ nibble : 0x37 &+ nibble)
            }
        }
        appendUnchecked(0x22)
    }
}
