import DICOMCore
import GantryTesting
import Testing

/// Testing has a `Tag` too.
private typealias Tag = DICOMCore.Tag

@Suite struct Part10ConverterTests {
    func convert(
        _ bytes: [UInt8], to target: TransferSyntax, _ feed: ChunkFeed = .whole
    ) throws -> [UInt8] {
        var converter = Part10Converter(from: .init(try Part10Reader.read(bytes)), to: target)
        var output: [UInt8] = []
        try feed.forEach(in: bytes) { (piece) throws(DataSetReadError) in
            try converter.receive(piece, into: &output)
        }
        try converter.finish(into: &output)
        return output
    }

    /// An instance with sequences, signed numbers, private elements and 16-bit pixels.
    var instance: TestInstance {
        var instance = TestInstance()
        instance.bitsAllocated = 16
        let code = DataElement(Tag(0x0008, 0x0100), .SH, .bytes(Array("A1".utf8)[...]))
        instance.elements = [
            DataElement(Tag(0x0008, 0x2218), .SQ, .items([DataSet([code]), DataSet()])),
            DataElement(Tag(0x0009, 0x0010), .LO, .bytes(Array("ACME".utf8)[...])),
            DataElement(Tag(0x0009, 0x1001), .UN, .bytes([1, 2, 3, 4])),
            DataElement(Tag(0x0018, 0x9087), .FD, .bytes([1, 2, 3, 4, 5, 6, 7, 8])),
            DataElement(Tag(0x0028, 0x0103), .US, .bytes([1, 0])),
            DataElement(Tag(0x0028, 0x0106), .SS, .bytes([0xFE, 0xFF])),
        ]
        return instance
    }

    @Test(arguments: [
        TransferSyntax.implicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
    ])
    func `makes explicit VR little endian of every other plain encoding`(syntax: TransferSyntax) throws {
        var data = try instance.encoded(syntax)
        if syntax.isBigEndian {
            // The encoder has swapped pixel data as words already.
            #expect(data.suffix(2) == [instance.pixelData[instance.pixelData.count - 1], 0x46])
        }
        data = data + []
        let bytes = instance.part10(dataSet: data, transferSyntaxUID: syntax.uid)
        let whole = try convert(bytes, to: .explicitVRLittleEndian)
        for feed in ChunkFeed.all {
            #expect(try convert(bytes, to: .explicitVRLittleEndian, feed) == whole)
        }
        let file = try read(whole, rules: .strict, retention: .everything)
        #expect(file.transferSyntax == .explicitVRLittleEndian)
        #expect(file.isFaithful)
        #expect(file.findings.isEmpty)
        #expect(file.dataSet == instance.dataSet())
    }

    @Test func `makes a deflated file that reads back the same`() throws {
        let bytes = instance.part10()
        let syntax = TransferSyntax.deflatedExplicitVRLittleEndian
        let deflated = try convert(bytes, to: syntax, ChunkFeed(size: 100))
        let file = try read(deflated, rules: .strict, retention: .everything)
        #expect(file.transferSyntax == syntax)
        #expect(file.dataSet == instance.dataSet())
        #expect(deflated.count % 2 == 0)
        let implicit = instance.part10(
            dataSet: try instance.encoded(.implicitVRLittleEndian), transferSyntaxUID: "1.2.840.10008.1.2")
        #expect(try read(convert(implicit, to: syntax), retention: .everything).dataSet == instance.dataSet())
    }

    @Test func `keeps the data set of a compressed file byte for byte`() throws {
        let content = TestBytes.item() + TestBytes.item([0xFF, 0xD8, 1, 2]) + TestBytes.sequenceEnd
        let data =
            instance.merged(dropping: [pixelData])
            + TestBytes.element(Tag(0x7FE0, 0x0010), .OB, content, length: TestBytes.undefined)
        let jpeg = "1.2.840.10008.1.2.4.50"
        let bytes = Array(instance.part10(dataSet: data, transferSyntaxUID: jpeg)[132...])
        let syntax = try #require(TransferSyntax(uid: jpeg))
        let output = try convert(bytes, to: syntax)
        #expect(Array(output.suffix(data.count)) == data)
        #expect(try read(output, rules: .strict).isFaithful)
    }

