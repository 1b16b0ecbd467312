import DICOMCore
import DICOMPixels
import Testing

@Suite struct FragmentIndexTests {
    static let j2k = TransferSyntax(uid: "1.2.840.10008.1.2.4.90")
    static let rle = TransferSyntax(uid: "1.2.840.10008.1.2.5")
    static let start: UInt32 = 0xFF4F_FF51

    /// Fragments behind each other from offset 500; each has a length and a head.
    func value(_ fragments: [(Int, UInt32)], table: [UInt32] = []) -> EncapsulatedValue {
        var offset = 500
        var list: [EncapsulatedValue.Fragment] = []
        for (length, head) in fragments {
            list.append(.init(range: offset + 8..<offset + 8 + length, head: head))
            offset += 8 + length
        }
        return EncapsulatedValue(basicOffsetTable: table, origin: 500, fragments: list)
    }

    /// Numbers of the fragments of each frame.
    func frames(
        _ value: EncapsulatedValue, _ count: Int, _ syntax: TransferSyntax? = j2k, offsets: [UInt64] = []
    ) -> [[Int]] {
        let index = FragmentIndex(value, numberOfFrames: count, transferSyntax: syntax, extendedOffsets: offsets)
        return index.frames.map { frame in frame.map { range in value.fragments.firstIndex { $0.range == range } ?? -1 }
        }
    }

    let six: [(Int, UInt32)] = [(100, start), (50, 1), (100, start), (50, 2), (100, start), (50, 3)]
    let offsetsOfSix: [UInt32] = [0, 166, 332]

    @Test func `counts fragments without an offset table`() {
        #expect(frames(value([(10, Self.start), (10, 1)]), 1) == [[0, 1]])
        #expect(frames(value([(10, 9), (10, 1), (10, 2)]), 1) == [[0, 1, 2]])
        #expect(frames(value([(10, 9), (10, 1), (10, 2)]), 3) == [[0], [1], [2]])
        #expect(frames(value([]), 3) == [])
    }

    @Test func `cuts at codestream starts`() {
        #expect(frames(value(six), 3) == [[0, 1], [2, 3], [4, 5]])
        let heads: [(UInt32, String)] = [
            (0xFFD8_FFE0, "1.2.840.10008.1.2.4.50"), (0xFFD8_FFF7, "1.2.840.10008.1.2.4.80"),
            (0xFF0A_1234, "1.2.840.10008.1.2.4.110"), (0x0000_000C, "1.2.840.10008.1.2.4.112"),
            (0x0000_000C, "1.2.840.10008.1.2.4.90"),
        ]
        for (head, uid) in heads {
            #expect(frames(value([(10, head), (10, 7), (10, head)]), 2, TransferSyntax(uid: uid)) == [[0, 1], [2]])
        }
        #expect(frames(value([(10, Self.start), (10, 0xFF0A_1234), (10, Self.start)]), 2) == [[0, 1], [2]])
    }

    @Test func `trusts the structure over the number of frames`() {
        #expect(frames(value(six), 1) == [[0, 1], [2, 3], [4, 5]])
        #expect(frames(value(six), 7) == [[0, 1], [2, 3], [4, 5]])
        #expect(frames(value([(10, Self.start)]), 10) == [[0]])
        #expect(frames(value(six, table: offsetsOfSix), 5) == [[0, 1], [2, 3], [4, 5]])
        #expect(frames(value([(10, 1), (10, 2), (10, 3)], table: [0, 18, 36]), 1) == [[0], [1], [2]])
        #expect(frames(value([(90, 0x0100_0000), (90, 0x0100_0000)]), 1, Self.rle) == [[0], [1]])
    }

    @Test func `follows a correct basic offset table`() {
        #expect(
            frames(value([(100, 1), (50, 2), (100, 3), (50, 4), (100, 5), (50, 6)], table: offsetsOfSix), 3) == [
                [0, 1], [2, 3], [4, 5],
            ])
        #expect(frames(value(six, table: [0]), 1) == [[0, 1, 2, 3, 4, 5]])
    }

    @Test(
        arguments: [
            [0, 332, 166], [8, 174, 340], [0, 166, 331], [0, 166, 999], [0, 166], [0], [0, 166, 332, 0], [0, 0, 0],
        ] as [[UInt32]])
    func `falls back from a wrong basic offset table`(table: [UInt32]) {
        #expect(frames(value(six, table: table), 3) == [[0, 1], [2, 3], [4, 5]])
    }

    @Test func `prefers the extended offset table and trims by its lengths`() {
        let value = value([(100, 1), (50, 2), (30, 3)], table: [0, 108])
        #expect(frames(value, 2, offsets: [0, 108, 166]) == [[0], [1], [2]])
        #expect(frames(value, 2, offsets: [0, 109]) == [[0], [1, 2]])
        let index = FragmentIndex(
            value, numberOfFrames: 2, transferSyntax: Self.j2k, extendedOffsets: [0, 166], extendedLengths: [149, 30])
        #expect(index.frames == [[508..<608, 616..<665], [674..<704]])
        let short = FragmentIndex(
            value, numberOfFrames: 2, transferSyntax: Self.j2k, extendedOffsets: [0, 166], extendedLengths: [20, 99])
        #expect(short.frames == [[508..<528], [674..<704]])
        let hostile = FragmentIndex(
            value, numberOfFrames: 2, transferSyntax: Self.j2k, extendedOffsets: [0, 166], extendedLengths: [.max, 0])
        #expect(hostile.frames == [[508..<608, 616..<666], [674..<704]])
    }

    @Test func `leaves empty fragments out`() {
        #expect(frames(value([(0, 0), (10, Self.start), (0, 0), (10, Self.start), (0, 0)]), 2) == [[1], [3]])
    }

    @Test func `keeps a video in one piece`() {
        #expect(frames(value(six), 100, TransferSyntax(uid: "1.2.840.10008.1.2.4.102")) == [[0, 1, 2, 3, 4, 5]])
    }

    @Test func `reads both tables from the data set`() throws {
        func longs(_ numbers: [UInt64]) -> Value {
            .bytes(ArraySlice(numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }))
        }
        let one: Value = .bytes([1, 0])
        let dataSet = DataSet([
            DataElement(Tag(0x0028, 0x0002), .US, one), DataElement(Tag(0x0028, 0x0010), .US, one),
            DataElement(Tag(0x0028, 0x0011), .US, one),
            DataElement(Tag(0x0028, 0x0100), .US, .bytes([8, 0])),
            DataElement(Tag(0x7FE0, 0x0001), .OV, longs([0, 18])),
            DataElement(Tag(0x7FE0, 0x0002), .OV, longs([9, 10])),
            DataElement(Tag(0x7FE0, 0x0010), .OB, .fragments(value([(10, 1), (10, 2)]))),
        ])
        let layout = try #require(FrameLayout(dataSet: dataSet, transferSyntax: Self.j2k))
        #expect(layout.storage == .encapsulated([[508..<517], [526..<536]]))
        #expect(layout.byteCount(ofFrame: 1) == 9)
        #expect(layout.repacker(forFrame: 1) == nil)
    }
}
