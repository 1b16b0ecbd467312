import DICOMCore
import DICOMPixels
import Testing

@Suite struct FrameLayoutTests {
    /// An image of 8-bit pixels whose value is `length` bytes at offset 1000.
    func image(
        rows: UInt16 = 5, columns: UInt16 = 5, samples: UInt16 = 1, bits: UInt16 = 8, frames: String? = nil,
        photometric: String = "MONOCHROME2", vr: VR = .OW, tag: Tag = Tag(0x7FE0, 0x0010), length: Int = 0,
        value: Value? = nil, without missing: Tag? = nil
    ) -> DataSet {
        var elements = [
            us(0x0002, samples), DataElement(Tag(0x0028, 0x0004), .CS, text(photometric)), us(0x0010, rows),
            us(0x0011, columns),
            us(0x0100, bits),
        ]
        if let frames { elements.append(DataElement(Tag(0x0028, 0x0008), .IS, text(frames))) }
        elements.append(DataElement(tag, vr, value ?? .bulk(.range(1000..<1000 + length))))
        return DataSet(elements.filter { $0.tag != missing })
    }

    func us(_ element: UInt16, _ value: UInt16) -> DataElement {
        DataElement(Tag(0x0028, element), .US, .bytes([UInt8(truncatingIfNeeded: value), UInt8(value >> 8)]))
    }

    func text(_ text: String) -> Value { .bytes(Array(text.utf8)[...]) }

    static let explicit = TransferSyntax(uid: "1.2.840.10008.1.2.1")
    static let bigEndian = TransferSyntax(uid: "1.2.840.10008.1.2.2")

