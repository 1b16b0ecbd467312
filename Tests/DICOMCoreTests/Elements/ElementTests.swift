import DICOMCore
import Testing

// Testing has a Tag, too.
private typealias Tag = DICOMCore.Tag

@Suite struct TagTests {
    @Test func `orders by group, then by element`() {
        #expect(
            [Tag(0x0020, 0x0001), Tag(0x0010, 0xFFFF), Tag(0x0010, 0x0010)].sorted() == [
                Tag(0x0010, 0x0010), Tag(0x0010, 0xFFFF), Tag(0x0020, 0x0001),
            ])
    }

    @Test(arguments: [
        (Tag(0x0010, 0x0010), false, false, false), (Tag(0x0009, 0x0010), true, true, false),
        (Tag(0x0009, 0x00FF), true, true, false), (Tag(0x0009, 0x000F), true, false, false),
        (Tag(0x0009, 0x0100), true, false, false), (Tag(0x0009, 0x1010), true, false, false),
        (Tag(0x0010, 0x0000), false, false, true), (Tag(0x0009, 0x0000), true, false, true),
    ])
    private func `knows private elements, creators and group lengths`(
        tag: Tag, isPrivate: Bool, isCreator: Bool, isGroupLength: Bool
    ) {
        #expect(tag.isPrivate == isPrivate && tag.isPrivateCreator == isCreator && tag.isGroupLength == isGroupLength)
    }

    @Test func `is written for people and for JSON`() {
        #expect(Tag(0x7FE0, 0x0010).description == "(7FE0,0010)" && Tag(0x0008, 0x103E).hexadecimal == "0008103E")
    }

    @Test(
        arguments: [
            ("0020000D", 0x0020_000D), ("0020000d", 0x0020_000D), ("FFFEE000", 0xFFFE_E000), ("0020000", nil),
            ("0020000DD", nil), ("0020 00D", nil), ("0x20000D", nil), ("", nil), ("ÄÄÄÄ", nil), ("0020,00D", nil),
        ] as [(String, UInt32?)])
    func `reads eight hexadecimal digits and nothing else`(text: String, tag: UInt32?) {
        #expect(Tag(hexadecimal: text)?.rawValue == tag)
    }
}

