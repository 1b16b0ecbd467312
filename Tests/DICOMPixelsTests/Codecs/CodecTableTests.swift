import DICOMCore
import DICOMPixels
import Testing

/// Every encoder together with the decoder of its transfer syntax.
@Suite struct CodecTableTests {
    static let encoded: [TransferSyntax] = [
        .rleLossless, .deflatedImageFrame, .encapsulatedUncompressed, .jpegLossless, .jpegLosslessSV1, .jpeglsLossless,
        .jpeg2000Lossless, .htj2kLossless, .jpegxlLossless,
    ]

    struct Kind: CustomTestStringConvertible, Sendable {
        var rows: Int
        var columns: Int
        var samples = 1
        var bits = 8
        var stored: Int?
        var isSigned = false
        var planar = 0
        var photometric: PhotometricInterpretation?
        var testDescription: String {
            "\(rows)x\(columns)x\(samples) \(stored ?? bits)/\(bits)\(isSigned ? " signed" : "") planar \(planar)"
        }
    }

    static let kinds = [
        Kind(rows: 64, columns: 64), Kind(rows: 61, columns: 67, bits: 16), Kind(rows: 1, columns: 1, bits: 16),
        Kind(rows: 1, columns: 200), Kind(rows: 200, columns: 1, bits: 16), Kind(rows: 3, columns: 5),
        Kind(rows: 61, columns: 67, bits: 16, stored: 12),
        Kind(rows: 61, columns: 67, bits: 16, stored: 12, isSigned: true),
        Kind(rows: 50, columns: 50, bits: 16, isSigned: true), Kind(rows: 50, columns: 50, isSigned: true),
        Kind(rows: 33, columns: 31, bits: 8, stored: 5), Kind(rows: 20, columns: 20, bits: 16, stored: 7),
        Kind(rows: 61, columns: 67, samples: 3), Kind(rows: 30, columns: 40, samples: 3, planar: 1),
        Kind(rows: 30, columns: 41, samples: 3, bits: 16), Kind(rows: 30, columns: 41, samples: 3, bits: 16, planar: 1),
        Kind(rows: 30, columns: 41, samples: 3, photometric: .ybrFull), Kind(rows: 17, columns: 17, bits: 8, stored: 1),
    ]

    @Test(arguments: encoded, kinds)
    func `a frame comes back as it was`(transferSyntax: TransferSyntax, kind: Kind) throws {
        let description = try TestFrame.description(
            rows: kind.rows, columns: kind.columns, samples: kind.samples, bits: kind.bits, stored: kind.stored,
            isSigned: kind.isSigned, planar: kind.planar, photometric: kind.photometric)
        let frame = try TestFrame.frame(description)
        let encoded = try CodecTable.standard.encode(frame, to: transferSyntax)
        // A fragment may carry a padding byte.
        let fragment = encoded.bytes + (encoded.bytes.count % 2 == 1 ? [0] : [])
        let decoded = try CodecTable.standard.decode(fragment, from: transferSyntax, as: encoded.description)
        #expect(decoded.description.photometricInterpretation == description.photometricInterpretation)
        #expect(decoded.description.isSigned == description.isSigned)
        // By plane comes back by plane, or by pixel with a description that says so.
        let expected = decoded.description.planarConfiguration == kind.planar ? frame : try byPixel(frame)
        #expect(decoded.bytes == expected.bytes)
    }

    private func byPixel(_ frame: FrameBuffer) throws -> FrameBuffer {
        var description = frame.description
        description.planarConfiguration = 0
        let size = description.bitsAllocated / 8
        let pixels = description.rows * description.columns
        var bytes: [UInt8] = []
        for pixel in 0..<pixels {
            for sample in 0..<description.samplesPerPixel {
                let start = (sample * pixels + pixel) * size
                bytes += frame.bytes[start..<start + size]
            }
        }
        return try #require(FrameBuffer(description, bytes: bytes))
    }

    @Test(arguments: encoded)
    func `bits above Bits Stored survive`(transferSyntax: TransferSyntax) throws {
        let description = try TestFrame.description(rows: 20, columns: 20, bits: 16, stored: 12)
        var random = SeededGenerator(seed: 5)
        let bytes = (0..<800).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let frame = try #require(FrameBuffer(description, bytes: bytes))
        let encoded = try CodecTable.standard.encode(frame, to: transferSyntax)
        let decoded = try CodecTable.standard.decode(encoded.bytes, from: transferSyntax, as: encoded.description)
        #expect(decoded == frame)
    }

    @Test(arguments: [1, 8, 32])
    func `whole bytes are not needed where they are only copied`(bits: Int) throws {
        let description = try TestFrame.description(rows: 9, columns: 3, bits: bits)
        let count = try #require(description.frameByteCount)
        let frame = try #require(FrameBuffer(description, bytes: (0..<count).map { UInt8($0) }))
        for transferSyntax in [TransferSyntax.deflatedImageFrame, .encapsulatedUncompressed] {
            let encoded = try CodecTable.standard.encode(frame, to: transferSyntax)
            let decoded = try CodecTable.standard.decode(
                encoded.bytes + (encoded.bytes.count % 2 == 1 ? [0] : []), from: transferSyntax, as: description)
            #expect(decoded == frame)
        }
    }

    @Test func `samples of 32 bits are run-length encoded`() throws {
        let frame = try TestFrame.frame(
            TestFrame.description(rows: 10, columns: 11, samples: 3, bits: 32, stored: 20))
        let encoded = try CodecTable.standard.encode(frame, to: .rleLossless)
        #expect(try CodecTable.standard.decode(encoded.bytes, from: .rleLossless, as: frame.description) == frame)
    }

    @Test func `the reversible colour transform is announced`() throws {
        let frame = try TestFrame.frame(TestFrame.description(rows: 40, columns: 40, samples: 3))
        for transferSyntax in [TransferSyntax.jpeg2000Lossless, .htj2kLossless] {
            let encoded = try CodecTable.standard.encode(frame, to: transferSyntax)
            #expect(encoded.description.photometricInterpretation == .ybrRCT)
        }
        #expect(
            try CodecTable.standard.encode(frame, to: .jpegLosslessSV1).description.photometricInterpretation == .rgb)
    }

    @Test func `a transfer syntax without a codec is unsupported`() throws {
        let frame = try TestFrame.frame(TestFrame.description(rows: 4, columns: 4))
        let table = CodecTable.standard
        #expect(!table.canDecode(.explicitVRLittleEndian) && !table.canEncode(.jpegBaseline))
        #expect(table.canDecode(.jpegBaseline))
        #expect { try table.decode([1, 2], from: .explicitVRLittleEndian, as: frame.description) } throws: {
            ($0 as? CodecError)?.code == .unsupported
        }
        #expect { try table.encode(frame, to: .jpegBaseline) } throws: { ($0 as? CodecError)?.code == .unsupported }
    }

    @Test(arguments: encoded)
    func `a frame beyond the limit is refused`(transferSyntax: TransferSyntax) throws {
        let frame = try TestFrame.frame(TestFrame.description(rows: 40, columns: 40, bits: 16))
        let encoded = try CodecTable.standard.encode(frame, to: transferSyntax)
        #expect {
            try CodecTable.standard.decode(
                encoded.bytes, from: transferSyntax, as: encoded.description, limits: CodecLimits(frameBytes: 3199))
        } throws: {
            ($0 as? CodecError)?.code == .tooLarge
        }
        let decoded = try CodecTable.standard.decode(
            encoded.bytes, from: transferSyntax, as: encoded.description, limits: CodecLimits(frameBytes: 3200))
        #expect(decoded == frame)
    }
}
