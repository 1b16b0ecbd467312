import DICOMCore
import Testing

@Suite struct NumberTextTests {
    @Test(arguments: [
        ("1.5", true), ("1.50", false), ("+2", false), ("1e-3", false), ("12345678901234567", false), ("0", true),
        ("-0", false), ("abc", false), ("1.0", true), ("0.0", true), ("-0.0", false), ("1.00", false), ("0.0001", true),
        ("0.00001", false), ("-7.25", true), ("007", false), (".5", false), ("5.", false), ("", false), ("-", false),
        ("123456789012345", true), ("1234567890123456", false), ("0.12345678901234", true), ("1,5", false),
        (" 1", false),
    ])
    func `decimal text is canonical when a number loses nothing`(text: String, isCanonical: Bool) {
        #expect(DecimalString.isCanonical(Array(text.utf8)[...]) == isCanonical)
    }

    @Test(arguments: [
        ("7", true), ("07", false), ("-0", false), ("2147483647", true), ("2147483648", false), ("-2147483648", true),
        ("-2147483649", false), ("99999999999", false), ("", false), ("-", false), ("+1", false), ("1.0", false),
        ("0", true),
    ])
    func `integer text is canonical when it fits 32 bits`(text: String, isCanonical: Bool) {
        #expect(IntegerString.isCanonical(Array(text.utf8)[...]) == isCanonical)
    }

    private static let written: [(Double, String)] = [
        (0, "0"), (-0.0, "0"), (1, "1"), (100, "100"), (0.1, "0.1"), (-7.25, "-7.25"), (1e-5, "0.00001"),
        (1e20, "1e20"), (-1e-300, "-1e-300"), (123_456_789_012_345, "123456789012345"), (1e15, "1000000000000000"),
        (1.234567890123456789e18, "1.23456789012e18"), (.pi, "3.14159265358979"), (-.pi, "-3.1415926535898"),
        // Rounded, not cut.
        (2.0 / 3, "0.66666666666667"), (-2.0 / 3, "-0.6666666666667"), (0.99999999999999989, "1"),
        (1.9999999999999998, "2"), (-99999.999999999985, "-100000"), (2e-5 / 3, "6.66666666667e-6"),
        (.greatestFiniteMagnitude, "1.79769313e308"), (.leastNonzeroMagnitude, "5e-324"),
    ]

    @Test(arguments: written)
    func `a number is written in up to 16 characters, rounded where it has to be`(value: Double, text: String) {
        #expect(DecimalString(value)?.description == text)
        #expect(text.utf8.count <= 16)
    }

    @Test func `what fits 16 characters reads back as the number`() {
        var source = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let value = (Double.random(in: -1e9...1e9, using: &source) * 1e4).rounded() / 1e4
            #expect(DecimalString(DecimalString(value)?.description ?? "")?.value == value)
        }
    }

    @Test(arguments: [
        (" 1.5 ", 1.5), ("+2", 2), ("1e-3", 0.001), ("1E3", 1000), (".5", 0.5), ("5.", 5), ("-.5", -0.5), ("007", 7),
        ("1.5\0", 1.5),
    ])
    func `reads every way to write a decimal`(text: String, value: Double) {
        #expect(DecimalString(text)?.value == value)
    }

    @Test(arguments: ["", "abc", "1,5", "0x10", "nan", "inf", "1e", "1e400", "1 2", "--1", ".", "1.2.3"])
    func `other text is no number`(text: String) { #expect(DecimalString(text) == nil) }

    @Test(arguments: [("7", 7), (" +7 ", 7), ("-12", -12), ("007", 7), ("4294967296", 4_294_967_296)])
    func `reads integers`(text: String, value: Int) { #expect(IntegerString(text)?.value == value) }

    @Test(arguments: ["", "-", "+", "1.0", "1e3", "x", "1 2", "9999999999999999999"])
    func `other text is no integer`(text: String) { #expect(IntegerString(text) == nil) }
}

@Suite struct NameTests {
    @Test(arguments: [
        ("Müller", "MULLER"), ("Dvořák", "dvorak"), ("Žluť", "zlut"), ("山田", "山田"), ("ﾔﾏﾀﾞ", "ヤマダ"), ("ü", "u\u{308}"),
    ])
    func `case and accents make no difference`(left: String, right: String) {
        #expect(NameFolding.fold(left) == NameFolding.fold(right))
    }

    @Test(arguments: [
        ("Йорданов", "иорданов"), ("Фёдоров", "федоров"), ("מֹשֶׁה", "משה"), ("מُحَمَّد", "מحمد"), ("مُحَمَّد", "محمد"),
        ("أحمد", "احمد"),
        ("שׁ", "ש"), ("ﻣﺤﻤﺪ", "محمد"), ("Ωμέγα", "ωμεγα"), ("김", "\u{1100}\u{1175}\u{11B7}"), ("สมชาย", "สมชาย"),
    ])
    func `marks are dropped in every script, letters are kept`(text: String, folded: String) {
        #expect(NameFolding.fold(text).unicodeScalars.elementsEqual(folded.unicodeScalars))
    }

    @Test func `no letter of Hebrew, Arabic or Cyrillic is dropped`() {
        for code in [0x5D0...0x5EA, 0x620...0x64A, 0x671...0x6D3, 0x400...0x481].joined() {
            guard let letter = Unicode.Scalar(UInt32(code)) else { continue }
            #expect(!NameFolding.fold(String(letter)).isEmpty, "\(String(code, radix: 16))")
        }
    }

    @Test func `names sound alike`() {
        #expect(PhoneticCode.code(of: "smyth") == PhoneticCode.code(of: "Smith"))
        #expect(PhoneticCode.code(of: "Robert") == "R163" && PhoneticCode.code(of: "Ashcraft") == "A261")
    }
}
