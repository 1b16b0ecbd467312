import DICOMCore

/// What a piece of text holds beyond plain ASCII, found in one pass of eight bytes at a time.
struct TextTraits: OptionSet {
    let rawValue: UInt8
    /// Bytes above 7F.
    static let nonASCII = TextTraits(rawValue: 1)
    /// Control characters or quotation marks.
    static let special = TextTraits(rawValue: 2)
    static let backslash = TextTraits(rawValue: 4)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    @inline(__always)
    init(of text: UnsafeRawBufferPointer) {
        var found = Words()
        if text.count >= 8 {
            var index = 0
            while index &+ 8 < text.count {
                found.look(at: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index &+= 8
            }
            found.look(at: text.loadUnaligned(fromByteOffset: text.count &- 8, as: UInt64.self))
        } else {
            // Spaces in the upper bytes are neither of the three.
            var word: UInt64 = 0x2020_2020_2020_2020
            for byte in text { word = word << 8 | UInt64(byte) }
            found.look(at: word)
        }
        self = found.traits
    }

    private struct Words {
        var nonASCII: UInt64 = 0
        var special: UInt64 = 0
        var backslash: UInt64 = 0

        @inline(__always)
        mutating func look(at word: UInt64) {
            nonASCII |= word
            special |= (word &- 0x2020_2020_2020_2020) & ~word
            special |= Words.zeros(word ^ 0x2222_2222_2222_2222)
            backslash |= Words.zeros(word ^ 0x5C5C_5C5C_5C5C_5C5C)
        }

        /// The top bit of the lowest byte that is zero, and maybe of bytes above it; 0 in all top bits if none is.
        @inline(__always)
        static func zeros(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word }

        @inline(__always)
        var traits: TextTraits {
            let top: UInt64 = 0x8080_8080_8080_8080
            return TextTraits(
                rawValue: (nonASCII & top != 0 ? 1 : 0) | (special & top != 0 ? 2 : 0) | (backslash & top != 0 ? 4 : 0))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Without trailing spaces and NULs, and without leading spaces where those mean nothing (PS3.5 6.2).
    @inline(__always)
    func trimmed(as vr: VR) -> UnsafeRawBufferPointer {
        var low = 0
        var high = count
        while high > low, self[high &- 1] == 0x20 || self[high &- 1] == 0 { high &-= 1 }
        if !vr.keepsLeadingSpaces {
            while low < high, self[low] == 0x20 { low &+= 1 }
        }
        return slice(low, high)
    }

    /// The bytes from `low` up to `high`.
    @inline(__always)
    func slice(_ low: Int, _ high: Int) -> UnsafeRawBufferPointer { .init(rebasing: self[low..<high]) }

    /// Offset of the first such byte at or behind `start`.
    @inline(__always)
    func firstOffset(of byte: UInt8, from start: Int = 0) -> Int? {
        var index = start
        while index < count {
            if self[index] == byte { return index }
            index &+= 1
        }
        return nil
    }

    /// Whether the bytes are well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629).
    var isValidUTF8: Bool {
        var index = 0
        while index < count {
            let lead = self[index]
            if lead < 0x80 {
                let isWord = count &- index >= 8
                let isASCII =
                    isWord && loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                index &+= isASCII ? 8 : 1
                continue
            }
            let length: Int
            var low: UInt8 = 0x80
            var high: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, low) = (3, 0xA0)
            case 0xED: (length, high) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, low) = (4, 0x90)
            case 0xF4: (length, high) = (4, 0x8F)
            case 0xF1...0xF3: length = 4
            default: return false
            }
            guard count &- index >= length, (low...high).contains(self[index &+ 1]) else { return false }
            var next = index &+ 2
            while next < index &+ length {
                guard self[next] & 0xC0 == 0x80 else { return false }
                next &+= 1
            }
            index = next
        }
        return true
    }
}

extension VR {
    /// Whether spaces in front of the text belong to it (PS3.5 6.2).
    @inline(__always)
    var keepsLeadingSpaces: Bool {
        switch self {
        case .LT, .ST, .UC, .UT: true
        default: false
        }
    }
}

extension SpecificCharacterSet {
    /// Whether text that is valid UTF-8 is just that: the set is UTF-8, or none is named.
    var readsAsUTF8: Bool { terms.isEmpty || terms == SpecificCharacterSet.utf8.terms }
}
