import CTurboJPEG
import DICOMCore
import DICOMPixels
import Testing

@Suite struct JPEGDecoderTests {
    /// A smooth RGB image as baseline JPEG, with JFIF's segment, by the library that everybody uses.
    func jpeg(
        rows: Int = 37, columns: Int = 45, subsampling: TJSAMP = TJSAMP_444, quality: Int32 = 95, flags: Int32 = 0
    ) throws -> (rgb: [UInt8], bytes: [UInt8]) {
        var rgb: [UInt8] = []
        for y in 0..<rows {
            for x in 0..<columns { rgb += [UInt8(x * 255 / columns), UInt8(y * 255 / rows), UInt8((x + y) % 64 + 90)] }
        }
        let compressor = try #require(tjInitCompress())
        defer { tjDestroy(compressor) }
        var output: UnsafeMutablePointer<UInt8>?
        var count: UInt = 0
        let status = tjCompress2(
            compressor, rgb, Int32(columns), 0, Int32(rows), Int32(TJPF_RGB.rawValue), &output, &count,
            Int32(subsampling.rawValue), quality, flags)
        defer { tjFree(output) }
        try #require(status == 0)
        return (rgb, Array(UnsafeBufferPointer(start: output, count: Int(count))))
    }

    func decode(
        _ bytes: [UInt8], _ photometric: PhotometricInterpretation = .ybrFull422, rows: Int = 37, columns: Int = 45,
        samples: Int = 3, bits: Int = 8, from transferSyntax: TransferSyntax = .jpegBaseline
    ) throws -> FrameBuffer {
        let description = try TestFrame.description(
            rows: rows, columns: columns, samples: samples, bits: bits, photometric: photometric)
        return try CodecTable.standard.decode(bytes, from: transferSyntax, as: description)
    }

    /// PS3.3 C.7.6.3.1.2.
    func rgb(_ frame: FrameBuffer) -> [UInt8] {
        guard frame.description.photometricInterpretation == .ybrFull else { return frame.bytes }
        var rgb: [UInt8] = []
        for index in stride(from: 0, to: frame.bytes.count, by: 3) {
            let y = Double(frame.bytes[index])
            let blue = Double(frame.bytes[index + 1]) - 128
            let red = Double(frame.bytes[index + 2]) - 128
            for value in [y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue] {
                rgb.append(UInt8(min(max(value, 0), 255).rounded()))
            }
        }
        return rgb
    }

