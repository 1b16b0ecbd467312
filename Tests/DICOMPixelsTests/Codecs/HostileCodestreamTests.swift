import DICOMCore
import DICOMPixels
import Testing

/// Codestreams that are cut, damaged, or lie: an error or a frame of the announced size, never more.
@Suite struct HostileCodestreamTests {
    static let encoded = CodecTableTests.encoded

    func codestream(
        _ transferSyntax: TransferSyntax, samples: Int = 1, bits: Int = 16
    ) throws -> (FrameBuffer, EncodedFrame) {
        let frame = try TestFrame.frame(
            TestFrame.description(rows: 60, columns: 50, samples: samples, bits: bits, stored: bits == 16 ? 12 : 8))
        return (frame, try CodecTable.standard.encode(frame, to: transferSyntax))
    }

    /// `nil` when it was refused.
    func decode(
        _ bytes: [UInt8], _ transferSyntax: TransferSyntax, _ description: ImagePixelDescription
    ) -> FrameBuffer? {
        guard let frame = try? CodecTable.standard.decode(bytes, from: transferSyntax, as: description) else {
            return nil
        }
        #expect(frame.bytes.count == description.frameByteCount)
        #expect(frame.description.rows == description.rows && frame.description.columns == description.columns)
        return frame
    }

    @Test(arguments: encoded, 0..<16)
    func `a codestream that is cut is refused`(transferSyntax: TransferSyntax, sixteenths: Int) throws {
        let (frame, encoded) = try codestream(transferSyntax)
        let cut = Array(encoded.bytes.prefix(encoded.bytes.count * sixteenths / 16))
        if let decoded = decode(cut, transferSyntax, encoded.description) {
            Issue.record("\(sixteenths)/16 of \(transferSyntax) are enough: equal \(decoded == frame)")
        }
    }

    @Test(arguments: encoded)
    func `damage is an error or another image`(transferSyntax: TransferSyntax) throws {
        for (samples, bits) in [(1, 16), (3, 8)] {
            let (_, encoded) = try codestream(transferSyntax, samples: samples, bits: bits)
            var random = SeededGenerator(seed: 42)
            for round in 0..<150 {
                var bytes = encoded.bytes
                for _ in 0...random.next() % 4 {
                    // Headers more often than data.
                    let reach = round % 2 == 0 ? min(bytes.count, 120) : bytes.count
                    bytes[Int(random.next() % UInt64(reach))] = UInt8(truncatingIfNeeded: random.next())
                }
                _ = decode(bytes, transferSyntax, encoded.description)
            }
        }
    }

    @Test(arguments: encoded)
    func `noise is refused`(transferSyntax: TransferSyntax) throws {
        let (_, encoded) = try codestream(transferSyntax)
        var random = SeededGenerator(seed: 7)
        for length in [1, 2, 3, 11, 63, 64, 65, 1000] {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(decode(bytes, transferSyntax, encoded.description) == nil)
        }
        #expect(decode([], transferSyntax, encoded.description) == nil)
    }

    @Test(arguments: encoded)
    func `a data set that says another size refuses the codestream`(transferSyntax: TransferSyntax) throws {
        let (_, encoded) = try codestream(transferSyntax)
        var description = encoded.description
        description.columns += 1
        #expect(decode(encoded.bytes, transferSyntax, description) == nil)
        description = encoded.description
        description.rows = 0xFFFF
        description.columns = 0xFFFF
        #expect(decode(encoded.bytes, transferSyntax, description) == nil)
        description = encoded.description
        description.samplesPerPixel = 3
        #expect(decode(encoded.bytes, transferSyntax, description) == nil)
    }

    /// Where the height and the width are in the headers that our encoders write.
    static let sizes: [(TransferSyntax, Int, Int, Int)] = [
        (.jpegLosslessSV1, 7, 9, 2), (.jpeglsLossless, 7, 9, 2), (.jpeg2000Lossless, 12, 8, 4),
        (.htj2kLossless, 12, 8, 4),
    ]

    @Test(arguments: sizes)
    func `a size that is a lie is refused`(
        transferSyntax: TransferSyntax, rows: Int, columns: Int, width: Int
    ) throws {
        let (_, encoded) = try codestream(transferSyntax)
        var bytes = encoded.bytes
        #expect(bytes[rows + width - 1] == 60 && bytes[columns + width - 1] == 50)
        for offset in [rows, columns] {
            for byte in 0..<width { bytes[offset + byte] = byte < width - 2 ? 0 : 0xFF }
        }
        #expect {
            try CodecTable.standard.decode(bytes, from: transferSyntax, as: encoded.description)
        } throws: {
            ($0 as? CodecError)?.code == .disagreesWithDataSet
        }
        // Both tell the same lie: more than the limit allows, or more than the data can be.
        var description = encoded.description
        description.rows = 0xFFFF
        description.columns = 0xFFFF
        #expect {
            try CodecTable.standard.decode(bytes, from: transferSyntax, as: description)
        } throws: {
            ($0 as? CodecError)?.code == .tooLarge
        }
    }

    @Test func `a deflated frame does not grow beyond the frame`() throws {
        let small = try TestFrame.description(rows: 10, columns: 10)
        let large = try TestFrame.description(rows: 4000, columns: 4000)
        let frame = try #require(FrameBuffer(large, bytes: [UInt8](repeating: 0, count: 16_000_000)))
        let bomb = try CodecTable.standard.encode(frame, to: .deflatedImageFrame)
        #expect {
            try CodecTable.standard.decode(bomb.bytes, from: .deflatedImageFrame, as: small)
        } throws: {
            ($0 as? CodecError)?.code == .disagreesWithDataSet
        }
    }
}
