/// What the defined terms come down to.
enum Repertoire: Hashable, Sendable {
    case utf8
    /// GB18030, GBK and the like, without code extensions.
    case multiByte(CharacterConverter.Encoding)
    /// Everything else; escapes are followed whether declared or not.
    case codeExtensions(ISO2022Decoder.State)

    /// One defined term (PS3.3 Tables C.12-2 to C.12-5).
    enum Term {
        case utf8
        case multiByte(CharacterConverter.Encoding)
        case set(CodeSet)

        init?(_ term: String) {
            // Letter case and separators differ in the field.
            var letters = String(
                decoding: term.utf8.compactMap { byte -> UInt8? in
                    switch byte {
                    case 0x61...0x7A: byte - 0x20
                    case 0x30...0x39, 0x41...0x5A: byte
                    default: nil
                    }
                }, as: UTF8.self)
            switch letters {
            case "UTF8", "UNICODE": self = .utf8
            case "GB18030", "GBK", "GB2312", "CP936": self = .multiByte(letters == "GB18030" ? .gb18030 : .gbk)
            case "SHIFTJIS", "SJIS", "CP932", "WINDOWS31J": self = .multiByte(.shiftJIS)
            case "ASCII", "USASCII": self = .set(.ascii)
            default:
                if let alias = Self.aliases[letters] { letters = alias }
                for prefix in ["ISO2022IR", "ISOIR", "IR"] where letters.hasPrefix(prefix) {
                    letters.removeFirst(prefix.count)
                    break
                }
                guard let number = Int(letters) else { return nil }
                if number == 192 {
                    self = .utf8
                } else if let set = CodeSet(registration: number) {
                    self = .set(set)
                } else {
                    return nil
                }
            }
        }

        private static let aliases = [
            "LATIN1": "100", "LATIN2": "101", "LATIN3": "109", "LATIN4": "110", "LATIN5": "148", "LATIN9": "203",
            "ISO88591": "100", "ISO88592": "101", "ISO88593": "109", "ISO88594": "110", "ISO88595": "144",
            "ISO88596": "127", "ISO88597": "126", "ISO88598": "138", "ISO88599": "148", "ISO885911": "166",
            "ISO885915": "203", "CYRILLIC": "144", "ARABIC": "127", "GREEK": "126", "HEBREW": "138", "THAI": "166",
        ]
    }

    init(terms: [String]) {
        let terms = terms.map(Term.init)
        for case .some(let term) in terms {
            switch term {
            case .utf8:
                self = .utf8
                return
            case .multiByte(let encoding):
                self = .multiByte(encoding)
                return
            case .set: continue
            }
        }
        var state = ISO2022Decoder.State()
        if case .some(.some(.set(let first))) = terms.first {
            if first == .katakana { state.g0 = .romaji }
            if first.isUpperHalf { state.g1 = first }
        }
        // A writer that never escapes to its only other set still means it.
        for case .some(.set(let set)) in terms where state.assumedG1 == nil && set.isUpperHalf {
            state.assumedG1 = set
        }
        self = .codeExtensions(state)
    }
}

/// A set of graphic characters that ISO 2022 can designate (PS3.3 Tables C.12-3 and C.12-4).
enum CodeSet: UInt8, Hashable, Sendable, CaseIterable {
    case ascii, romaji, katakana
    case latin1, latin2, latin3, latin4, cyrillic, arabic, greek, hebrew, latin5, thai, latin9
    case jisX0208, jisX0212, ksX1001, gb2312

    /// By the number in the ISO registry that the defined terms carry.
    init?(registration: Int) {
        switch registration {
        case 6: self = .ascii
        case 13: self = .katakana
        case 14: self = .romaji
        case 58: self = .gb2312
        case 87: self = .jisX0208
        case 100: self = .latin1
        case 101: self = .latin2
        case 109: self = .latin3
        case 110: self = .latin4
        case 126: self = .greek
        case 127: self = .arabic
        case 138: self = .hebrew
        case 144: self = .cyrillic
        case 148: self = .latin5
        case 149: self = .ksX1001
        case 159: self = .jisX0212
        case 166: self = .thai
        case 203: self = .latin9
        default: return nil
        }
    }

    /// Whether the set goes to G1, bytes above 7F.
    var isUpperHalf: Bool {
        switch self {
        case .ascii, .romaji, .jisX0208, .jisX0212: false
        default: true
        }
    }

    /// Whether a character takes two bytes.
    var isDoubleByte: Bool { rawValue >= CodeSet.jisX0208.rawValue }

    /// What follows ESC to designate the set where the standard puts it: G0 or G1.
    var escape: String {
        switch self {
        case .ascii: "(B"
        case .romaji: "(J"
        case .katakana: ")I"
        case .latin1: "-A"
        case .latin2: "-B"
        case .latin3: "-C"
        case .latin4: "-D"
        case .cyrillic: "-L"
        case .arabic: "-G"
        case .greek: "-F"
        case .hebrew: "-H"
        case .latin5: "-M"
        case .thai: "-T"
        case .latin9: "-b"
        case .jisX0208: "$B"
        case .jisX0212: "$(D"
        case .ksX1001: "$)C"
        case .gb2312: "$)A"
        }
    }

    /// The encoding in which a converter knows the set: the upper half of a single-byte one, or pairs above A0.
    var encoding: CharacterConverter.Encoding? {
        switch self {
        case .ascii, .romaji, .katakana, .latin1: nil
        case .latin2: .iso8859(2)
        case .latin3: .iso8859(3)
        case .latin4: .iso8859(4)
        case .cyrillic: .iso8859(5)
        case .arabic: .iso8859(6)
        case .greek: .iso8859(7)
        case .hebrew: .iso8859(8)
        case .latin5: .iso8859(9)
        case .thai: .iso8859(11)
        case .latin9: .iso8859(15)
        case .jisX0208, .jisX0212: .eucJP
        case .ksX1001: .eucKR
        case .gb2312: .eucCN
        }
    }
}
