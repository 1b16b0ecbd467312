import DICOMCore
import Testing

@Suite struct SpecificCharacterSetTests {
    private func decode(_ terms: String, _ bytes: [UInt8], _ vr: VR = .PN) -> String {
        SpecificCharacterSet(bytes: Array(terms.utf8)[...]).decode(bytes[...], vr: vr)
    }

    @Test(arguments: [
        Array("Müller^Jörg".utf8), Array("M".utf8) + [0xFC] + Array("ller^J".utf8) + [0xF6] + Array("rg".utf8),
    ])
    func `without a character set, bytes are UTF-8 if they can be, else Latin-1 (T1)`(bytes: [UInt8]) {
        #expect(decode("", bytes) == "Müller^Jörg")
        #expect(decode("ISO_IR 6", bytes) == "Müller^Jörg")
    }

    @Test(
        arguments: [
            ("ISO_IR 100", [0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72], "Müller"),
            ("ISO_IR 101", [0x44, 0x76, 0x6F, 0xF8, 0xE1, 0x6B], "Dvořák"),
            ("ISO_IR 109", [0xC6, 0x61, 0x70, 0x6F], "Ĉapo"),
            ("ISO_IR 110", [0xAA, 0x72, 0x69, 0x6B, 0x73], "Ēriks"),
            ("ISO_IR 144", [0xBB, 0xEE, 0xDA], "Люк"),
            ("ISO_IR 127", [0xE2, 0xC8, 0xC7, 0xE6, 0xEA], "قباني"),
            ("ISO_IR 126", [0xC4, 0xE9, 0xEF, 0xED, 0xF5, 0xF3, 0xE9, 0xEF, 0xF2], "Διονυσιος"),
            ("ISO_IR 138", [0xF9, 0xF8, 0xE5, 0xEF], "שרון"),
            ("ISO_IR 148", [0xC7, 0x61, 0xF0], "Çağ"),
            ("ISO_IR 203", [0xBC, 0x75, 0x76, 0x72, 0x65, 0xA4], "Œuvre€"),
            ("ISO_IR 166", [0xB9, 0xD2, 0xC1], "นาม"),
            ("ISO_IR 13", [0xD4, 0xCF, 0xC0, 0xDE], "ﾔﾏﾀﾞ"),
            ("GB18030", [0xCD, 0xF5, 0xD0, 0xA1, 0xB6, 0xAB], "王小东"),
            ("GBK", [0xCD, 0xF5, 0xD0, 0xA1, 0xB6, 0xAB], "王小东"),
            ("ISO_IR 192", Array("Žluť王".utf8), "Žluť王"),
            ("ISO IR 100", [0x4D, 0xFC], "Mü"), ("ISO-IR 100", [0x4D, 0xFC], "Mü"), ("iso_ir_100", [0x4D, 0xFC], "Mü"),
            ("latin1", [0x4D, 0xFC], "Mü"), ("ISO 2022 IR 100", [0x4D, 0xFC], "Mü"), ("ISO_2022_IR_101", [0xF8], "ř"),
            ("UTF8", Array("Žluť".utf8), "Žluť"), ("ISO_IR192", Array("Žluť".utf8), "Žluť"),
        ] as [(String, [UInt8], String)])
    func `every term and its sloppy spellings decode, and encode back (T2)`(
        term: String, bytes: [UInt8], text: String
    ) {
        #expect(decode(term, bytes) == text)
        #expect(decode(term, bytes, .LO) == text)
        #expect(SpecificCharacterSet(terms: [term]).encode(text) == bytes)
    }