    @Test func `writes long values in short VRs as UN, pads odd ones, drops group lengths`() throws {
        let long = [UInt8](repeating: 0x41, count: 70001)
        let data =
            TestBytes.implicit(Tag(0x0008, 0x0000), [1, 2, 3, 4])
            + (try instance.encoded(.implicitVRLittleEndian))
            + TestBytes.implicit(Tag(0x7FE1, 0x0010), "ACME")
            + TestBytes.implicit(Tag(0x7FE1, 0x1001), [1, 2, 3])
            + TestBytes.implicit(Tag(0xFFFA, 0x0000), [1, 2, 3, 4])
        let name = TestBytes.implicit(Tag(0x0008, 0x0070), long)
        let bytes = instance.part10(dataSet: name + data, transferSyntaxUID: "1.2.840.10008.1.2")
        let file = try read(
            convert(bytes, to: .explicitVRLittleEndian, ChunkFeed(size: 501)), retention: .everything)
        #expect(file.dataSet[Tag(0x0008, 0x0070)]?.vr == .UN)
        #expect(file.dataSet[Tag(0x0008, 0x0070)]?.bytes?.count == 70002)
        #expect(file.dataSet[Tag(0x7FE1, 0x1001)]?.vr == .UN)
        #expect(file.dataSet[Tag(0x7FE1, 0x1001)]?.bytes.map(Array.init) == [1, 2, 3, 0])
        #expect(file.text(0x7FE1, 0x0010) == "ACME")
        #expect(!file.rules.contains(.oddLength))
    }

    @Test func `swaps the pixel data of GE's private transfer syntax`() throws {
        var swapped = instance.pixelData
        for index in stride(from: 0, to: swapped.count, by: 2) { swapped.swapAt(index, index + 1) }
        var set = instance.dataSet()
        set.set(DataElement(Tag(0x7FE0, 0x0010), .OW, .bytes(swapped[...])))
        var data: [UInt8] = []
        try DataSetEncoder(transferSyntax: .implicitVRLittleEndian).encode(set, into: &data)
        let bytes = instance.part10(dataSet: data, transferSyntaxUID: "1.2.840.113619.5.2")
        let file = try read(convert(bytes, to: .explicitVRLittleEndian), retention: .everything)
        #expect(file.dataSet == instance.dataSet())
    }

    @Test func `needs little memory for a large value`() throws {
        var image = instance
        image.rows = 1000
        image.columns = 1000
        let data = try image.encoded(.implicitVRLittleEndian)
        let bytes = image.part10(dataSet: data, transferSyntaxUID: "1.2.840.10008.1.2")
        var converter = Part10Converter(from: .init(try Part10Reader.read(bytes)), to: .explicitVRLittleEndian)
        var largest = 0
        var total = 0
        try ChunkFeed(size: 65536).forEach(in: bytes) { (piece) throws(DataSetReadError) in
            var output: [UInt8] = []
            try converter.receive(piece, into: &output)
            largest = max(largest, output.count)
            total += output.count
        }
        #expect(largest < 70000)
        #expect(total > 2_000_000)
    }

    /// Three frames of a size, each in a fragment of its own.
    func encapsulatedUncompressed(
        _ instance: TestInstance, bits: Int? = nil, _ fragments: [[UInt8]]
    ) -> [UInt8] {
        var changes: [UInt32: [UInt8]] = [:]
        if let bits { changes[0x0028_0100] = TestBytes.element(Tag(0x0028, 0x0100), .US, TestBytes.uint16(bits)) }
        let items = TestBytes.item() + fragments.flatMap { TestBytes.item($0) } + TestBytes.sequenceEnd
        changes[pixelData] = TestBytes.element(Tag(0x7FE0, 0x0010), .OB, items, length: TestBytes.undefined)
        return instance.part10(
            dataSet: instance.merged(changes), transferSyntaxUID: TransferSyntax.encapsulatedUncompressed.uid)
    }

    @Test func `joins encapsulated uncompressed frames without their padding`() throws {
        #expect(Part10Converter.canConvert(.encapsulatedUncompressed, to: .explicitVRLittleEndian))
        var instance = TestInstance()
        (instance.rows, instance.columns, instance.frames) = (1, 3, 3)
        let bytes = encapsulatedUncompressed(instance, [[1, 2, 3, 0], [4, 5, 6, 0], [7, 8, 9, 0]])
        for feed in ChunkFeed.all {
            let file = try read(convert(bytes, to: .explicitVRLittleEndian, feed), retention: .everything)
            #expect(file.dataSet[Tag(0x7FE0, 0x0010)]?.bytes.map(Array.init) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
            #expect(file.isFaithful)
        }
    }

    @Test func `joins encapsulated frames of single bits without gaps`() throws {
        var instance = TestInstance()
        (instance.rows, instance.columns, instance.frames) = (1, 3, 3)
        let bytes = encapsulatedUncompressed(instance, bits: 1, [[0b101, 0], [0b010, 0], [0b111, 0]])
        let file = try read(convert(bytes, to: .explicitVRLittleEndian), retention: .everything)
        #expect(file.dataSet[Tag(0x7FE0, 0x0010)]?.bytes.map(Array.init) == [0b1101_0101, 1])
    }

    @Test func `does not join encapsulated frames when one is missing`() throws {
        var instance = TestInstance()
        (instance.rows, instance.columns, instance.frames) = (1, 4, 3)
        let bytes = encapsulatedUncompressed(instance, [[1, 2, 3, 4], [5, 6, 7, 8]])
        #expect(throws: DataSetReadError(.truncated, at: 0)) { try convert(bytes, to: .explicitVRLittleEndian) }
    }
}
