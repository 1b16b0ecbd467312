import DICOMCore
import Testing

// Testing has a Tag, too.
private typealias Tag = DICOMCore.Tag

private func element(_ tag: Tag, _ text: String) -> DataElement { DataElement(tag, .LO, .bytes(Array(text.utf8)[...])) }

@Suite struct DataSetTests {
    @Test func `keeps elements in the order of their tags, the first of each`() {
        let dataSet = DataSet([
            element(.studyID, "3"), element(.patientID, "1"), element(.patientID, "2"), element(.accessionNumber, "0"),
        ])
        #expect(dataSet.map(\.tag) == [.accessionNumber, .patientID, .studyID])
        #expect(dataSet.string(for: .patientID) == "1")
    }

    @Test func `sets in place, inserts where absent, and takes out`() {
        var dataSet = DataSet([element(.patientID, "1"), element(.studyID, "3")])
        dataSet.set(element(.patientID, "2"))
        dataSet.set(element(.patientName, "N"))
        #expect(dataSet.map(\.tag) == [.patientName, .patientID, .studyID])
        #expect(dataSet.string(for: .patientID) == "2")
        #expect(!dataSet.insertIfAbsent(element(.patientID, "4")) && dataSet.insertIfAbsent(element(.modality, "CT")))
        #expect(dataSet.remove(.patientID)?.tag == .patientID && dataSet.remove(.patientID) == nil)
        #expect(dataSet[.patientID] == nil && dataSet.count == 3 && dataSet[0].tag == .modality)
    }

    @Test func `equals by its elements, whatever the character set`() {
        let left = DataSet([element(.patientID, "1")])
        var right = DataSet(characterSet: .utf8)
        right.set(element(.patientID, "1"))
        #expect(left == right && left.hashValue == right.hashValue)
        right.set(element(.patientID, "2"))
        #expect(left != right)
    }

    @Test(
        arguments: [
            ([], [], []), (["1"], ["1"], []), (["1"], ["2"], [0]), (["1", "2"], ["1"], [1]), (["1"], ["1", "2"], [1]),
            (["", "2"], ["1"], [0, 1]), (["1"], ["", "2"], [0, 1]), (["1", "", "3"], ["", "2", "4"], [0, 1, 2]),
        ] as [([String], [String], [Int])])
    func `tells which attributes differ`(left: [String], right: [String], tags: [Int]) {
        func dataSet(_ values: [String]) -> DataSet {
            DataSet(
                values.enumerated().filter { !$1.isEmpty }.map { element(Tag(0x0010, UInt16($0)), $1) })
        }
        #expect(dataSet(left).differences(from: dataSet(right)) == tags.map { Tag(0x0010, UInt16($0)) })
    }

    @Test func `a difference in the VR alone is one`() {
        let left = DataSet([DataElement(.patientID, .LO, .empty)])
        #expect(left.differences(from: DataSet([DataElement(.patientID, .SH, .empty)])) == [.patientID])
    }
}

@Suite struct DataSetReadingTests {
    private func dataSet(_ vr: VR, _ bytes: [UInt8], tag: Tag = Tag(0x0011, 0x1001)) -> DataSet {
        DataSet([DataElement(tag, vr, .bytes(bytes[...]))])
    }

    private let tag = Tag(0x0011, 0x1001)

