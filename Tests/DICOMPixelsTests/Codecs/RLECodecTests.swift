import DICOMCore
import DICOMPixels
import Testing

@Suite struct RLECodecTests {
    /// A header for segments at these offsets.
    func header(_ offsets: [UInt32], count: UInt32? = nil) -> [UInt8] {
        var numbers = [count ?? UInt32(offsets.count)] + offsets
        numbers += [UInt32](repeating: 0, count: 16 - numbers.count)
        return numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
    }

    func decode(_ bytes: [UInt8], bits: Int = 8, samples: Int = 1, planar: Int = 0) throws -> [UInt8] {
        let description = try TestFrame.description(rows: 2, columns: 3, samples: samples, bits: bits, planar: planar)
        return try CodecTable.standard.decode(bytes, from: .rleLossless, as: description).bytes
    }

    @Test func `runs and literal bytes are told by the sign of their count`() throws {
        #expect(try decode(header([64]) + [0xFD, 7, 1, 8, 9]) == [7, 7, 7, 7, 8, 9])
        // -128 is nothing.
        #expect(try decode(header([64]) + [0x80, 0xFB, 7, 0x80, 0]) == [7, 7, 7, 7, 7, 7])
    }

    @Test func `the high byte of each sample is first`() throws {
        let bytes = header([64, 66]) + [0xFB, 0x12, 0xFB, 0x34]
        #expect(
            try decode(bytes, bits: 16) == [0x34, 0x12, 0x34, 0x12, 0x34, 0x12, 0x34, 0x12, 0x34, 0x12, 0x34, 0x12])
    }

    @Test func `samples are laid out as the data set says`() throws {
        let bytes = header([64, 66, 68]) + [0xFB, 1, 0xFB, 2, 0xFB, 3]
        #expect(try decode(bytes, samples: 3) == (0..<6).flatMap { _ in [1, 2, 3] })
        #expect(try decode(bytes, samples: 3, planar: 1) == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3])
    }

    @Test func `a run that is too long is cut at the end of the frame`() throws {
        #expect(try decode(header([64]) + [0x81, 5]) == [5, 5, 5, 5, 5, 5])
    }

    @Test func `segments have to be in the frame and as many as the data set asks for`() {
        let bad: [([UInt8], Int)] = [
            (header([64]) + [0xFD, 7], 8), (header([64], count: 0) + [0xFB, 7], 8),
            (header([64], count: 16) + [0xFB, 7], 8), (header([60]) + [0xFB, 7], 8), (header([70]) + [0xFB, 7], 8),
            (header([64, 66]) + [0xFB, 7, 0xFB, 7], 8), (header([64]) + [0xFB, 7], 16),
            (header([66, 64]) + [0xFB, 7, 0xFB, 7], 16), (header([0xFFFF_FFFF]) + [0xFB, 7], 8),
            (Array(header([64]).prefix(63)), 8), (header([64]) + [5, 1, 2], 8), (header([64]) + [0xFB], 8),
        ]
        for (bytes, bits) in bad {
            #expect(throws: CodecError.self) { try decode(bytes, bits: bits) }
        }
    }

    @Test func `runs do not cross rows`() throws {
        let description = try TestFrame.description(rows: 2, columns: 3)
        let frame = try #require(FrameBuffer(description, bytes: [4, 4, 4, 4, 4, 4]))
        #expect(
            try CodecTable.standard.encode(frame, to: .rleLossless).bytes == header([64]) + [0xFE, 4, 0xFE, 4])
    }
}
