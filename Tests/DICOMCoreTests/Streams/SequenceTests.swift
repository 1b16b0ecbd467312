import DICOMCore
import GantryTesting
import Testing

/// Testing has a `Tag` too.
private typealias Tag = DICOMCore.Tag

@Suite struct SequenceTests {
    let instance = TestInstance()
    private let tag = Tag(0x0008, 0x2218)
    let code = TestBytes.element(Tag(0x0008, 0x0100), .SH, "A1")
    let implicitCode = TestBytes.implicit(Tag(0x0008, 0x0100), "A1")

    func file(_ element: [UInt8]) -> [UInt8] { instance.part10(dataSet: instance.merged([tag.rawValue: element])) }

    func sequence(_ items: [[UInt8]], _ isUndefined: Bool, _ areUndefined: Bool, tag: DICOMCore.Tag) -> [UInt8] {
        let content: [UInt8] = items.flatMap { item in
            areUndefined
                ? TestBytes.item(item, length: TestBytes.undefined) + TestBytes.itemEnd : TestBytes.item(item)
        }
        return isUndefined
            ? TestBytes.element(tag, .SQ, content + TestBytes.sequenceEnd, length: TestBytes.undefined)
            : TestBytes.element(tag, .SQ, content)
    }

    @Test func `S1: reads defined and undefined lengths in all combinations`() throws {
        var changes: [UInt32: [UInt8]] = [:]
        for index in 0..<4 {
            let tag = Tag(0x0008, 0x1110 + UInt16(index))
            let inner = sequence([code], index & 2 != 0, index & 1 != 0, tag: Tag(0x0040, 0xA170))
            changes[tag.rawValue] = sequence([code + inner, code + inner], index & 1 != 0, index & 2 != 0, tag: tag)
        }
        let file = try readEveryWay(instance.part10(dataSet: instance.merged(changes)))
        for index in 0..<4 {
            let items = try #require(file.dataSet[Tag(0x0008, 0x1110 + UInt16(index))]?.items)
            #expect(items.count == 2)
            let inner = try #require(items[1][Tag(0x0040, 0xA170)]?.items)
            #expect(inner.map { $0.text(0x0008, 0x0100) } == ["A1"])
        }
        #expect(file.findings.isEmpty)
    }

    @Test func `S2: UN of undefined length is implicit VR, in any transfer syntax`() throws {
        let nested =
            TestBytes.implicit(
                Tag(0x0040, 0xA170),
                TestBytes.item(implicitCode, length: TestBytes.undefined) + TestBytes.itemEnd + TestBytes.sequenceEnd,
                length: TestBytes.undefined)
        let content =
            TestBytes.item(implicitCode + nested, length: TestBytes.undefined) + TestBytes.itemEnd
            + TestBytes.sequenceEnd
        let file1 = try readEveryWay(file(TestBytes.element(tag, .UN, content, length: TestBytes.undefined)))
        let item = try #require(file1.dataSet[tag]?.items?.first)
        #expect(file1.dataSet[tag]?.vr == .SQ)
        #expect(item.text(0x0008, 0x0100) == "A1")
        #expect(item[Tag(0x0040, 0xA170)]?.items?.first?.text(0x0008, 0x0100) == "A1")
        // Big endian around it.
        let big = try instance.encoded(.explicitVRBigEndian)
        let element =
            TestBytes.element(tag, .UN, [], length: TestBytes.undefined, bigEndian: true) + content
        let file2 = try readEveryWay(
            instance.part10(dataSet: element + big, transferSyntaxUID: TransferSyntax.explicitVRBigEndian.uid))
        #expect(file2.dataSet[tag]?.items?.first?.text(0x0008, 0x0100) == "A1")
        #expect(file2.text(0x0010, 0x0020) == "P1")
    }

