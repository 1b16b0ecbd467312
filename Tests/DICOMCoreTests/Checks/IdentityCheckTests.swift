import DICOMCore
import GantryTesting
import Testing

/// Testing has a `Tag` too.
private typealias Tag = DICOMCore.Tag

@Suite struct IdentityCheckTests {
    @Test func `H25: tells missing, empty and invalid UIDs apart`() {
        var set = TestInstance().dataSet()
        #expect(IdentityCheck(dataSet: set).isComplete)
        let study = Tag(0x0020, 0x000D)
        set.remove(study)
        #expect(IdentityCheck(dataSet: set).study.state == .missing)
        let cases: [(String, IdentityCheck.Identifier.State)] = [
            ("", .empty), ("\0", .empty), ("  ", .empty), ("1.2.x", .invalid), ("1.2 .3", .invalid),
            ("1." + String(repeating: "9", count: 64), .invalid), ("1..2", .invalid), (".1", .invalid),
            ("1.", .invalid), ("1.02.3", .valid("1.02.3")), ("1.2.3\0", .valid("1.2.3")), ("1.2.3 ", .valid("1.2.3")),
        ]
        for (text, state) in cases {
            set.set(DataElement(study, .UI, .bytes(Array(text.utf8)[...])))
            let check = IdentityCheck(dataSet: set)
            #expect(check.study.state == state)
            #expect(check.isComplete == (check.study.uid != nil))
        }
    }

    @Test func `H22 to H24: reports values that do not fit their VR`() {
        let set = DataSet([
            DataElement(Tag(0x0008, 0x0020), .DA, .bytes(Array("YESTERDAY ".utf8)[...])),
            DataElement(Tag(0x0018, 0x0050), .DS, .bytes(Array("1,5 ".utf8)[...])),
            DataElement(Tag(0x0028, 0x0010), .US, .bytes([1, 2, 3])),
            DataElement(Tag(0x0020, 0x0013), .IS, .bytes(Array("12345678901234567890".utf8)[...])),
            DataElement(Tag(0x0020, 0x0011), .IS, .bytes(Array(" 12 ".utf8)[...])),
        ])
        let findings = ValueCheck().findings(in: set)
        #expect(
            findings.map(\.rule) == [.invalidCharacters, .invalidCharacters, .invalidLength, .invalidLength])
    }
}
