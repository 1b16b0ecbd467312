import DICOMCore
import GantryTesting
import Testing

/// Testing has a `Tag` too.
private typealias Tag = DICOMCore.Tag

@Suite struct DataSetEncoderTests {
    @Test(arguments: [
        TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
        .deflatedExplicitVRLittleEndian,
    ])
    func `what is encoded reads back the same`(syntax: TransferSyntax) throws {
        var instance = TestInstance()
        instance.bitsAllocated = 16
        let inner = DataElement(Tag(0x0040, 0xA170), .SQ, .items([DataSet(), DataSet()]))
        let number = DataElement(Tag(0x0018, 0x9087), .FD, .bytes([1, 2, 3, 4, 5, 6, 7, 8]))
        instance.elements = [DataElement(Tag(0x0008, 0x1140), .SQ, .items([DataSet([inner, number])]))]
        let bytes = instance.part10(dataSet: try instance.encoded(syntax), transferSyntaxUID: syntax.uid)
        let file = try read(bytes, rules: .strict, retention: .everything)
        #expect(file.dataSet == instance.dataSet())
        #expect(file.isFaithful)
    }

    @Test func `asks for values that are not in memory`() throws {
        let tag = Tag(0x7FE0, 0x0010)
        let fragments = EncapsulatedValue(
            basicOffsetTable: [0], origin: 0, fragments: [.init(range: 10..<13, head: 0)])
        let set = DataSet([
            DataElement(Tag(0x0042, 0x0011), .OB, .bulk(.range(0..<3))),
            DataElement(tag, .OB, .fragments(fragments)),
        ])
        let encoder = DataSetEncoder(transferSyntax: .explicitVRLittleEndian)
        var bytes: [UInt8] = []
        try encoder.encode(set, into: &bytes) { (_, place) throws(DataSetWriteError) in
            if case .range(let range) = place { Array(repeating: 9, count: range.count) } else { [] }
        }
        let items = TestBytes.item([0, 0, 0, 0]) + TestBytes.item([9, 9, 9, 0]) + TestBytes.sequenceEnd
        #expect(
            bytes == TestBytes.element(Tag(0x0042, 0x0011), .OB, [9, 9, 9, 0])
                + TestBytes.element(tag, .OB, items, length: TestBytes.undefined))
        #expect(throws: DataSetWriteError(.missingBytes, Tag(0x0042, 0x0011))) {
            try encoder.encode(set, into: &bytes)
        }
    }

    @Test func `refuses to write deeper than anybody reads`() {
        var set = DataSet()
        for _ in 0..<200 { set = DataSet([DataElement(Tag(0x0040, 0xA730), .SQ, .items([set]))]) }
        var bytes: [UInt8] = []
        #expect(throws: DataSetWriteError.self) {
            try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(set, into: &bytes)
        }
    }
}