    static let extensions: [(String, [UInt8], String)] = [
        (
            "\\ISO 2022 IR 87",
            Array(
                "Yamada^Tarou=\u{1B}$B;3ED\u{1B}(B^\u{1B}$BB@O:\u{1B}(B=\u{1B}$B$d$^$@\u{1B}(B^\u{1B}$B$?$m$&\u{1B}(B"
                    .utf8),
            "Yamada^Tarou=山田^太郎=やまだ^たろう"
        ),
        (
            "ISO 2022 IR 13\\ISO 2022 IR 87",
            [0xD4, 0xCF, 0xC0, 0xDE, 0x5E, 0xC0, 0xDB, 0xB3, 0x3D]
                + Array("\u{1B}$B;3ED\u{1B}(J^\u{1B}$BB@O:\u{1B}(J".utf8),
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"
        ),
        (
            "ISO 2022 IR 100\\ISO 2022 IR 144",
            [0x4D, 0xFC] + Array("ller^\u{1B}-L".utf8) + [0xBB, 0xEE, 0xDA], "Müller^Люк"
        ),
        (
            "\\ISO 2022 IR 149",
            Array("Hong^Gildong=\u{1B}$)C".utf8) + [0xFB, 0xF3] + Array("^\u{1B}$)C".utf8) + [0xD1, 0xCE, 0xD4, 0xD7]
                + Array("=\u{1B}$)C".utf8) + [0xC8, 0xAB] + Array("^\u{1B}$)C".utf8) + [0xB1, 0xE6, 0xB5, 0xBF],
            "Hong^Gildong=洪^吉洞=홍^길동"
        ),
        (
            "\\ISO 2022 IR 58",
            Array("Zhang^X=\u{1B}$)A".utf8) + [0xD5, 0xC5] + Array("^\u{1B}$)A".utf8) + [0xD0, 0xA1], "Zhang^X=张^小"
        ),
    ]

    @Test(arguments: extensions)
    func `code extensions are followed, and written the same way (T3)`(terms: String, bytes: [UInt8], text: String) {
        #expect(decode(terms, bytes) == text)
        #expect(SpecificCharacterSet(bytes: Array(terms.utf8)[...]).encode(text) == bytes)
    }

    @Test func `JIS X 0212 is a set of its own`() {
        #expect(decode("\\ISO 2022 IR 87\\ISO 2022 IR 159", Array("\u{1B}$(D0!\u{1B}(B".utf8)) == "丂")
    }

    @Test func `a forgotten return to ASCII ends at a delimiter or a line end (T4)`() {
        #expect(decode("\\ISO 2022 IR 87", Array("\u{1B}$B;3ED^\u{1B}$BB@O:".utf8)) == "山田^太郎")
        #expect(decode("\\ISO 2022 IR 87", Array("\u{1B}$B;3ED\r\nplain".utf8), .LT) == "山田\r\nplain")
    }

    @Test func `a set in G1 goes back to the first one at a delimiter (T4)`() {
        let bytes = Array("\u{1B}-L".utf8) + [0xBB, 0x5E, 0xFC]
        #expect(decode("ISO 2022 IR 100\\ISO 2022 IR 144", bytes) == "Л^ü")
        #expect(decode("ISO 2022 IR 100\\ISO 2022 IR 144", bytes, .LO) == "Л^ќ")
    }

    @Test func `an escape to a set that was not declared is followed (T5)`() {
        #expect(decode("ISO_IR 100", Array("\u{1B}$B;3ED\u{1B}(B".utf8) + [0xFC]) == "山田ü")
        #expect(decode("", Array("\u{1B}-L".utf8) + [0xBB]) == "Л")
    }

    @Test(arguments: ["ISO_IR 192\\ISO 2022 IR 100", "\\ISO_IR 192"])
    func `UTF-8 in a list counts for everything (T6)`(terms: String) {
        #expect(decode(terms, Array("Žluť=王".utf8)) == "Žluť=王")
    }

    @Test func `one escape may do for a whole Korean or Chinese value, or none (T7)`() {
        let korean: [UInt8] = [0xC8, 0xAB, 0x5E, 0xB1, 0xE6]
        #expect(decode("\\ISO 2022 IR 149", Array("\u{1B}$)C".utf8) + korean) == "홍^길")
        #expect(decode("\\ISO 2022 IR 149", korean) == "홍^길")
    }

