import DICOMCore
import DICOMPixels
import Testing

@Suite struct JPEG2000DecoderTests {
    func encoded(
        stored: Int = 13, isSigned: Bool = true, to transferSyntax: TransferSyntax = .jpeg2000Lossless
    ) throws -> (frame: FrameBuffer, bytes: [UInt8]) {
        let description = try TestFrame.description(
            rows: 20, columns: 21, bits: 16, stored: stored, isSigned: isSigned)
        let frame = try TestFrame.frame(description)
        return (frame, try CodecTable.standard.encode(frame, to: transferSyntax).bytes)
    }

    func decode(_ bytes: [UInt8], _ description: ImagePixelDescription) throws -> FrameBuffer {
        try CodecTable.standard.decode(bytes, from: .jpeg2000, as: description)
    }

    /// Offset of the first segment with this marker; codestreams of the tests hold no such bytes before it.
    func segment(_ marker: UInt8, in bytes: [UInt8]) throws -> Int {
        try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == marker })
    }

    @Test func `the boxes of JP2 are left out`() throws {
        let (frame, codestream) = try encoded()
        func box(_ type: String, _ content: [UInt8], length: Int? = nil) -> [UInt8] {
            let count = length ?? content.count + 8
            return [UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
                + Array(type.utf8) + content
        }
        let start =
            box("jP  ", [0x0D, 0x0A, 0x87, 0x0A]) + box("ftyp", Array("jp2 ".utf8) + [0, 0, 0, 0] + Array("jp2 ".utf8))
            + box("jp2h", box("ihdr", [UInt8](repeating: 0, count: 14)))
        #expect(try decode(start + box("jp2c", codestream), frame.description) == frame)
        #expect(try decode(start + box("jp2c", codestream, length: 0) + [0], frame.description) == frame)
        let long = box("jp2c", [0, 0, 0, 0] + bigEndian(codestream.count + 16) + codestream, length: 1)
        #expect(try decode(start + long, frame.description) == frame)
        for broken in [start, start + box("jp2c", []), start + box("free", [], length: 3) + box("jp2c", codestream)] {
            #expect(throws: CodecError.self) { try decode(broken, frame.description) }
        }
    }

    func bigEndian(_ value: Int) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    @Test(arguments: [true, false])
    func `the data set decides whether samples have a sign`(isSigned: Bool) throws {
        let (frame, bytes) = try encoded(isSigned: isSigned)
        var other = frame.description
        other.isSigned.toggle()
        let decoded = try decode(bytes, other)
        for index in stride(from: 0, to: frame.bytes.count, by: 2) {
            let bits = { (frame: FrameBuffer) in Int(frame.bytes[index]) | Int(frame.bytes[index + 1]) << 8 }
            // The same 13 bits, and the three above them as the data set says.
            #expect(bits(decoded) & 0x1FFF == bits(frame) & 0x1FFF)
            let isNegative = other.isSigned && bits(decoded) & 0x1000 != 0
            #expect(bits(decoded) >> 13 == (isNegative ? 7 : 0))
        }
    }

    @Test func `fewer or more bits than stored are taken, but not more than allocated`() throws {
        let (frame, bytes) = try encoded(stored: 13, isSigned: false)
        for stored in [12, 16] {
            var description = frame.description
            description.bitsStored = stored
            description.highBit = stored - 1
            #expect(try decode(bytes, description).bytes == frame.bytes)
        }
        var narrow = frame.description
        narrow.bitsAllocated = 8
        #expect { try decode(bytes, narrow) } throws: { ($0 as? CodecError)?.code == .disagreesWithDataSet }
        // Wider than needed.
        let small = try TestFrame.frame(TestFrame.description(rows: 20, columns: 21))
        let codestream = try CodecTable.standard.encode(small, to: .jpeg2000Lossless).bytes
        var wide = small.description
        wide.bitsAllocated = 16
        #expect(try decode(codestream, wide).bytes == small.bytes.flatMap { [$0, 0] })
    }

    @Test func `transformed colour is RGB, whatever name it has`() throws {
        let frame = try TestFrame.frame(TestFrame.description(rows: 20, columns: 21, samples: 3))
        let encoded = try CodecTable.standard.encode(frame, to: .jpeg2000Lossless)
        for name in [PhotometricInterpretation.ybrRCT, .ybrICT, .rgb] {
            var description = encoded.description
            description.photometricInterpretation = name
            #expect(try decode(encoded.bytes, description) == frame)
        }
        // Other names are kept.
        var description = encoded.description
        description.photometricInterpretation = .ybrFull
        #expect(try decode(encoded.bytes, description).description.photometricInterpretation == .ybrFull)
    }

    @Test func `more parts than an image can have are refused before they are built`() throws {
        let (frame, bytes) = try encoded()
        // 1. Tiles of one pixel in a large image.
        var tiny = bytes
        for (offset, value) in [(8, 4000), (12, 4000), (24, 1), (28, 1)] {
            tiny.replaceSubrange(offset..<offset + 4, with: bigEndian(value))
        }
        var large = frame.description
        large.rows = 4000
        large.columns = 4000
        #expect { try decode(tiny, large) } throws: { ($0 as? CodecError)?.code == .unsupported }
        // 2. Precincts of one sample.
        tiny.replaceSubrange(24..<32, with: bigEndian(4000) + bigEndian(4000))
        let style = try segment(0x52, in: tiny)
        tiny[style + 4] |= 1
        let levels = Int(tiny[style + 9])
        let length = 12 + levels + 1
        tiny[style + 3] = UInt8(length)
        tiny.insert(contentsOf: [UInt8](repeating: 0, count: levels + 1), at: style + 14)
        #expect { try decode(tiny, large) } throws: { ($0 as? CodecError)?.code == .unsupported }
    }
}