@Suite struct VRTests {
    @Test(arguments: VR.allCases)
    func `reads back from its letters`(vr: VR) { #expect(VR(vr.letters) == vr) }

    @Test(arguments: ["", "P", "pn", "PNX", "XX", "é"])
    func `other letters are no VR`(letters: String) { #expect(VR(letters) == nil) }

    @Test func `has the header length of Table 7·1-1`() {
        let long: Set<VR> = [.OB, .OD, .OF, .OL, .OV, .OW, .SQ, .SV, .UC, .UN, .UR, .UT, .UV]
        #expect(Set(VR.allCases.filter(\.hasLongHeader)) == long)
    }

    @Test func `is text, numbers, or a sequence`() {
        let text = Set(VR.allCases.filter(\.isText))
        #expect(Set(VR.allCases.filter { $0.numberWidth > 0 }).isDisjoint(with: text))
        #expect(VR.allCases.filter { !$0.isText && $0.numberWidth == 0 } == [.SQ])
        #expect(text.subtracting(VR.allCases.filter(\.isBackslashDelimited)) == [.LT, .ST, .UT, .UR])
        #expect(VR.allCases.filter(\.usesSpecificCharacterSet) == [.LO, .LT, .PN, .SH, .ST, .UC, .UT])
        #expect(Set(VR.allCases.filter { $0.paddingByte == 0x20 }) == text.subtracting([.UI]))
    }
}

@Suite struct ValueMultiplicityTests {
    @Test(arguments: [
        ("1", [1], [0, 2]), ("3", [3], [2, 4]), ("1-3", [1, 2, 3], [0, 4]), ("1-n", [1, 9], [0]),
        ("2-2n", [2, 4, 100], [0, 1, 3]), ("3-3n", [3, 9], [4]), ("2-n", [2, 3], [1]), ("1-99", [99], [100]),
    ])
    func `reads the notation of PS3·6`(text: String, allowed: [Int], refused: [Int]) throws {
        let multiplicity = try #require(ValueMultiplicity(text))
        #expect(allowed.allSatisfy(multiplicity.allows) && !refused.contains(where: multiplicity.allows))
        #expect(multiplicity.description == text)
    }

    @Test(arguments: ["", "n", "1-", "-1", "3-1", "1-2-3", "1-0n", "1-xn", "a"])
    func `other notations have no meaning`(text: String) { #expect(ValueMultiplicity(text) == nil) }
}

@Suite struct TagPatternTests {
    @Test(arguments: [
        ("60xx0010", Tag(0x6002, 0x0010), true), ("60XX0010", Tag(0x60FE, 0x0010), true),
        ("60xx0010", Tag(0x6002, 0x0011), false), ("60xx0010", Tag(0x5002, 0x0010), false),
        ("0029xx10", Tag(0x0029, 0x1210), true), ("0029xx10", Tag(0x0029, 0x1211), false),
        ("00100010", Tag(0x0010, 0x0010), true),
    ])
    private func `matches what agrees in the fixed digits`(text: String, tag: Tag, isMatch: Bool) throws {
        #expect(try #require(TagPattern(text)).matches(tag) == isMatch)
    }

    @Test func `reads eight digits`() {
        #expect(TagPattern("00100010")?.isSingleTag == true && TagPattern("60xx0010")?.isSingleTag == false)
        #expect(TagPattern("60xx001") == nil && TagPattern("60yy0010") == nil && TagPattern("") == nil)
    }
}

@Suite struct AttributePathTests {
    @Test(
        arguments: [
            ("PatientID", [0x0010_0020]), ("00100020", [0x0010_0020]), ("0020000d", [0x0020_000D]),
            ("RequestAttributesSequence.RequestedProcedureID", [0x0040_0275, 0x0040_1001]),
            ("00400275.00401001", [0x0040_0275, 0x0040_1001]),
            ("RequestAttributesSequence.00401001", [0x0040_0275, 0x0040_1001]), ("00231001", [0x0023_1001]),
        ] as [(String, [UInt32])])
    func `reads keywords and digits, mixed at will`(text: String, tags: [UInt32]) {
        #expect(AttributePath(text)?.tags.map(\.rawValue) == tags)
    }

    @Test(arguments: ["", ".", "PatientID.", ".PatientID", "patientID", "0010,0020", "NoSuchKeyword", "PatientID..X"])
    func `refuses what is neither`(text: String) { #expect(AttributePath(text) == nil) }

    @Test func `is written with keywords where there are any`() {
        let path = AttributePath([.requestAttributesSequence, Tag(0x0041, 0x1001)])
        #expect(path.description == "RequestAttributesSequence.00411001")
        #expect(path.last == Tag(0x0041, 0x1001) && Array(path.sequences) == [.requestAttributesSequence])
    }

    @Test func `leads through every item`() {
        let items = ["A", "B"].map { name in
            var item = DataSet()
            item.setString(name, for: .requestedProcedureID)
            return item
        }
        var dataSet = DataSet()
        dataSet.setItems(items + [DataSet()], for: .requestAttributesSequence)
        let path = AttributePath([.requestAttributesSequence, .requestedProcedureID])
        #expect(path.elements(in: dataSet).map(\.bytes) == [Array("A ".utf8)[...], Array("B ".utf8)[...]])
        #expect(path.elements(in: DataSet()).isEmpty)
        #expect(AttributePath([.patientID, .patientID]).elements(in: dataSet).isEmpty)
    }
}

@Suite struct PrivateCreatorTests {
    private var dataSet: DataSet {
        var dataSet = DataSet()
        dataSet.setString("ACME", for: Tag(0x0029, 0x0010), vr: .LO)
        dataSet.setString("OTHER ", for: Tag(0x0029, 0x0011), vr: .LO)
        dataSet.setString("x", for: Tag(0x0029, 0x1101), vr: .LO)
        return dataSet
    }

    @Test func `is found by an element of its block`() {
        #expect(dataSet.privateCreator(of: Tag(0x0029, 0x1001))?.name == "ACME")
        #expect(dataSet.privateCreator(of: Tag(0x0029, 0x1101))?.block == 0x11)
        #expect(dataSet.privateCreator(of: Tag(0x0029, 0x1201)) == nil)
        #expect(dataSet.privateCreator(of: Tag(0x0029, 0x0F01)) == nil)
        #expect(dataSet.privateCreator(of: Tag(0x0028, 0x1001)) == nil)
    }

    @Test func `is found by name, and tells the tags of its block`() {
        #expect(dataSet.privateBlock(of: "OTHER", group: 0x0029)?.tag(0x01) == Tag(0x0029, 0x1101))
        #expect(dataSet.privateBlock(of: "OTHER", group: 0x0031) == nil)
        #expect(dataSet.privateBlock(of: "acme", group: 0x0029) == nil)
    }
}
