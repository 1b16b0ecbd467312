import DICOMCore
import GantryTesting
import Testing

/// Testing has a `Tag` too.
private typealias Tag = DICOMCore.Tag

@Suite struct ElementHeaderTests {
    let instance = TestInstance()
    let creator: [UInt8] = TestBytes.element(Tag(0x0009, 0x0010), .LO, "ACME")

    /// The instance with these private elements in between.
    func file(_ changes: [UInt32: [UInt8]], dropping: [UInt32] = []) -> [UInt8] {
        instance.part10(dataSet: instance.merged([0x0009_0010: creator].merging(changes) { $1 }, dropping: dropping))
    }

    @Test func `H1: reads every VR with its form of header`() throws {
        var changes: [UInt32: [UInt8]] = [:]
        for (index, vr) in VR.allCases.enumerated() where vr != .SQ {
            let tag = Tag(0x0009, 0x1000 + UInt16(index))
            changes[tag.rawValue] = TestBytes.element(tag, vr, [1, 2, 3, 4, 5, 6, 7, 8])
        }
        let file = try readEveryWay(file(changes))
        for (index, vr) in VR.allCases.enumerated() where vr != .SQ {
            let element = try #require(file.dataSet[Tag(0x0009, 0x1000 + UInt16(index))])
            #expect(element.vr == vr)
            #expect(element.bytes.map(Array.init) == [1, 2, 3, 4, 5, 6, 7, 8])
        }
        #expect(file.isFaithful)
    }

