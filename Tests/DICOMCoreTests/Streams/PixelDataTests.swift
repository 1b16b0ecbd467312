import DICOMCore
import GantryTesting
import Testing

/// Testing has a `Tag` too.
private typealias Tag = DICOMCore.Tag

@Suite struct PixelDataTests {
    let instance = TestInstance()
    let jpeg2000 = "1.2.840.10008.1.2.4.90"
    private let tag = Tag(0x7FE0, 0x0010)
    let frame: [UInt8] = [0xFF, 0x4F, 0xFF, 0x51, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]

    func file(_ items: [UInt8], after: [UInt8] = [], length: Int = TestBytes.undefined, vr: VR = .OB) -> [UInt8] {
        let element = TestBytes.element(tag, vr, items, length: length)
        return instance.part10(
            dataSet: instance.merged(dropping: [pixelData]) + element + after, transferSyntaxUID: jpeg2000)
    }

    func fragments(_ file: DICOMFile) throws -> EncapsulatedValue {
        guard case .fragments(let value) = try #require(file.dataSet[tag]).value else {
            throw Difference(feed: "", whole: "fragments", pieces: "something else")
        }
        return value
    }

    @Test func `X1 and X7: records fragments, and never looks for delimiters inside them`() throws {
        let bytes = file(TestBytes.item() + TestBytes.item(frame) + TestBytes.item([1, 2]) + TestBytes.sequenceEnd)
        let file = try readEveryWay(bytes)
        let value = try fragments(file)
        #expect(value.basicOffsetTable.isEmpty)
        #expect(value.fragments.map(\.head) == [0xFF4F_FF51, 0x0102_0000])
        #expect(value.fragments.map { Array(bytes[$0.range]) } == [frame, [1, 2]])
        #expect(value.origin == value.fragments[0].range.lowerBound - 8)
        #expect(file.isFaithful)
        #expect(file.findings.isEmpty)
    }

    @Test func `X2: reads the Basic Offset Table`() throws {
        let table = TestBytes.uint32(0) + TestBytes.uint32(frame.count + 8)
        let bytes = file(
            TestBytes.item(table) + TestBytes.item(frame) + TestBytes.item(frame) + TestBytes.sequenceEnd)
        let value = try fragments(try readEveryWay(bytes))
        #expect(value.basicOffsetTable == [0, UInt32(frame.count + 8)])
        #expect(value.fragments.count == 2)
        let long = (0..<3000).flatMap { TestBytes.uint32($0) }
        let value2 = try fragments(try readEveryWay(file(TestBytes.item(long) + TestBytes.sequenceEnd)))
        #expect(value2.basicOffsetTable == (0..<3000).map { UInt32($0) })
    }

    @Test func `X5: notices that the offset table is missing`() throws {
        let file = try readEveryWay(file(TestBytes.item(frame) + TestBytes.sequenceEnd))
        let value = try fragments(file)
        #expect(value.fragments.count == 1)
        #expect(value.origin == value.fragments[0].range.lowerBound - 8)
        #expect(file.rules == [.missingOffsetTable])
        #expect(file.isFaithful)
    }

    @Test func `X6: takes odd and empty fragments`() throws {
        let file = try readEveryWay(
            file(
                TestBytes.item() + TestBytes.item([0xFF, 0x4F, 1]) + TestBytes.item() + TestBytes.item([9])
                    + [0] + TestBytes.item(frame) + TestBytes.sequenceEnd))
        #expect(try fragments(file).fragments.map(\.range.count) == [3, 0, 1, frame.count])
    }

    @Test func `X8: a complete last fragment needs no delimiter, an incomplete one is truncated`() throws {
        let bytes = file(TestBytes.item() + TestBytes.item(frame))
        let file1 = try readEveryWay(bytes)
        #expect(try fragments(file1).fragments.count == 1)
        #expect(file1.rules == [.missingSequenceDelimiter])
        #expect(failureEveryWay(Array(bytes.dropLast(2))) == .truncated)
        let after = TestBytes.element(Tag(0x7FE1, 0x0010), .LO, "ACME")
        let file2 = try readEveryWay(file(TestBytes.item() + TestBytes.item(frame), after: after))
        #expect(file2.text(0x7FE1, 0x0010) == "ACME")
    }

    @Test func `H8: finds fragments in a defined length, and native bytes under a compressed syntax`() throws {
        let items = TestBytes.item() + TestBytes.item(frame)
        let file1 = try readEveryWay(
            file(items, after: TestBytes.element(Tag(0x7FE1, 0x0010), .LO, "ACME"), length: items.count, vr: .UN))
        #expect(try fragments(file1).fragments.count == 1)
        #expect(file1.rules == [.mislabelledPixelData])
        #expect(file1.text(0x7FE1, 0x0010) == "ACME")
        let file2 = try readEveryWay(file([1, 2, 3, 4, 5, 6, 7, 8], length: 8))
        #expect(file2.rules == [.mislabelledPixelData])
        guard case .bulk = file2.dataSet[tag]?.value else {
            Issue.record("not native")
            return
        }
    }

    @Test(arguments: [8, 16])
    func `X9 and X10: compares native pixel data with its attributes`(bits: Int) throws {
        var image = instance
        image.bitsAllocated = bits
        image.frames = 3
        let bytes = image.part10()
        #expect(try readEveryWay(bytes).findings.isEmpty)
        #expect(failureEveryWay(Array(bytes.dropLast(50))) == .truncated)
        let short = TestBytes.element(tag, .OW, Array(image.pixelData.dropLast(50)))
        #expect(failureEveryWay(image.part10(dataSet: image.merged([pixelData: short]))) == .truncated)
        let long = TestBytes.element(tag, .OW, image.pixelData + [UInt8](repeating: 0, count: 1000))
        #expect(
            try readEveryWay(image.part10(dataSet: image.merged([pixelData: long]))).rules == [.pixelDataTooLong])
    }

    @Test func `X13 to X15: odd attributes do not overflow and do not refuse`() throws {
        for changed in [Tag(0x0028, 0x0010), Tag(0x0028, 0x0011), Tag(0x0028, 0x0002)] {
            let zero = TestBytes.element(changed, .US, [0, 0])
            #expect(try readEveryWay(instance.part10(dataSet: instance.merged([changed.rawValue: zero]))).isFaithful)
            #expect(
                try readEveryWay(instance.part10(dataSet: instance.merged(dropping: [changed.rawValue]))).isFaithful)
        }
        let huge: [UInt32: [UInt8]] = [
            0x0028_0008: TestBytes.element(Tag(0x0028, 0x0008), .IS, "999999999999"),
            0x0028_0010: TestBytes.element(Tag(0x0028, 0x0010), .US, [0xFF, 0xFF]),
            0x0028_0011: TestBytes.element(Tag(0x0028, 0x0011), .US, [0xFF, 0xFF]),
        ]
        #expect(failureEveryWay(instance.part10(dataSet: instance.merged(huge))) == .truncated)
        let packed: [UInt32: [UInt8]] = [
            0x0028_0100: TestBytes.element(Tag(0x0028, 0x0100), .US, [12, 0]),
            pixelData: TestBytes.element(tag, .OW, [UInt8](repeating: 1, count: 54)),
        ]
        #expect(try readEveryWay(instance.part10(dataSet: instance.merged(packed))).isFaithful)
    }

    @Test func `X16: without a pixel representation numbers are unsigned`() throws {
        let smallest = TestBytes.implicit(Tag(0x0028, 0x0106), [0x40, 0x9C])
        let bytes = try instance.part10(
            dataSet: instance.encoded(.implicitVRLittleEndian) + smallest,
            transferSyntaxUID: TransferSyntax.implicitVRLittleEndian.uid)
        #expect(try readEveryWay(bytes).dataSet[Tag(0x0028, 0x0106)]?.vr == .US)
        var signed = instance.dataSet(hasPixelData: false)
        signed.set(DataElement(Tag(0x0028, 0x0103), .US, .bytes([1, 0])))
        signed.set(DataElement(Tag(0x0028, 0x0106), .SS, .bytes([1, 0])))
        var encoded: [UInt8] = []
        try DataSetEncoder(transferSyntax: .implicitVRLittleEndian).encode(signed, into: &encoded)
        let file = try readEveryWay(
            instance.part10(dataSet: encoded, transferSyntaxUID: TransferSyntax.implicitVRLittleEndian.uid))
        #expect(file.dataSet[Tag(0x0028, 0x0106)]?.vr == .SS)
    }

    @Test func `X20: reads on behind pixel data`() throws {
        let after =
            TestBytes.element(Tag(0x7FE1, 0x0010), .LO, "ACME")
            + TestBytes.element(
                Tag(0xFFFA, 0xFFFA), .SQ, TestBytes.item(TestBytes.element(Tag(0x0400, 0x0100), .UI, "1.2.3")))
        let file = try readEveryWay(instance.part10() + after)
        #expect(file.text(0x7FE1, 0x0010) == "ACME")
        #expect(file.dataSet[Tag(0xFFFA, 0xFFFA)]?.items?.first?.text(0x0400, 0x0100) == "1.2.3")
    }

    @Test func `X21: reports integer and float pixel data together`() throws {
        let float = TestBytes.element(Tag(0x7FE0, 0x0008), .OF, [UInt8](repeating: 0, count: 144))
        let file = try readEveryWay(instance.part10(dataSet: instance.merged([0x7FE0_0008: float])))
        #expect(file.rules == [.severalPixelData])
    }

    @Test func `retention keeps small values and leaves large ones in the stream`() throws {
        let large = [UInt8](repeating: 7, count: 5000)
        let text = [UInt8](repeating: 0x41, count: 17000)
        let changes: [UInt32: [UInt8]] = [
            0x0042_0011: TestBytes.element(Tag(0x0042, 0x0011), .OB, large),
            0x0040_A160: TestBytes.element(Tag(0x0040, 0xA160), .UT, text),
            0x6000_3000: TestBytes.element(Tag(0x6000, 0x3000), .OW, Array(large.prefix(4000))),
            0x7FE0_0001: TestBytes.element(Tag(0x7FE0, 0x0001), .OV, [UInt8](repeating: 1, count: 8000)),
        ]
        let bytes = instance.part10(dataSet: instance.merged(changes))
        let file = try readEveryWay(bytes)
        guard case .bulk(.range(let range)) = file.dataSet[Tag(0x0042, 0x0011)]?.value,
            case .bulk(.range(let textRange)) = file.dataSet[Tag(0x0040, 0xA160)]?.value
        else {
            Issue.record("large values were kept")
            return
        }
        #expect(Array(bytes[range]) == large)
        #expect(Array(bytes[textRange]) == text)
        #expect(file.dataSet[Tag(0x6000, 0x3000)]?.bytes?.count == 4000)
        #expect(file.dataSet[Tag(0x7FE0, 0x0001)]?.bytes?.count == 8000)
        let all = try read(bytes, ChunkFeed(size: 999), retention: .everything)
        #expect(all.dataSet[Tag(0x0042, 0x0011)]?.bytes.map(Array.init) == large)
        #expect(all.dataSet[tag]?.bytes.map(Array.init) == instance.pixelData)
    }

    @Test(arguments: [1, 35, 36]) func `X9: cut pixel data is read where the rules accept it`(missing: Int) throws {
        var rules = ReadingRules.tolerant
        rules.acceptsTruncatedPixelData = true
        let bytes = Array(instance.part10().dropLast(missing))
        let whole = try Part10Reader.read(bytes, rules: rules)
        for feed in ChunkFeed.all {
            let file = try read(bytes, feed, rules: rules)
            #expect(file.dataSet == whole.dataSet)
            #expect(file.findings.map(\.rule).contains(.truncatedPixelData))
        }
        guard case .bulk(.range(let range)) = try #require(whole.dataSet[tag]).value else {
            Issue.record("the pixel data is not in the stream")
            return
        }
        #expect(range.count == 36 - missing)
        #expect(range.upperBound == bytes.count)
        let kept = try read(bytes, ChunkFeed(size: 5), rules: rules, retention: .everything)
        #expect(kept.dataSet[tag]?.bytes.map(Array.init) == Array(instance.pixelData.prefix(36 - missing)))
    }

    @Test func `X9: a value that is shorter than the attributes say is accepted too`() throws {
        var rules = ReadingRules.tolerant
        rules.acceptsTruncatedPixelData = true
        let short = TestBytes.element(tag, .OB, [1, 2, 3, 4])
        let file = try Part10Reader.read(instance.part10(dataSet: instance.merged([pixelData: short])), rules: rules)
        #expect(file.findings.map(\.rule) == [.truncatedPixelData])
    }
}
