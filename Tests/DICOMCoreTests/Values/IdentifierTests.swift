import DICOMCore
import Testing

@Suite struct UIDTests {
    @Test(arguments: ["1", "1.2.840.10008.1.1", "0", "1.02.3", String(repeating: "1", count: 64)])
    func `takes digits and dots`(text: String) {
        #expect(UID(text)?.string == text)
        #expect(UID(trimming: Array(" \(text)\0 ".utf8))?.string == text)
    }

    @Test(arguments: [
        "", ".", "1.", ".1", "1..2", "1.a", "1 .2", "1.2 ", "1.2\0", "1,2", "-1", "١",
        String(repeating: "1", count: 65),
    ])
    func `refuses anything else`(text: String) { #expect(UID(text) == nil) }

    @Test func `what is only padding is no UID`() {
        #expect(UID(trimming: [UInt8]()) == nil && UID(trimming: Array("\0 \0".utf8)) == nil)
        #expect(UID(trimming: Array("1.2\0 3".utf8)) == nil)
    }
}

@Suite struct UIDGeneratorTests {
    private struct Fixed: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test(arguments: [0, UInt64.max, 0x0123_4567_89AB_CDEF])
    func `is a random UUID as a number below 2·25`(value: UInt64) throws {
        var generator = UIDGenerator(source: Fixed(value: value))
        let made = generator.next().string
        #expect(made.hasPrefix("2.25.") && made.utf8.count <= 44)
        let number = try #require(UInt128(made.dropFirst(5)))
        // Version 4, variant 10, all other bits from the source.
        #expect(number >> 76 & 0xF == 4 && number >> 62 & 3 == 2)
        let free = UInt128(0xFFFF_FFFF_FFFF_0FFF) << 64 | 0x3FFF_FFFF_FFFF_FFFF
        #expect(number & free == (UInt128(value) << 64 | UInt128(value)) & free)
    }

    @Test func `makes a new one each time`() {
        var generator = UIDGenerator(source: SystemRandomNumberGenerator())
        #expect(Set((0..<100).map { _ in generator.next() }).count == 100)
    }
}

@Suite struct PersonNameTests {
    @Test func `has three groups of five components`() {
        let name = PersonName("Yamada^Tarou=山田^太郎=やまだ^たろう")
        #expect(name.alphabetic?.familyName == "Yamada" && name.ideographic?.givenName == "太郎")
        #expect(name.phonetic?.familyName == "やまだ")
        let full = PersonName("Adams^John Robert^Quincy^Rev.^B.A. M.Div.").alphabetic
        #expect(full?.middleName == "Quincy" && full?.prefix == "Rev." && full?.suffix == "B.A. M.Div.")
    }

    @Test(arguments: [
        ("A^B^^^", "A^B"), ("A^B==", "A^B"), (" A ^ B ", "A^B"), ("=X", "=X"), ("^B", "^B"), ("", ""), ("==", ""),
        ("^^^^", ""), ("A=B=C=D", "A=B=C=D"), ("A^B^C^D^E^F", "A^B^C^D^E^F"), ("Smith", "Smith"),
    ])
    func `empty parts at the end mean nothing, all else is kept`(text: String, description: String) {
        #expect(PersonName(text).description == description)
        #expect(PersonName(text).isEmpty == description.isEmpty)
    }

    @Test func `a group without letters is none`() {
        #expect(PersonName("=X").alphabetic == nil && PersonName("=X").ideographic?.familyName == "X")
        #expect(PersonName("A").phonetic == nil && PersonName("A").alphabetic?.givenName == "")
    }
}

@Suite struct AgeStringTests {
    @Test(arguments: [
        ("045Y", 45, AgeString.Unit.years), ("007D ", 7, .days), ("012M", 12, .months), ("999W", 999, .weeks),
    ])
    func `is three digits and a unit`(text: String, number: Int, unit: AgeString.Unit) throws {
        let age = try #require(AgeString(text))
        #expect(age.number == number && age.unit == unit && age.description == text.prefix(4))
    }

    @Test(arguments: ["", "45Y", "045", "045y", "0045Y", "Y", "04 Y", "045YY", "045Ä", "045Y\u{301}", "-45Y"])
    func `anything else is no age`(text: String) { #expect(AgeString(text) == nil) }
}

@Suite struct AETitleTests {
    @Test(arguments: [("STORE", "STORE"), ("  A B ", "A B"), ("0123456789ABCDEF", "0123456789ABCDEF")])
    func `is up to sixteen characters, blanks around left out`(text: String, title: String) {
        #expect(AETitle(text)?.description == title)
    }

    @Test(arguments: ["", "    ", "0123456789ABCDEFG", "A\\B", "A\nB", "Ä", "A\u{7F}"])
    func `anything else is no title`(text: String) { #expect(AETitle(text) == nil) }
}

@Suite struct CodedEntryTests {
    @Test(arguments: [DICOMCore.Tag.codeValue, .longCodeValue, .urnCodeValue])
    func `reads short codes, long codes and URNs`(tag: DICOMCore.Tag) {
        var item = DataSet()
        item.setString("T-D1100", for: tag)
        item.setString("SRT", for: .codingSchemeDesignator)
        item.setString("Head", for: .codeMeaning)
        #expect(CodedEntry(item) == CodedEntry(value: "T-D1100", scheme: "SRT", meaning: "Head"))
    }

    @Test func `without a value there is no code`() {
        var item = DataSet()
        item.setString("Head", for: .codeMeaning)
        #expect(CodedEntry(item) == nil)
        item.setString("1", for: .codeValue)
        #expect(CodedEntry(item) == CodedEntry(value: "1", scheme: "", meaning: "Head"))
    }
}