    @Test(arguments: [(8, 25), (16, 50), (32, 100), (64, 200)] as [(UInt16, Int)])
    func `finds native frames by their computed size`(bits: UInt16, size: Int) throws {
        let layout = try #require(
            FrameLayout(dataSet: image(bits: bits, frames: "3 ", length: 3 * size + 1), transferSyntax: Self.explicit))
        #expect(layout.frameCount == 3)
        #expect(layout.byteRanges(ofFrame: 2) == [1000 + size..<1000 + 2 * size])
        #expect(layout.byteCount(ofFrame: 3) == size)
        #expect(layout.repacker(forFrame: 2) == nil)
        #expect(layout.byteRanges(ofFrame: 0) == nil)
        #expect(layout.byteRanges(ofFrame: 4) == nil)
    }

    @Test(
        arguments: [("MONOCHROME2", 1, 25), ("RGB", 3, 75), ("YBR_FULL_422", 3, 50), ("YBR_FULL", 3, 75)]
            as [(String, UInt16, Int)])
    func `counts the samples of the photometric interpretation`(photometric: String, samples: UInt16, size: Int) throws
    {
        let dataSet = image(samples: samples, photometric: photometric, length: size)
        #expect(
            FrameLayout(dataSet: dataSet, transferSyntax: Self.explicit)?.byteRanges(ofFrame: 1) == [1000..<1000 + size]
        )
    }

    @Test func `serves the frames that are there`() {
        let layout = { (frames: String?, length: Int) in
            FrameLayout(dataSet: self.image(frames: frames, length: length), transferSyntax: Self.explicit)?.frameCount
        }
        #expect(layout("3", 60) == 2)
        #expect(layout("3", 1000) == 3)
        #expect(layout("3", 24) == nil)
        #expect(layout("0", 100) == 1)
        #expect(layout("x", 100) == 1)
        #expect(layout(nil, 100) == 1)
        #expect(layout("99999999999999999999", 100) == 1)
        #expect(layout("2147483647", 100) == 4)
    }

    @Test(arguments: [Tag(0x0028, 0x0010), Tag(0x0028, 0x0011), Tag(0x0028, 0x0002), Tag(0x0028, 0x0100)])
    func `has no frames without a size`(tag: Tag) {
        #expect(FrameLayout(dataSet: image(length: 25, without: tag), transferSyntax: Self.explicit) == nil)
        var dataSet = image(length: 25)
        dataSet.set(DataElement(tag, .US, .bytes([0, 0])))
        #expect(FrameLayout(dataSet: dataSet, transferSyntax: Self.explicit) == nil)
        dataSet.set(DataElement(tag, .US, .bytes([1])))
        #expect(FrameLayout(dataSet: dataSet, transferSyntax: Self.explicit) == nil)
    }

    @Test func `leaves packed and absent pixels alone`() {
        #expect(FrameLayout(dataSet: image(bits: 12, length: 100), transferSyntax: Self.explicit) == nil)
        #expect(FrameLayout(dataSet: image(bits: 24, length: 100), transferSyntax: Self.explicit) == nil)
        #expect(FrameLayout(dataSet: DataSet(), transferSyntax: Self.explicit) == nil)
        #expect(FrameLayout(dataSet: image(length: 0), transferSyntax: Self.explicit) == nil)
        #expect(FrameLayout(dataSet: image(tag: Tag(0x7F00, 0x0010), length: 25), transferSyntax: Self.explicit) == nil)
        let icon = DataSet([DataElement(Tag(0x0088, 0x0200), .SQ, .items([image(length: 25)]))])
        #expect(FrameLayout(dataSet: icon, transferSyntax: Self.explicit) == nil)
    }

    @Test func `does not overflow`() {
        let dataSet = image(rows: .max, columns: .max, samples: .max, bits: 64, frames: "2147483647", length: 1 << 40)
        #expect(FrameLayout(dataSet: dataSet, transferSyntax: Self.explicit) == nil)
    }

    @Test func `finds float pixel data, and prefers integers`() throws {
        var dataSet = image(bits: 32, vr: .OF, tag: Tag(0x7FE0, 0x0008), length: 100)
        #expect(FrameLayout(dataSet: dataSet, transferSyntax: Self.explicit)?.byteRanges(ofFrame: 1) == [1000..<1100])
        dataSet.set(DataElement(Tag(0x7FE0, 0x0010), .OW, .bulk(.range(5000..<5100))))
        #expect(FrameLayout(dataSet: dataSet, transferSyntax: Self.explicit)?.byteRanges(ofFrame: 1) == [5000..<5100])
        let double = image(bits: 64, vr: .OD, tag: Tag(0x7FE0, 0x0009), length: 200)
        #expect(FrameLayout(dataSet: double, transferSyntax: Self.explicit)?.byteCount(ofFrame: 1) == 200)
    }

    @Test func `packs frames of single bits onto byte boundaries`() throws {
        // 25 bits a frame, 4 frames in 13 bytes; frame n has only its bit n-1 and its last bit set.
        var bits = [Bool](repeating: false, count: 104)
        for frame in 0..<4 {
            bits[frame * 25 + frame] = true
            bits[frame * 25 + 24] = true
        }
        let value = (0..<13).map { byte in (0..<8).reduce(UInt8(0)) { $0 | (bits[byte * 8 + $1] ? 1 << $1 : 0) } }
        let layout = try #require(
            FrameLayout(dataSet: image(bits: 1, frames: "4", length: 13), transferSyntax: Self.explicit))
        #expect(layout.frameCount == 4)
        for number in 1...4 {
            let range = try #require(layout.byteRanges(ofFrame: number)?.first)
            let read = value[range.lowerBound - 1000..<range.upperBound - 1000]
            let frame = try #require(layout.repacker(forFrame: number)).frame(from: read)
            #expect(frame == [1 << (number - 1), 0, 0, 1])
            #expect(layout.byteCount(ofFrame: number) == 4)
        }
        #expect(FrameRepacker(wordSize: 1, bitOffset: 3, bitCount: 30).frame(from: [0, 0, 0, 0]) == nil)
    }

    @Test func `needs no packing where single-bit frames end on a byte`() throws {
        let layout = try #require(
            FrameLayout(
                dataSet: image(rows: 8, columns: 8, bits: 1, frames: "2", length: 16), transferSyntax: Self.explicit))
        #expect(layout.byteRanges(ofFrame: 2) == [1008..<1016])
        #expect(layout.repacker(forFrame: 2) == nil)
    }

    @Test func `turns big endian words around`() throws {
        let words = try #require(
            FrameLayout(
                dataSet: image(rows: 1, columns: 2, bits: 16, frames: "2", length: 8), transferSyntax: Self.bigEndian))
        #expect(words.byteRanges(ofFrame: 2) == [1004..<1008])
        #expect(words.repacker(forFrame: 2)?.frame(from: [1, 2, 3, 4]) == [2, 1, 4, 3])
        // Five pixels of 8 bits a frame: the second one starts in the middle of a word.
        let bytes = try #require(
            FrameLayout(dataSet: image(rows: 1, columns: 5, frames: "2", length: 10), transferSyntax: Self.bigEndian))
        #expect(bytes.byteRanges(ofFrame: 2) == [1004..<1010])
        #expect(bytes.repacker(forFrame: 2)?.frame(from: [6, 5, 8, 7, 10, 9]) == [6, 7, 8, 9, 10])
        let asBytes = try #require(
            FrameLayout(
                dataSet: image(rows: 1, columns: 5, frames: "2", vr: .OB, length: 10), transferSyntax: Self.bigEndian))
        #expect(asBytes.repacker(forFrame: 2) == nil)
        let long = FrameLayout(dataSet: image(rows: 1, columns: 1, bits: 32, length: 4), transferSyntax: Self.bigEndian)
        #expect(long?.repacker(forFrame: 1)?.frame(from: [1, 2, 3, 4]) == [4, 3, 2, 1])
    }

    @Test func `swaps whole words only`() {
        for (size, expected) in [
            (1, [1, 2, 3, 4, 5]), (2, [2, 1, 4, 3, 5]), (4, [4, 3, 2, 1, 5]), (8, [1, 2, 3, 4, 5]),
        ] as [(Int, [UInt8])] {
            var bytes: [UInt8] = [1, 2, 3, 4, 5]
            bytes.withUnsafeMutableBytes { FrameRepacker.swapWords(in: $0, size: size) }
            #expect(bytes == expected)
        }
    }

    @Test func `comes back from its encoding`() throws {
        let native = FrameLayout(
            .native(.init(offset: 2400, length: 524_288, bitsPerFrame: 4_194_304, frames: 1, wordSize: 2)))
        #expect(native.encode().count <= 16)
        #expect(FrameLayout(decoding: native.encode()) == native)
        let frames = (0..<1000).map { [$0 * 20000 + 1500..<$0 * 20000 + 21492] }
        let encapsulated = FrameLayout(.encapsulated(frames + [[30_000_000..<30_000_001, 30_000_010..<1 << 40]]))
        #expect(encapsulated.encode().count < 5100)
        #expect(FrameLayout(decoding: encapsulated.encode()) == encapsulated)
    }

    @Test func `refuses every other encoding`() {
        for layout in [
            FrameLayout(.native(.init(offset: 2400, length: 100, bitsPerFrame: 200, frames: 4))),
            FrameLayout(.encapsulated([[8..<1000], [1008..<1010, 1018..<1020]])),
        ] {
            let bytes = layout.encode()
            for length in bytes.indices { #expect(FrameLayout(decoding: bytes[..<length]) == nil) }
            #expect(FrameLayout(decoding: bytes + [0]) == nil)
            for index in bytes.indices {
                for byte in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                    var changed = bytes
                    changed[index] = byte
                    let decoded = FrameLayout(decoding: changed)
                    for number in 1...min(3, max(1, decoded?.frameCount ?? 1)) {
                        _ = decoded?.byteRanges(ofFrame: number)
                    }
                }
            }
        }
        #expect(FrameLayout(decoding: [2] + [UInt8](repeating: 0xFF, count: 30)) == nil)
    }
}