    @Test func `S3: UN of a known sequence is entered only when it parses`() throws {
        let good = try readEveryWay(file(TestBytes.element(tag, .UN, TestBytes.item(implicitCode))))
        #expect(good.dataSet[tag]?.items?.first?.text(0x0008, 0x0100) == "A1")
        let opaque = try readEveryWay(file(TestBytes.element(tag, .UN, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])))
        #expect(opaque.dataSet[tag]?.vr == .UN)
        let broken = TestBytes.item(TestBytes.implicit(Tag(0x0008, 0x0100), [1, 2], length: 500))
        #expect(try readEveryWay(file(TestBytes.element(tag, .UN, broken))).dataSet[tag]?.vr == .UN)
    }

    @Test func `S4: explicit elements inside UN are recognised item by item`() throws {
        let content = TestBytes.item(code) + TestBytes.item(implicitCode) + TestBytes.sequenceEnd
        let file = try readEveryWay(file(TestBytes.element(tag, .UN, content, length: TestBytes.undefined)))
        #expect(file.dataSet[tag]?.items?.map { $0.text(0x0008, 0x0100) } == ["A1", "A1"])
        #expect(file.rules == [.explicitItemInImplicit])
    }

    @Test func `S5: private sequences in implicit VR are found by their items`() throws {
        let defined = TestBytes.implicit(Tag(0x0009, 0x1001), TestBytes.item(implicitCode))
        let undefined = TestBytes.implicit(
            Tag(0x0009, 0x1002), TestBytes.item(implicitCode) + TestBytes.sequenceEnd, length: TestBytes.undefined)
        let opaque = TestBytes.implicit(Tag(0x0009, 0x1003), [1, 2, 3, 4, 5, 6, 7, 8])
        let creator = TestBytes.implicit(Tag(0x0009, 0x0010), "ACME")
        let bytes = try instance.part10(
            dataSet: instance.encoded(.implicitVRLittleEndian), transferSyntaxUID: "1.2.840.10008.1.2")
        let file = try readEveryWay(bytes + creator + defined + undefined + opaque)
        #expect(file.dataSet[Tag(0x0009, 0x1001)]?.items?.first?.text(0x0008, 0x0100) == "A1")
        #expect(file.dataSet[Tag(0x0009, 0x1002)]?.items?.first?.text(0x0008, 0x0100) == "A1")
        #expect(file.dataSet[Tag(0x0009, 0x1003)]?.vr == .UN)
        #expect(file.dataSet[Tag(0x0009, 0x0010)]?.vr == .LO)
    }

    @Test func `S6 and S8: forgives delimiters that are missing or have a length`() throws {
        let open = TestBytes.item(code, length: TestBytes.undefined)
        let file1 = try readEveryWay(
            file(TestBytes.element(tag, .SQ, open + TestBytes.sequenceEnd, length: TestBytes.undefined)))
        #expect(file1.dataSet[tag]?.items?.count == 1)
        #expect(file1.rules == [.missingItemDelimiter])
        let ends = TestBytes.tag(.itemDelimitationItem) + TestBytes.uint32(TestBytes.undefined)
        let file2 = try readEveryWay(
            file(
                TestBytes.element(
                    tag, .SQ, open + ends + TestBytes.tag(.sequenceDelimitationItem) + TestBytes.uint32(8),
                    length: TestBytes.undefined)))
        #expect(file2.dataSet[tag]?.items?.count == 1)
        #expect(file2.rules == [.delimiterLength])
        #expect(file2.text(0x0020, 0x000D) == instance.studyUID)
    }

    @Test func `S7: the last sequence needs no delimiter at the end of the file`() throws {
        let last = TestBytes.element(
            Tag(0x7FE1, 0x1001), .SQ, TestBytes.item(code, length: TestBytes.undefined) + TestBytes.itemEnd,
            length: TestBytes.undefined)
        let bytes = instance.part10(dataSet: instance.merged(dropping: [pixelData]) + last)
        let file = try readEveryWay(bytes)
        #expect(file.dataSet[Tag(0x7FE1, 0x1001)]?.items?.first?.text(0x0008, 0x0100) == "A1")
        #expect(file.rules == [.missingSequenceDelimiter])
        #expect(failureEveryWay(Array(bytes[..<(bytes.count - 8)])) == .truncated)
    }

    @Test func `S9 and S13: refuses items that do not fit, and item tags in the wrong byte order`() {
        let long = TestBytes.element(tag, .SQ, TestBytes.item(code, length: 5000))
        #expect(failureEveryWay(file(long)) == .lengthOverflow)
        let swapped = TestBytes.element(tag, .SQ, TestBytes.item(code, bigEndian: true))
        #expect(failureEveryWay(file(swapped)) == .invalidItem)
        let item = TestBytes.item(code + code)
        let cut = TestBytes.element(tag, .SQ, item, length: item.count - 10)
        #expect(failureEveryWay(file(cut)) == .lengthOverflow)
    }

    @Test func `S10: keeps absent, empty and empty item apart`() throws {
        let cases: [([UInt8], Int)] = [
            (TestBytes.element(tag, .SQ), 0),
            (TestBytes.element(tag, .SQ, TestBytes.sequenceEnd, length: TestBytes.undefined), 0),
            (TestBytes.element(tag, .SQ, TestBytes.item()), 1),
            (sequence([[], []], true, true, tag: tag), 2),
        ]
        for (element, count) in cases {
            let items = try #require(try readEveryWay(file(element)).dataSet[tag]?.items)
            #expect(items.count == count)
            #expect(items.allSatisfy { $0.isEmpty })
        }
        #expect(try readEveryWay(instance.part10()).dataSet[tag] == nil)
    }

    @Test func `S11: refuses other tags where an item belongs, unless empty`() throws {
        let empty = TestBytes.tag(Tag(0x0008, 0x0000)) + TestBytes.uint32(0)
        let file = try readEveryWay(file(TestBytes.element(tag, .SQ, empty + TestBytes.item(code))))
        #expect(file.dataSet[tag]?.items?.count == 1)
        #expect(file.rules == [.skippedNonItem])
        #expect(failureEveryWay(self.file(TestBytes.element(tag, .SQ, code))) == .invalidItem)
    }

    @Test func `S12: stops at 64 levels, in linear time`() throws {
        let level =
            TestBytes.element(tag, .SQ, length: TestBytes.undefined) + TestBytes.item(length: TestBytes.undefined)
        let end = TestBytes.itemEnd + TestBytes.sequenceEnd
        func nested(_ depth: Int) -> [UInt8] {
            (0..<depth).flatMap { _ in level } + code + (0..<depth).flatMap { _ in end }
        }
        #expect(try readEveryWay(file(nested(64))).dataSet.count == instance.dataSet().count + 1)
        #expect(failureEveryWay(file(nested(65))) == .nestingTooDeep(limit: 64))
        #expect(failure(file(nested(100_000)), ChunkFeed(size: 4096)) == .nestingTooDeep(limit: 64))
        // The same hidden in UN, where each level is looked into before it is entered.
        var hidden = implicitCode
        for _ in 0..<70 { hidden = TestBytes.implicit(tag, TestBytes.item(hidden)) }
        let bytes = file(TestBytes.element(tag, .UN, TestBytes.item(hidden)))
        #expect(failure(bytes) == .nestingTooDeep(limit: 64))
    }

    @Test func `S12: stops at the item and element limits`() {
        var limits = ReadLimits.standard
        limits.items = 1000
        limits.privateElements = 500
        limits.bytes = 100_000
        let items = [UInt8]((0..<2000).flatMap { _ in TestBytes.item() })
        let bomb = TestBytes.element(tag, .SQ, items)
        #expect(failure(file(bomb), limits: limits) == .tooManyItems(limit: 1000))
        #expect(failure(file(bomb), ChunkFeed(size: 100), limits: limits) == .tooManyItems(limit: 1000))
        let privates = (0..<1000).flatMap { TestBytes.element(Tag(0x0009, 0x1000 + UInt16($0)), .SH) }
        let many = file(privates)
        #expect(failure(many, limits: limits) == .tooManyElements(limit: 500))
        let large = file(
            TestBytes.element(Tag(0x0008, 0x1111), .UC, [UInt8](repeating: 0x41, count: 16000))
                + (0..<10).flatMap { _ in
                    TestBytes.element(Tag(0x0008, 0x1112), .UC, [UInt8](repeating: 0x41, count: 16000))
                })
        #expect(failure(large, limits: limits) == .tooManyBytes(limit: 100_000))
    }

    @Test func `S14: an item's character set holds for it and what is in it`() throws {
        let greek = TestBytes.element(Tag(0x0008, 0x0005), .CS, "ISO_IR 126")
        let inner = TestBytes.element(Tag(0x0040, 0xA730), .SQ, TestBytes.item(code))
        let element = TestBytes.element(
            tag, .SQ, TestBytes.item(greek + code + inner) + TestBytes.item(code + inner))
        let file = try readEveryWay(file(element))
        let items = try #require(file.dataSet[tag]?.items)
        #expect(file.dataSet.characterSet.terms == ["ISO_IR 100"])
        #expect(items[0].characterSet.terms == ["ISO_IR 126"])
        #expect(items[0][Tag(0x0040, 0xA730)]?.items?.first?.characterSet.terms == ["ISO_IR 126"])
        #expect(items[1].characterSet.terms == ["ISO_IR 100"])
        #expect(items[1][Tag(0x0040, 0xA730)]?.items?.first?.characterSet.terms == ["ISO_IR 100"])
    }

    @Test func `S16: an icon's pixel data is not the instance's`() throws {
        let icon = TestBytes.element(
            Tag(0x0088, 0x0200), .SQ,
            TestBytes.item(
                TestBytes.element(
                    Tag(0x7FE0, 0x0010), .OB,
                    TestBytes.item() + TestBytes.item([0xFF, 0xD8, 1, 2]) + TestBytes.sequenceEnd,
                    length: TestBytes.undefined)))
        let file = try readEveryWay(instance.part10(dataSet: instance.merged([0x0088_0200: icon])))
        let value = file.dataSet[Tag(0x0088, 0x0200)]?.items?.first?[Tag(0x7FE0, 0x0010)]?.value
        guard case .fragments(let fragments) = value else {
            Issue.record("the icon is not encapsulated")
            return
        }
        #expect(fragments.fragments.map(\.head) == [0xFFD8_0102])
        guard case .bulk(.range(let range)) = file.dataSet[Tag(0x7FE0, 0x0010)]?.value else {
            Issue.record("the image is not native")
            return
        }
        #expect(range.count == 36)
    }
}
