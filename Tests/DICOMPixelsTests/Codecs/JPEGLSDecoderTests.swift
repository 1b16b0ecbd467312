import DICOMCore
import DICOMPixels
import Testing

@Suite struct JPEGLSDecoderTests {
    @Test func `the example of the standard decodes`() throws {
        // ITU-T T.87 H.3: 4 x 4 samples of 8 bits, without loss.
        let bytes: [UInt8] = [
            0xFF, 0xD8, 0xFF, 0xF7, 0x00, 0x0B, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11, 0x00, 0xFF, 0xDA, 0x00,
            0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x6C, 0x80, 0x20, 0x8E, 0x01, 0xC0, 0x00, 0x00,
            0x57, 0x40, 0x00, 0x00, 0x6E, 0xE6, 0x00, 0x00, 0x01, 0xBC, 0x18, 0x00, 0x00, 0x05, 0xD8, 0x00, 0x00, 0x91,
            0x60, 0xFF, 0xD9,
        ]
        let description = try TestFrame.description(rows: 4, columns: 4)
        let frame = try CodecTable.standard.decode(bytes, from: .jpeglsLossless, as: description)
        #expect(frame.bytes == [0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145])
    }

    @Test func `zero bytes behind a scan and a missing end do not matter`() throws {
        let frame = try TestFrame.frame(TestFrame.description(rows: 30, columns: 30, bits: 16))
        let encoded = try CodecTable.standard.encode(frame, to: .jpeglsLossless).bytes
        let padded = encoded.dropLast(2) + [0, 0xFF, 0xD9, 0]
        for bytes in [Array(padded), Array(encoded.dropLast(2))] {
            #expect(try CodecTable.standard.decode(bytes, from: .jpeglsLossless, as: frame.description) == frame)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `a scan that ends too early is refused at once`() throws {
        let frame = try TestFrame.frame(TestFrame.description(rows: 600, columns: 600, bits: 16))
        let encoded = try CodecTable.standard.encode(frame, to: .jpeglsLossless).bytes
        for length in [26, 100, 1000, encoded.count / 2] {
            let cut = encoded.prefix(length) + [0xFF, 0xD9]
            #expect {
                try CodecTable.standard.decode(Array(cut), from: .jpeglsLossless, as: frame.description)
            } throws: {
                ($0 as? CodecError)?.code == .corrupt
            }
        }
    }

    @Test(arguments: [2, 3, 5, 7, 8, 9, 12, 15, 16])
    func `every precision comes back, flat or noisy`(bits: Int) throws {
        let description = try TestFrame.description(rows: 40, columns: 50, bits: bits > 8 ? 16 : 8, stored: bits)
        for noise in [1, 3, 1 << bits] {
            let frame = try TestFrame.frame(description, noise: noise)
            let encoded = try CodecTable.standard.encode(frame, to: .jpeglsLossless)
            #expect(try CodecTable.standard.decode(encoded.bytes, from: .jpeglsLossless, as: description) == frame)
        }
    }
}