    @Test(arguments: ["OB", "UN", "UT", "SV", "UV"])
    func `H2 and H3: recovers long VRs with a short length`(vr: String) throws {
        let value: [UInt8] = Array("abcdefgh".utf8)
        let element = TestBytes.tag(Tag(0x0009, 0x1001)) + Array(vr.utf8) + TestBytes.uint16(8) + value
        let file = try readEveryWay(file([0x0009_1001: element]))
        #expect(file.rules == [.shortLengthField])
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.bytes.map(Array.init) == value)
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.vr == VR(vr))
        #expect(file.text(0x0020, 0x000D) == instance.studyUID)
    }

    @Test func `H4: ignores reserved bytes`() throws {
        let element = TestBytes.element(
            Tag(0x0009, 0x1001), .OB, Array("abcd".utf8), reserved: [0x12, 0x34])
        let file = try readEveryWay(file([0x0009_1001: element]))
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.bytes.map(Array.init) == Array("abcd".utf8))
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.vr == .OB)
    }

    @Test func `H5: reads an unknown VR as UN`() throws {
        let element =
            TestBytes.tag(Tag(0x0009, 0x1001)) + Array("ZZ".utf8) + [0, 0] + TestBytes.uint32(4) + Array("abcd".utf8)
        let file = try readEveryWay(file([0x0009_1001: element]))
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.vr == .UN)
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.bytes.map(Array.init) == Array("abcd".utf8))
        #expect(file.rules == [.unknownVR])
    }

    @Test(arguments: ["\0\0", "??", "  ", "--", "ul"])
    func `H6: reads headers without a VR`(letters: String) throws {
        // A short form with letters that are none, and an implicit header in between explicit ones.
        let short =
            TestBytes.tag(Tag(0x0008, 0x0070)) + Array(letters.utf8) + TestBytes.uint16(4) + Array("ACME".utf8)
        let implicit = TestBytes.implicit(Tag(0x0008, 0x1030), "Head")
        let changes: [UInt32: [UInt8]] =
            letters == "\0\0" ? [0x0008_1030: implicit] : [0x0008_0070: short, 0x0008_1030: implicit]
        let file = try readEveryWay(file(changes))
        #expect(file.rules == [.missingVR])
        #expect(file.text(0x0008, 0x1030) == "Head")
        #expect(file.dataSet[Tag(0x0008, 0x1030)]?.vr == .LO)
        if letters != "\0\0" { #expect(file.text(0x0008, 0x0070) == "ACME") }
        #expect(file.text(0x0020, 0x000D) == instance.studyUID)
    }

    @Test func `H7: reads by the VR that is written`() throws {
        let file = try readEveryWay(
            file([
                0x0028_0010: TestBytes.element(Tag(0x0028, 0x0010), .UL, [6, 0, 0, 0]),
                0x0008_0020: TestBytes.element(Tag(0x0008, 0x0020), .LO, "20240115"),
            ]))
        #expect(file.dataSet[Tag(0x0028, 0x0010)]?.vr == .UL)
        #expect(file.dataSet[Tag(0x0008, 0x0020)]?.vr == .LO)
    }

    @Test func `H9: accepts odd lengths, and padding that is not counted`() throws {
        let odd = TestBytes.element(Tag(0x0008, 0x0070), .LO, Array("ABC".utf8))
        let file1 = try readEveryWay(file([0x0008_0070: odd]))
        #expect(file1.rules == [.oddLength])
        #expect(file1.dataSet[Tag(0x0008, 0x0070)]?.bytes.map(Array.init) == Array("ABC".utf8))
        let file2 = try readEveryWay(file([0x0008_0070: odd + [0x20]]))
        #expect(file2.rules == [.oddLength, .paddedOddLength])
        #expect(file2.text(0x0020, 0x000D) == instance.studyUID)
        let long = TestBytes.element(Tag(0x0008, 0x0070), .LO, [UInt8](repeating: 0x41, count: 5001))
        #expect(try readEveryWay(file([0x0008_0070: long + [0x20]])).text(0x0020, 0x000D) == instance.studyUID)
    }

    @Test func `H10: clamps text at the end of its item, refuses anything else`() throws {
        func sequence(_ vr: VR) -> [UInt8] {
            let element = TestBytes.element(Tag(0x0009, 0x1002), vr, Array("ABCD".utf8), length: 40)
            return TestBytes.element(Tag(0x0008, 0x1140), .SQ, TestBytes.item(element))
        }
        let file = try readEveryWay(file([0x0008_1140: sequence(.LO)]))
        #expect(file.rules == [.clampedLength])
        #expect(file.dataSet[Tag(0x0008, 0x1140)]?.items?.first?.text(0x0009, 0x1002) == "ABCD")
        #expect(failureEveryWay(self.file([0x0008_1140: sequence(.US)])) == .lengthOverflow)
    }

    @Test func `H11: an undefined length needs items`() throws {
        let content = TestBytes.item(TestBytes.element(Tag(0x0008, 0x0100), .SH, "A1")) + TestBytes.sequenceEnd
        let good = TestBytes.element(Tag(0x0009, 0x1001), .UT, content, length: TestBytes.undefined)
        let file = try readEveryWay(file([0x0009_1001: good]))
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.items?.first?.text(0x0008, 0x0100) == "A1")
        let bad = TestBytes.element(Tag(0x0009, 0x1001), .UT, Array("text".utf8), length: TestBytes.undefined)
        #expect(failureEveryWay(self.file([0x0009_1001: bad])) == .undefinedLength)
    }

    @Test(arguments: [0xFFFF_FFFE, 0x7FFF_FFFF, 100_000])
    func `H12: refuses a length beyond the file without allocating`(length: Int) {
        let element = TestBytes.element(Tag(0x0042, 0x0011), .OB, [1, 2, 3, 4, 5, 6, 7, 8], length: length)
        #expect(failureEveryWay(file([0x0042_0011: element], dropping: [pixelData])) == .truncated)
    }

    @Test func `H13: sorts tags that are out of order`() throws {
        let elements = instance.dataSet().map { TestBytes.encode($0) }
        let bytes = instance.part10(dataSet: elements.dropLast().reversed().flatMap { $0 } + (elements.last ?? []))
        let file = try readEveryWay(bytes)
        #expect(file.dataSet.map(\.tag) == instance.dataSet().map(\.tag))
        #expect(file.rules == [.tagsOutOfOrder])
        #expect(file.isFaithful)
    }

    @Test func `H14: the first of two counts, but identifying UIDs must agree`() throws {
        let first = TestBytes.element(Tag(0x0008, 0x0070), .LO, "ONE ")
        let second = TestBytes.element(Tag(0x0008, 0x0070), .LO, "TWO ")
        let file1 = try readEveryWay(file([0x0008_0070: first + second]))
        #expect(file1.text(0x0008, 0x0070) == "ONE")
        #expect(file1.rules == [.duplicateTag])
        let study = Tag(0x0020, 0x000D)
        let own = TestBytes.element(study, .UI, instance.studyUID)
        #expect(try readEveryWay(file([study.rawValue: own + own])).text(0x0020, 0x000D) == instance.studyUID)
        let other = TestBytes.element(study, .UI, "1.2.3.4")
        #expect(failureEveryWay(file([study.rawValue: own + other])) == .conflictingUIDs(study))
    }

    @Test func `H16 and H19: drops group lengths and trailing padding`() throws {
        var changes: [UInt32: [UInt8]] = [
            0x0008_0000: TestBytes.element(Tag(0x0008, 0x0000), .UL, [3, 0, 0, 0]),
            0x0010_0000: TestBytes.element(Tag(0x0010, 0x0000), .UN, [0, 0xFF, 0xFF, 0xFF]),
        ]
        for count in [0, 2, 1000] {
            changes[0xFFFC_FFFC] = TestBytes.element(
                .dataSetTrailingPadding, .OB, [UInt8](repeating: 0x55, count: count))
            let file = try readEveryWay(file(changes))
            #expect(!file.dataSet.contains { $0.tag.isGroupLength || $0.tag == .dataSetTrailingPadding })
            #expect(file.dataSet.count == instance.dataSet().count + 1)
            #expect(file.isFaithful)
        }
    }

    @Test func `H17: odd groups below 8 are skipped when empty, else refused`() throws {
        let empty = TestBytes.element(Tag(0x0003, 0x0010), .LO)
        let file = try readEveryWay(instance.part10(dataSet: TestBytes.encode(instance.dataSet()) + empty))
        #expect(file.rules == [.skippedTag])
        let full = TestBytes.element(Tag(0x0003, 0x0010), .LO, "ab")
        let bytes = instance.part10(dataSet: TestBytes.encode(instance.dataSet()) + full)
        #expect(failureEveryWay(bytes) == .invalidTag(Tag(0x0003, 0x0010)))
    }

    @Test func `H18: skips delimiters that delimit nothing`() throws {
        let bytes = instance.part10(
            dataSet: TestBytes.encode(instance.dataSet()) + TestBytes.itemEnd + TestBytes.sequenceEnd)
        let file = try readEveryWay(bytes)
        #expect(file.rules == [.strayDelimiter])
        #expect(file.dataSet.count == instance.dataSet().count)
    }

    @Test func `H21: never enters UN of a private block`() throws {
        let value: [UInt8] = [0x20, 5, 0x10, 1, 0x55, 0x4E, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4, 0xFF, 0xFE, 0xE0, 0]
        let file = try readEveryWay(file([0x0009_1080: TestBytes.element(Tag(0x0009, 0x1080), .UN, value)]))
        #expect(file.dataSet[Tag(0x0009, 0x1080)]?.bytes.map(Array.init) == value)
        let items = TestBytes.item(TestBytes.implicit(Tag(0x0008, 0x0100), "A1"))
        let other = try readEveryWay(self.file([0x0009_1080: TestBytes.element(Tag(0x0009, 0x1080), .UN, items)]))
        #expect(other.dataSet[Tag(0x0009, 0x1080)]?.bytes.map(Array.init) == items)
    }

    @Test func `H2 and H3: recovers an empty value of a long VR with a short length`() throws {
        let element = TestBytes.tag(Tag(0x0008, 0x0119)) + Array("UC".utf8) + TestBytes.uint16(0)
        let file = try readEveryWay(self.file([0x0008_0119: element]))
        #expect(file.rules == [.shortLengthField])
        #expect(file.dataSet[Tag(0x0008, 0x0119)]?.bytes?.isEmpty == true)
        #expect(file.dataSet.string(for: Tag(0x0010, 0x0010)) == "Smith^John")
    }

    @Test func `an item that ends inside a header is an error`() {
        for length in 9..<12 {
            let cut = TestBytes.item([], length: length) + TestBytes.element(Tag(0x0008, 0x0119), .UC, "ABCD")
            #expect(throws: DataSetReadError.self) {
                try readEveryWay(file([0x0008_2218: TestBytes.element(Tag(0x0008, 0x2218), .SQ, cut)]))
            }
        }
    }
}