    @Test func `a backslash byte within a character separates nothing (T8)`() {
        let gbk = SpecificCharacterSet(terms: ["GBK"])
        #expect(gbk.decodeValues([0x81, 0x5C, 0x5C, 0xCD, 0xF5], vr: .LO) == ["乗", "王"])
        #expect(SpecificCharacterSet(terms: ["GB18030"]).decodeValues([0x81, 0x5C], vr: .PN) == ["乗"])
        #expect(
            SpecificCharacterSet(terms: ["SHIFT_JIS"]).decodeValues([0x95, 0x5C, 0x5C, 0x41], vr: .LO) == ["表", "A"])
        let japanese = SpecificCharacterSet(terms: ["", "ISO 2022 IR 87"])
        #expect(japanese.decodeValues(Array("\u{1B}$B!@\\;3\u{1B}(B\\A".utf8)[...], vr: .LO).count == 2)
    }

    @Test func `in Japanese ASCII the backslash is a yen sign in text, and still the delimiter elsewhere`() {
        let romaji = SpecificCharacterSet(terms: ["ISO_IR 13"])
        #expect(romaji.decodeValues([0xD4, 0x5C, 0xCF], vr: .LO) == ["ﾔ", "ﾏ"])
        #expect(romaji.decode([0x5C, 0x31], vr: .LT) == "¥1")
    }

    @Test func `text in another set than declared is not guessed at (T9)`() {
        #expect(decode("ISO_IR 100", [0x57, 0x5E, 0xCD, 0xF5]) == "W^Íõ")
    }

    @Test func `identifiers and codes are not decoded with the character set (T10)`() {
        #expect(decode("ISO_IR 13", Array("A~B".utf8), .CS) == "A~B")
        #expect(decode("ISO_IR 144", [0xC3, 0xBC], .CS) == "ü")
    }

    @Test(
        arguments: [
            ("ISO_IR 100", [0x41, 0x00, 0x42], "A\u{FFFD}B"),
            ("ISO_IR 192", [0x41, 0x00, 0xFF, 0x42], "A\u{FFFD}\u{FFFD}B"),
            ("ISO_IR 100", [0x1B, 0x5B, 0x42], "\u{FFFD}[B"), ("", [0x41, 0x1B], "A\u{FFFD}"),
            ("GB18030", [0xCD, 0xF5, 0xFF, 0x5C], "王\u{FFFD}\\"), ("GBK", [0x41, 0xCD], "A\u{FFFD}"),
            ("\\ISO 2022 IR 87", [0x1B, 0x24, 0x42, 0x3B], "\u{FFFD}"), ("\\ISO 2022 IR 149", [0xC8], "\u{FFFD}"),
            ("ISO_IR 126", [0xFF], "\u{FFFD}"),
        ] as [(String, [UInt8], String)])
    func `what has no meaning becomes a replacement character (T11)`(terms: String, bytes: [UInt8], text: String) {
        #expect(decode(terms, bytes, .LT) == text)
    }

    @Test func `long names with many components are kept (T12)`() {
        let name = "A^B^C^D^E^F^" + String(repeating: "x", count: 80)
        #expect(decode("ISO_IR 100", Array(name.utf8)) == name)
    }

    @Test func `no bytes make decoding fail`() {
        var random = SystemRandomNumberGenerator()
        let terms = [
            "", "ISO_IR 13", "\\ISO 2022 IR 87\\ISO 2022 IR 149", "GB18030", "SJIS", "ISO_IR 192", "ISO_IR 166",
        ]
        for term in terms {
            for _ in 0..<300 {
                let bytes = (0..<40).map { _ in
                    Bool.random(using: &random)
                        ? UInt8.random(in: 0...255) : [0x1B, 0x24, 0x28, 0x29, 0x42, 0x5C].randomElement() ?? 0
                }
                let text = decode(term, bytes)
                #expect(!text.utf8.contains(0))
            }
        }
    }

    @Test func `padding is no part of the text, and leading blanks only where they mean something`() {
        let latin = SpecificCharacterSet(terms: ["ISO_IR 100"])
        #expect(latin.decodeValues(Array(" a \\ b\0".utf8)[...], vr: .LO) == ["a", "b"])
        #expect(latin.decodeValues(Array(" a \\ b ".utf8)[...], vr: .UC) == [" a", " b"])
        #expect(latin.decodeValues(Array(" a\\b ".utf8)[...], vr: .UT) == [" a\\b"])
        #expect(latin.decodeValues(Array("a\\\\b".utf8)[...], vr: .CS) == ["a", "", "b"])
        #expect(latin.decodeValues(Array("  ".utf8)[...], vr: .CS).isEmpty)
    }

    @Test func `text that a set lacks cannot be encoded`() {
        #expect(SpecificCharacterSet(terms: ["ISO_IR 100"]).encode("王") == nil)
        #expect(SpecificCharacterSet.default.encode("ü") == nil)
        #expect(SpecificCharacterSet.default.encode("u") == [0x75])
    }

    @Test func `the terms stay as they were`() {
        #expect(SpecificCharacterSet(bytes: Array("\\ISO 2022 IR 87 ".utf8)[...]).terms == ["", "ISO 2022 IR 87"])
        #expect(SpecificCharacterSet(bytes: []).terms.isEmpty)
    }
}