    @Test(
        arguments: [
            (.CS, #"ORIGINAL\PRIMARY "#, ["ORIGINAL", "PRIMARY"]), (.LO, " a \\ b", ["a", "b"]), (.LO, "", []),
            (.UI, "1.2\\1.3\0", ["1.2", "1.3"]), (.LT, #" a\b "#, [#" a\b"#]), (.UC, " a ", [" a"]),
            (.UR, "u: ", ["u:"]),
            (.SH, #"a\\b"#, ["a", "", "b"]), (.OB, "ab", []), (.SQ, "ab", []), (.DS, "1.5 ", ["1.5"]),
        ] as [(VR, String, [String])])
    func `reads text as its VR has it`(vr: VR, text: String, values: [String]) {
        let dataSet = dataSet(vr, Array(text.utf8))
        #expect(dataSet.strings(for: tag) == values)
        #expect(dataSet.string(for: tag) == values.first)
    }

    @Test(
        arguments: [
            (.US, [1, 0, 0xFF, 0xFF], [1, 65535]), (.SS, [0xFF, 0xFF, 1], [-1]), (.UL, [0, 0, 0, 0x80], [1 << 31]),
            (.SL, [0, 0, 0, 0x80], [-1 << 31]), (.SV, [255, 255, 255, 255, 255, 255, 255, 255], [-1]),
            (.UV, [255, 255, 255, 255, 255, 255, 255, 255], []), (.IS, Array(" 7\\+8\\x\\-9 ".utf8), [7, 8, -9]),
            (.DS, Array("1.0\\1.5\\2e2".utf8), [1, 200]), (.US, [], []), (.LO, Array("12".utf8), []),
            (.FD, [0, 0, 0, 0, 0, 0, 0xF0, 0x3F], []),
        ] as [(VR, [UInt8], [Int])])
    func `reads whole numbers`(vr: VR, bytes: [UInt8], values: [Int]) {
        let dataSet = dataSet(vr, bytes)
        #expect(dataSet.ints(for: tag) == values)
        #expect(dataSet.int(for: tag) == values.first)
    }

    @Test(
        arguments: [
            (.DS, Array("1.5\\-2\\1,5\\ 3e1".utf8), [1.5, -2, 30]), (.IS, Array("4".utf8), [4]),
            (.FL, [0, 0, 0xC0, 0x3F, 0], [1.5]), (.FD, [0, 0, 0, 0, 0, 0, 0xF8, 0xBF], [-1.5]), (.US, [2, 0], [2]),
            (.UV, [255, 255, 255, 255, 255, 255, 255, 255], [18_446_744_073_709_551_616]), (.OB, [1, 2], []),
        ] as [(VR, [UInt8], [Double])])
    func `reads numbers`(vr: VR, bytes: [UInt8], values: [Double]) {
        let dataSet = dataSet(vr, bytes)
        #expect(dataSet.doubles(for: tag) == values)
        #expect(dataSet.double(for: tag) == values.first)
    }

    @Test func `reads UN by the dictionary`() {
        #expect(dataSet(.UN, Array("A^B ".utf8), tag: .patientName).personName(for: .patientName)?.description == "A^B")
        #expect(dataSet(.UN, [0, 2], tag: .rows).int(for: .rows) == 512)
        #expect(dataSet(.UN, Array("AB".utf8)).string(for: tag) == nil)
    }

    @Test func `reads UIDs, dates, tags and items, and leaves out what is none`() {
        #expect(dataSet(.UI, Array("1.2\\x\\1.3\0".utf8)).uids(for: tag).map(\.string) == ["1.2", "1.3"])
        #expect(dataSet(.UI, Array("1.2\\1.3\0".utf8)).uid(for: tag)?.string == "1.2")
        #expect(dataSet(.UI, []).uid(for: tag) == nil)
        #expect(dataSet(.DA, Array("20240229\\20240301".utf8)).date(for: tag)?.number == 20_240_229)
        #expect(dataSet(.TM, Array("1030 ".utf8)).time(for: tag)?.minute == 30)
        #expect(dataSet(.DT, Array("2024+0100".utf8)).dateTime(for: tag)?.offset == 60)
        #expect(dataSet(.DA, Array("20240230".utf8)).date(for: tag) == nil)
        #expect(dataSet(.AT, [0x10, 0, 0x20, 0, 0x28, 0, 0x10]).tags(for: tag) == [.patientID])
        #expect(dataSet(.LO, [0x10, 0, 0x20, 0]).tags(for: tag).isEmpty)
        #expect(dataSet(.LO, [0x10, 0, 0x20, 0]).items(for: tag).isEmpty)
    }

    @Test func `what is absent or not in memory has no value`() {
        let dataSet = DataSet([DataElement(tag, .UT, .bulk(.range(0..<9)))])
        for tag in [tag, .patientID] {
            #expect(
                dataSet.string(for: tag) == nil && dataSet.strings(for: tag).isEmpty && dataSet.int(for: tag) == nil)
            #expect(dataSet.double(for: tag) == nil && dataSet.uid(for: tag) == nil && dataSet.date(for: tag) == nil)
            #expect(dataSet.tags(for: tag).isEmpty && dataSet.items(for: tag).isEmpty)
        }
    }
}

@Suite struct DataSetWritingTests {
    @Test(
        arguments: [
            (.patientID, "AB", "AB"), (.patientID, "ABC", "ABC "), (.studyInstanceUID, "1.2", "1.2\0"),
            (.studyID, "", ""),
        ] as [(DICOMCore.Tag, String, String)])
    func `text has the VR of the dictionary and an even length`(tag: DICOMCore.Tag, text: String, field: String) {
        var dataSet = DataSet()
        dataSet.setString(text, for: tag)
        #expect(dataSet[tag]?.bytes == Array(field.utf8)[...])
        #expect(dataSet[tag]?.vr == DataDictionary.standard.vr(for: tag))
    }

    @Test func `text is in the character set, with ? for what it lacks`() {
        var dataSet = DataSet()
        dataSet.setString("Ä1", for: .patientID)
        #expect(dataSet.string(for: .patientID) == "?1")
        dataSet.characterSet = .utf8
        dataSet.setString("Ä1", for: .patientID)
        #expect(dataSet[.patientID]?.bytes == Array("Ä1 ".utf8)[...] && dataSet.string(for: .patientID) == "Ä1")
    }

    @Test(
        arguments: [
            (.US, [1, 65535], [1, 0, 255, 255]), (.SS, [-2], [254, 255]), (.UL, [258], [2, 1, 0, 0]),
            (.IS, [7, -12], Array("7\\-12 ".utf8)), (.DS, [7], Array("7 ".utf8)),
            (.AT, [0x0010_0020], [0x10, 0, 0x20, 0]),
            (.FL, [1], [0, 0, 0x80, 0x3F]), (.OF, [1], [0, 0, 0x80, 0x3F]), (.OB, [1, 2, 3], [1, 2, 3, 0]),
            (.US, [], []),
            (.UV, [-1], [255, 255, 255, 255, 255, 255, 255, 255]), (.US, [65537], [1, 0]),
        ] as [(VR, [Int], [UInt8])])
    func `whole numbers are as wide as their VR`(vr: VR, values: [Int], bytes: [UInt8]) {
        var dataSet = DataSet()
        dataSet.setInts(values, for: .patientID, vr: vr)
        #expect(dataSet[.patientID] == DataElement(.patientID, vr, .bytes(bytes[...])))
    }

    @Test(
        arguments: [
            (.DS, [1.5, -0.1], Array("1.5\\-0.1".utf8)), (.FL, [1.5], [0, 0, 0xC0, 0x3F]), (.US, [511.6], [0, 2]),
            (.DS, [.infinity], []), (.FD, [-1.5], [0, 0, 0, 0, 0, 0, 0xF8, 0xBF]), (.IS, [2.4], Array("2 ".utf8)),
        ] as [(VR, [Double], [UInt8])])
    func `numbers are text or binary as their VR has them`(vr: VR, values: [Double], bytes: [UInt8]) {
        var dataSet = DataSet()
        dataSet.setDoubles(values, for: .patientID, vr: vr)
        #expect(dataSet[.patientID] == DataElement(.patientID, vr, .bytes(bytes[...])))
    }

    @Test func `an attribute without value has the kind of its VR`() {
        var dataSet = DataSet()
        dataSet.setEmpty(.patientID)
        dataSet.setEmpty(.requestAttributesSequence)
        #expect(dataSet[.patientID]?.value == .empty && dataSet[.requestAttributesSequence]?.value == .items([]))
        dataSet.setItems([DataSet()], for: .requestAttributesSequence)
        #expect(dataSet.items(for: .requestAttributesSequence).count == 1)
    }
}