    func meanDifference(_ one: [UInt8], _ other: [UInt8]) -> Double {
        guard one.count == other.count else { return .infinity }
        return Double(zip(one, other).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(one.count)
    }

    /// Without its JFIF segment.
    func withoutJFIF(_ bytes: [UInt8]) throws -> [UInt8] {
        try #require(bytes[2...3] == [0xFF, 0xE0])
        return Array(bytes[..<2]) + bytes[(4 + Int(bytes[4]) << 8 + Int(bytes[5]))...]
    }

    /// With an Adobe segment.
    func adobe(_ bytes: [UInt8], transform: UInt8) -> [UInt8] {
        Array(bytes[..<2]) + [0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, transform] + bytes[2...]
    }

    /// With other component names in the frame and the scan.
    func named(_ bytes: [UInt8], _ ids: [UInt8]) throws -> [UInt8] {
        var bytes = bytes
        let frame = try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        let scan = try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA })
        for index in 0..<3 {
            bytes[frame + 10 + index * 3] = ids[index]
            bytes[scan + 5 + index * 2] = ids[index]
        }
        return bytes
    }

    @Test(arguments: [TJSAMP_444, TJSAMP_422, TJSAMP_420, TJSAMP_440, TJSAMP_411])
    func `samples stay YCbCr where the data set says so`(subsampling: TJSAMP) throws {
        let (rgb, bytes) = try jpeg(subsampling: subsampling)
        for declared in [PhotometricInterpretation.ybrFull, .ybrFull422] {
            let frame = try decode(bytes + [0], declared)
            #expect(frame.description.photometricInterpretation == .ybrFull)
            #expect(meanDifference(self.rgb(frame), rgb) < 8)
        }
    }

    @Test func `YCbCr becomes RGB where the data set says RGB and the codestream says YCbCr`() throws {
        let (rgb, bytes) = try jpeg()
        for bytes in [bytes, adobe(try withoutJFIF(bytes), transform: 1)] {
            let frame = try decode(bytes, .rgb)
            #expect(frame.description.photometricInterpretation == .rgb)
            #expect(meanDifference(frame.bytes, rgb) < 3)
        }
        // Subsampled components are not RGB, whoever says so.
        let (subsampled, other) = try jpeg(subsampling: TJSAMP_420)
        #expect(meanDifference(try decode(withoutJFIF(other), .rgb).bytes, subsampled) < 8)
    }

    @Test func `RGB by the codestream's own words is RGB`() throws {
        let bytes = try withoutJFIF(jpeg().bytes)
        let coded = try decode(bytes, .ybrFull)
        for bytes in [
            adobe(bytes, transform: 0), try named(bytes, [0x52, 0x47, 0x42]), try named(bytes, [0x72, 0x67, 0x62]),
        ] {
            for declared in [PhotometricInterpretation.ybrFull422, .rgb] {
                let frame = try decode(bytes, declared)
                #expect(frame.description.photometricInterpretation == .rgb)
                #expect(frame.bytes == coded.bytes)
            }
        }
        // Without any word, the data set's.
        let frame = try decode(bytes, .rgb)
        #expect(frame.description.photometricInterpretation == .rgb && frame.bytes == coded.bytes)
    }

    @Test func `a missing end marker does not matter, missing data does`() throws {
        let bytes = try jpeg().bytes
        let whole = try decode(bytes)
        #expect(try decode(bytes.dropLast(2)) == whole)
        for sixteenths in 0..<16 {
            #expect(throws: CodecError.self) { try decode(Array(bytes.prefix(bytes.count * sixteenths / 16))) }
        }
    }

    @Test func `progressive JPEG is decoded as well`() throws {
        let (_, sequential) = try jpeg()
        let (_, progressive) = try jpeg(flags: TJFLAG_PROGRESSIVE)
        #expect(progressive != sequential)
        #expect(try decode(progressive) == decode(sequential))
    }

    @Test func `damage is an error or another image`() throws {
        var random = SeededGenerator(seed: 3)
        for flags in [0, TJFLAG_PROGRESSIVE] {
            let bytes = try jpeg(subsampling: TJSAMP_420, flags: flags).bytes
            for _ in 0..<400 {
                var damaged = bytes
                for _ in 0...random.next() % 3 {
                    damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                if let frame = try? decode(damaged) { #expect(frame.bytes.count == 37 * 45 * 3) }
            }
        }
    }

    @Test func `another size than the data set's is refused before anything is decoded`() throws {
        let bytes = try jpeg().bytes
        for (rows, columns, samples) in [(38, 45, 3), (37, 44, 3), (37, 45, 1)] {
            #expect {
                try decode(bytes, rows: rows, columns: columns, samples: samples)
            } throws: {
                ($0 as? CodecError)?.code == .disagreesWithDataSet
            }
        }
        var lying = bytes
        let frame = try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        for offset in 5..<9 { lying[frame + offset] = 0xFF }
        #expect { try decode(lying) } throws: { ($0 as? CodecError)?.code == .disagreesWithDataSet }
        #expect { try decode(lying, rows: 0xFFFF, columns: 0xFFFF) } throws: { ($0 as? CodecError)?.code == .tooLarge }
        // 300 MB that a kilobyte cannot be.
        lying[frame + 5] = 0x27
        lying[frame + 6] = 0x10
        lying[frame + 7] = 0x27
        lying[frame + 8] = 0x10
        #expect { try decode(lying, rows: 10000, columns: 10000) } throws: { ($0 as? CodecError)?.code == .corrupt }
    }

    @Test func `8 bits are widened where 16 are allocated`() throws {
        let frame = try decode(jpeg().bytes, bits: 16)
        let narrow = try decode(jpeg().bytes)
        #expect(frame.bytes.count == narrow.bytes.count * 2)
        #expect(
            narrow.bytes.indices.allSatisfy { frame.bytes[$0 * 2] == narrow.bytes[$0] && frame.bytes[$0 * 2 + 1] == 0 })
    }

    /// One component of 12 bits: DC of category 2, then nothing but ends of blocks.
    func extended(rows: UInt8, columns: UInt8, data: [UInt8], restart: UInt8 = 0) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 16, count: 64)
        bytes += [0xFF, 0xC1, 0, 11, 12, 0, rows, 0, columns, 1, 1, 0x11, 0]
        // DC: 0 is category 0, 10 is category 2. AC: 0 is the end of a block.
        bytes += [0xFF, 0xC4, 0, 21, 0x00, 1, 1] + [UInt8](repeating: 0, count: 14) + [0, 2]
        bytes += [0xFF, 0xC4, 0, 20, 0x10, 1] + [UInt8](repeating: 0, count: 15) + [0]
        if restart > 0 { bytes += [0xFF, 0xDD, 0, 4, 0, restart] }
        return bytes + [0xFF, 0xDA, 0, 8, 1, 1, 0x00, 0, 63, 0] + data + [0xFF, 0xD9]
    }

    func values(_ frame: FrameBuffer) -> [Int] {
        stride(from: 0, to: frame.bytes.count, by: 2).map { Int(frame.bytes[$0]) | Int(frame.bytes[$0 + 1]) << 8 }
    }

    @Test func `12 bits are decoded`() throws {
        // 10 11 0: a difference of 3, times 16, over 8: 6. Then 0 0: the same again.
        let bytes = extended(rows: 5, columns: 12, data: [0b1011_0001])
        let frame = try decode(bytes, .monochrome2, rows: 5, columns: 12, samples: 1, bits: 16, from: .jpegExtended)
        #expect(values(frame) == [Int](repeating: 2048 + 6, count: 60))
        // A restart begins at 0 again: 10 00 0 is a difference of -3.
        let restarted = extended(rows: 5, columns: 12, data: [0b1011_0111, 0xFF, 0xD0, 0b1000_0111], restart: 1)
        let other = try decode(restarted, .monochrome2, rows: 5, columns: 12, samples: 1, bits: 16, from: .jpegExtended)
        let row = [Int](repeating: 2054, count: 8) + [Int](repeating: 2042, count: 4)
        #expect(values(other) == [row, row, row, row, row].flatMap { $0 })
    }

    @Test func `12 bits that are cut or missing are refused`() throws {
        let cut = extended(rows: 40, columns: 120, data: [0b1011_0001])
        #expect(throws: CodecError.self) {
            try decode(cut, .monochrome2, rows: 40, columns: 120, samples: 1, bits: 16, from: .jpegExtended)
        }
        let bytes = extended(rows: 5, columns: 12, data: [0b1011_0111, 0xFF, 0xD0, 0b1000_0111], restart: 1)
        var random = SeededGenerator(seed: 9)
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            let frame = try? decode(
                damaged, .monochrome2, rows: 5, columns: 12, samples: 1, bits: 16, from: .jpegExtended)
            if let frame { #expect(frame.bytes.count == 120) }
        }
    }

    /// Lossless JPEG of 3 x 2 samples with a predictor; the differences are all of category 1: 0 is -1, 1 is 1.
    func lossless(predictor: UInt8, precision: UInt8 = 8, pointTransform: UInt8 = 0, data: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0xC3, 0, 11, precision, 0, 2, 0, 3, 1, 1, 0x11, 0]
        bytes += [0xFF, 0xC4, 0, 20, 0x00, 1] + [UInt8](repeating: 0, count: 15) + [1]
        return bytes + [0xFF, 0xDA, 0, 8, 1, 1, 0x00, predictor, 0, pointTransform] + data + [0xFF, 0xD9]
    }

    @Test(arguments: [
        (1, [129, 130, 131, 130, 131, 132]), (2, [129, 130, 131, 130, 131, 132]), (3, [129, 130, 131, 130, 130, 131]),
        (4, [129, 130, 131, 130, 132, 134]), (5, [129, 130, 131, 130, 131, 132]), (6, [129, 130, 131, 130, 131, 132]),
        (7, [129, 130, 131, 130, 131, 132]),
    ])
    func `every predictor of lossless JPEG adds up`(predictor: Int, expected: [UInt8]) throws {
        // Each code is 0, each difference 1: 01 six times, then ones.
        let bytes = lossless(predictor: UInt8(predictor), data: [0b0101_0101, 0b0101_1111])
        let frame = try decode(bytes, .monochrome2, rows: 2, columns: 3, samples: 1, from: .jpegLossless)
        #expect(frame.bytes == expected)
    }

    @Test func `the point transform of lossless JPEG shifts samples back`() throws {
        let bytes = lossless(predictor: 1, pointTransform: 2, data: [0b0101_0101, 0b0101_1111])
        let frame = try decode(bytes, .monochrome2, rows: 2, columns: 3, samples: 1, from: .jpegLossless)
        #expect(frame.bytes == [33, 34, 35, 34, 35, 36].map { $0 << 2 })
    }

    @Test func `lossless restarts predict from the middle again`() throws {
        var bytes = lossless(predictor: 1, data: [0b0101_0111, 0xFF, 0xD0, 0b0101_0111])
        let scan = try #require((0..<bytes.count - 1).first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA })
        bytes.insert(contentsOf: [0xFF, 0xDD, 0, 4, 0, 3], at: scan)
        let frame = try decode(bytes, .monochrome2, rows: 2, columns: 3, samples: 1, from: .jpegLosslessSV1)
        #expect(frame.bytes == [129, 130, 131, 129, 130, 131])
    }

    @Test func `lossless components may have scans of their own`() throws {
        var bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0xC3, 0, 17, 8, 0, 1, 0, 2, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
        bytes += [0xFF, 0xC4, 0, 20, 0x00, 1] + [UInt8](repeating: 0, count: 15) + [1]
        // 01 01, 00 01, 00 00: up and up, down and up, down and down.
        for (component, data) in [(1, 0b0101_1111), (2, 0b0001_1111), (3, 0b0000_1111)] as [(UInt8, UInt8)] {
            bytes += [0xFF, 0xDA, 0, 8, 1, component, 0x00, 1, 0, 0, data]
        }
        bytes += [0xFF, 0xD9]
        let frame = try decode(bytes, .rgb, rows: 1, columns: 2, from: .jpegLossless)
        #expect(frame.bytes == [129, 127, 127, 130, 128, 126])
        #expect(throws: CodecError.self) {
            try decode(bytes.dropLast(13) + [0xFF, 0xD9], .rgb, rows: 1, columns: 2, from: .jpegLossless)
        }
    }
}
