import CDeflate
import CGIF
import CTurboJPEG
import DICOMCore
import DICOMPixels
import Testing

@Suite struct ImageFileEncoderTests {
    /// A ramp across, another down, and noise.
    private func image(
        _ colorSpace: RenderedImage.ColorSpace, width: Int = 61, height: Int = 40
    ) throws -> RenderedImage {
        var samples: [UInt8] = []
        for row in 0..<height {
            for column in 0..<width {
                let gray = UInt8(truncatingIfNeeded: column * 3 + row)
                samples +=
                    colorSpace == .gray ? [gray] : [gray, UInt8(row * 5), UInt8(truncatingIfNeeded: 255 - column)]
            }
        }
        return try #require(RenderedImage(width: width, height: height, colorSpace: colorSpace, samples: samples))
    }

    // MARK: - JPEG

    private func decodedJPEG(_ file: [UInt8], channels: Int) throws -> (width: Int, height: Int, samples: [UInt8]) {
        let decoder = try #require(tjInitDecompress())
        defer { tjDestroy(decoder) }
        var (width, height, subsampling, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        try #require(
            tjDecompressHeader3(decoder, file, UInt(file.count), &width, &height, &subsampling, &space) == 0)
        #expect((space == TJCS_GRAY.rawValue) == (channels == 1))
        var samples = [UInt8](repeating: 0, count: Int(width * height) * channels)
        let format = Int32((channels == 1 ? TJPF_GRAY : TJPF_RGB).rawValue)
        try #require(tjDecompress2(decoder, file, UInt(file.count), &samples, width, 0, height, format, 0) == 0)
        return (Int(width), Int(height), samples)
    }

    @Test(arguments: [RenderedImage.ColorSpace.gray, .rgb])
    func `JPEG comes back nearly as it was`(colorSpace: RenderedImage.ColorSpace) throws {
        let image = try image(colorSpace)
        let decoded = try decodedJPEG(try ImageFileEncoder.jpeg(image, quality: 98), channels: colorSpace.channels)
        #expect(decoded.width == 61 && decoded.height == 40)
        let differences = zip(decoded.samples, image.samples).map { abs(Int($0) - Int($1)) }
        #expect(differences.reduce(0, +) < 3 * differences.count)
    }

    @Test func `less quality makes a smaller JPEG`() throws {
        let image = try image(.rgb)
        #expect(try ImageFileEncoder.jpeg(image, quality: 50).count < ImageFileEncoder.jpeg(image, quality: 95).count)
        for quality in [0, 101, -1] {
            #expect(throws: RenderingError(.invalidQuality)) { try ImageFileEncoder.jpeg(image, quality: quality) }
        }
    }

    /// Sizes that are no multiple of what is coded together.
    @Test(arguments: [(1, 90), (3, 90), (3, 60)])
    func `a large JPEG made in strips shows what one made at once does`(samplesPerPixel: Int, quality: Int) throws {
        var input = RenderingInput(columns: 1031, bitsAllocated: 8)
        (input.rows, input.samplesPerPixel) = (1021, samplesPerPixel)
        if samplesPerPixel == 3 { input.photometric = "RGB" }
        input.elements = RenderingInput.window("127.5", "255", "LINEAR_EXACT")
        let frame = try #require(
            input.frame(
                bytes: (0..<1031 * 1021 * samplesPerPixel).map { UInt8(truncatingIfNeeded: $0 / 41 ^ $0 / 9001) }))
        let pipeline = RenderingPipeline(input.attributes)
        let strips = try pipeline.jpeg(frame, RenderingRequest(), quality: quality)
        let whole = try ImageFileEncoder.jpeg(try pipeline.render(frame, RenderingRequest()), quality: quality)
        #expect(strips != whole)
        let decoded = try decodedJPEG(strips, channels: samplesPerPixel)
        #expect(decoded.width == 1031 && decoded.height == 1021)
        let expected = try decodedJPEG(whole, channels: samplesPerPixel).samples
        #expect(decoded.samples == expected)
        // Only what is not large is made at once.
        let small = RenderingRequest(viewport: Viewport(width: 64, height: 64))
        #expect(
            try pipeline.jpeg(frame, small, quality: quality)
                == ImageFileEncoder.jpeg(try pipeline.render(frame, small), quality: quality))
    }

    @Test func `a profile is embedded in as many segments as it takes`() throws {
        var image = try image(.rgb)
        let plain = try ImageFileEncoder.jpeg(image)
        let profile = (0..<70000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        image.iccProfile = profile
        let file = try ImageFileEncoder.jpeg(image)
        #expect(file.count == plain.count + 70000 + 2 * 18)
        let marker = [0xFF, 0xE2, 0xFF, 0xFF] + Array("ICC_PROFILE\0".utf8) + [1, 2]
        #expect(Array(file[20..<38]) == marker)
        #expect(Array(file[38..<38 + 65519]) == Array(profile[..<65519]))
        #expect(try decodedJPEG(file, channels: 3).samples == decodedJPEG(plain, channels: 3).samples)
        image.iccProfile = [UInt8](repeating: 0, count: 17_000_000)
        #expect(throws: RenderingError(.tooLargeForFormat)) { try ImageFileEncoder.jpeg(image) }
    }

    // MARK: - PNG

    /// The chunks by their types.
    private func chunks(_ file: [UInt8]) throws -> [(type: String, body: [UInt8])] {
        try #require(file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        var chunks: [(String, [UInt8])] = []
        var at = 8
        func number(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        while at < file.count {
            let count = number(at)
            let checked = Array(file[at + 4..<at + 8 + count])
            #expect(Int(libdeflate_crc32(0, checked, checked.count)) == number(at + 8 + count))
            chunks.append((String(decoding: checked[..<4], as: UTF8.self), Array(checked[4...])))
            at += 12 + count
        }
        return chunks
    }

    private func inflated(_ bytes: [UInt8], count: Int) throws -> [UInt8] {
        let decompressor = try #require(libdeflate_alloc_decompressor())
        defer { libdeflate_free_decompressor(decompressor) }
        var output = [UInt8](repeating: 0, count: count)
        var actual = 0
        let result = libdeflate_zlib_decompress(decompressor, bytes, bytes.count, &output, count, &actual)
        try #require(result == LIBDEFLATE_SUCCESS && actual == count)
        return output
    }

    /// Undoes the filters (ISO/IEC 15948 9.2).
    private func unfiltered(_ rows: [UInt8], stride: Int, pixel: Int) -> [UInt8] {
        var samples: [UInt8] = []
        for row in 0..<rows.count / (stride + 1) {
            let filter = rows[row * (stride + 1)]
            for index in 0..<stride {
                let start = row * stride
                let left = index >= pixel ? Int(samples[start + index - pixel]) : 0
                let above = row > 0 ? Int(samples[start - stride + index]) : 0
                let corner = row > 0 && index >= pixel ? Int(samples[start - stride + index - pixel]) : 0
                let guess = left + above - corner
                let (a, b, c) = (abs(guess - left), abs(guess - above), abs(guess - corner))
                let predictor =
                    switch filter {
                    case 1: left
                    case 2: above
                    case 4: a <= b && a <= c ? left : b <= c ? above : corner
                    default: 0
                    }
                samples.append(rows[row * (stride + 1) + 1 + index] &+ UInt8(predictor))
            }
        }
        return samples
    }

    @Test(arguments: [RenderedImage.ColorSpace.gray, .rgb])
    func `PNG comes back as it was`(colorSpace: RenderedImage.ColorSpace) throws {
        var image = try image(colorSpace)
        let profile = [UInt8](repeating: 42, count: 500)
        image.iccProfile = profile
        let chunks = try chunks(try ImageFileEncoder.png(image))
        #expect(chunks.map(\.type) == ["IHDR", "iCCP", "IDAT", "IEND"])
        #expect(chunks[0].body == [0, 0, 0, 61, 0, 0, 0, 40, 8, colorSpace == .gray ? 0 : 2, 0, 0, 0])
        #expect(chunks[1].body.starts(with: "ICC profile\0\0".utf8))
        #expect(try inflated(Array(chunks[1].body[13...]), count: 500) == profile)
        let stride = 61 * colorSpace.channels
        let rows = try inflated(chunks[2].body, count: (stride + 1) * 40)
        #expect(unfiltered(rows, stride: stride, pixel: colorSpace.channels) == image.samples)
    }

    @Test func `each filter is used where it is best`() throws {
        // Up wins where rows repeat, Sub where they only run on, Paeth where they do both.
        var samples: [UInt8] = []
        for row in 0..<24 {
            for column in 0..<32 {
                let noise = (column * 37 + column * column * 11) % 251
                let value = row < 8 ? noise : row < 16 ? (row * 97) % 200 + column : row * 9 + column * 8
                samples.append(UInt8(truncatingIfNeeded: value))
            }
        }
        let image = try #require(RenderedImage(width: 32, height: 24, colorSpace: .gray, samples: samples))
        let chunks = try chunks(try ImageFileEncoder.png(image))
        let rows = try inflated(chunks[1].body, count: 33 * 24)
        #expect(Set((0..<24).map { rows[33 * $0] }).isSuperset(of: [1, 2]))
        #expect(unfiltered(rows, stride: 32, pixel: 1) == samples)
    }

    // MARK: - GIF

    private struct DecodedGIF {
        var width = 0
        var height = 0
        var images: [[UInt32]] = []
        /// In hundredths of a second.
        var delays: [Int] = []
        var loops = false
    }

    private func decodedGIF(_ file: [UInt8]) throws -> DecodedGIF {
        #expect(file.starts(with: "GIF89a".utf8))
        final class Source {
            var bytes: ArraySlice<UInt8>
            init(_ bytes: [UInt8]) { self.bytes = bytes[...] }
        }
        let source = Source(file)
        var status: Int32 = 0
        let reader: InputFunc = { file, target, count in
            guard let file, let target, let pointer = file.pointee.UserData else { return 0 }
            let source = Unmanaged<Source>.fromOpaque(pointer).takeUnretainedValue()
            let part = source.bytes.prefix(Int(count))
            for (index, byte) in part.enumerated() { target[index] = byte }
            source.bytes = source.bytes.dropFirst(Int(count))
            return Int32(part.count)
        }
        let gif = try #require(DGifOpen(Unmanaged.passUnretained(source).toOpaque(), reader, &status))
        defer { _ = DGifCloseFile(gif, nil) }
        try #require(DGifSlurp(gif) == GIF_OK)
        var decoded = DecodedGIF(width: Int(gif.pointee.SWidth), height: Int(gif.pointee.SHeight))
        for index in 0..<Int(gif.pointee.ImageCount) {
            let saved = gif.pointee.SavedImages[index]
            let map = try #require(saved.ImageDesc.ColorMap ?? gif.pointee.SColorMap)
            decoded.images.append(
                (0..<decoded.width * decoded.height).map { pixel in
                    let color = map.pointee.Colors[Int(saved.RasterBits[pixel])]
                    return UInt32(color.Red) << 16 | UInt32(color.Green) << 8 | UInt32(color.Blue)
                })
            var control = GraphicsControlBlock()
            if DGifSavedExtensionToGCB(gif, Int32(index), &control) == GIF_OK {
                decoded.delays.append(Int(control.DelayTime))
            }
            for extra in 0..<Int(saved.ExtensionBlockCount) {
                let block = saved.ExtensionBlocks[extra]
                let body = (0..<Int(block.ByteCount)).map { block.Bytes[$0] }
                if body == Array("NETSCAPE2.0".utf8) { decoded.loops = true }
            }
        }
        return decoded
    }

    @Test func `a gray GIF comes back as it was`() throws {
        let image = try image(.gray)
        let decoded = try decodedGIF(try ImageFileEncoder.gif(image))
        #expect(decoded.width == 61 && decoded.height == 40)
        #expect(decoded.images == [image.samples.map { UInt32($0) * 0x010101 }])
        #expect(decoded.delays.isEmpty && !decoded.loops)
    }

    @Test func `the colours of a GIF are the nearest ones`() throws {
        let image = try image(.rgb)
        let decoded = try decodedGIF(try ImageFileEncoder.gif(image))
        let pixels = try #require(decoded.images.first)
        var difference = 0
        for (index, pixel) in pixels.enumerated() {
            for channel in 0..<3 {
                difference += abs(Int(pixel >> (16 - 8 * channel)) & 0xFF - Int(image.samples[3 * index + channel]))
            }
        }
        #expect(difference / (3 * pixels.count) < 12)
        // Few colours are kept exactly as long as they do not share their upper bits.
        let flag = try #require(
            RenderedImage(width: 3, height: 1, colorSpace: .rgb, samples: [255, 0, 0, 1, 2, 3, 0, 255, 9]))
        #expect(try decodedGIF(try ImageFileEncoder.gif(flag)).images == [[0xFF0000, 0x010203, 0x00FF09]])
    }

    @Test func `an animation shows its frames in time and for ever`() throws {
        let first = try image(.gray)
        let second = try image(.rgb)
        var animation = try GIFAnimation(width: 61, height: 40, frameTime: 66.7)
        try animation.append(first)
        try animation.append(second)
        try animation.append(first)
        let decoded = try decodedGIF(try animation.finish())
        #expect(decoded.delays == [7, 7, 7] && decoded.loops)
        #expect(decoded.images.count == 3 && decoded.images[0] == decoded.images[2])
        #expect(decoded.images[0] == first.samples.map { UInt32($0) * 0x010101 })
    }

    @Test func `frames of another size, or none, are an error`() throws {
        let image = try image(.gray)
        #expect(throws: RenderingError(.differentFrameSizes)) {
            var animation = try GIFAnimation(width: 60, height: 40, frameTime: 1)
            try animation.append(image)
        }
        #expect(throws: RenderingError(.encoderFailed)) {
            _ = try GIFAnimation(width: 60, height: 40, frameTime: 1).finish()
        }
        #expect(throws: RenderingError(.tooLargeForFormat)) {
            _ = try GIFAnimation(width: 65536, height: 40, frameTime: 1)
        }
    }

    @Test func `the time of a frame is what the data set says`() {
        func time(_ elements: DataElement...) -> Double { GIFAnimation.frameTime(of: DataSet(elements)) }
        let frameTime = RenderingInput.text(.frameTime, .DS, "66.7")
        let cineRate = RenderingInput.text(.cineRate, .IS, "25")
        #expect(time(frameTime, cineRate) == 66.7)
        #expect(time(cineRate) == 40)
        #expect(time(RenderingInput.text(.recommendedDisplayFrameRate, .IS, "10"), cineRate, frameTime) == 100)
        #expect(time(RenderingInput.text(.frameTimeVector, .DS, "0\\30\\50")) == 40)
        #expect(time(RenderingInput.text(.frameTime, .DS, "0"), RenderingInput.text(.cineRate, .IS, "-3")) == 100)
    }

    // MARK: - Profiles

    private func render(
        _ profile: RenderingRequest.ColorProfile, own: [UInt8]?, gray: Bool = false
    ) throws -> RenderedImage {
        var input = RenderingInput(columns: 1, bitsAllocated: 8)
        if !gray { (input.samplesPerPixel, input.photometric) = (3, "RGB") }
        input.elements = RenderingInput.window("127.5", "255", "LINEAR_EXACT")
        if let own { input.elements.append(DataElement(.iccProfile, .OB, .bytes(own[...]))) }
        let frame = try #require(input.frame(gray ? [100] : [200, 50, 100]))
        return try RenderingPipeline(input.attributes).render(frame, RenderingRequest(colorProfile: profile))
    }

    @Test func `colours are converted to the profile that is embedded`() throws {
        let srgb = try render(.srgb, own: nil)
        let profile = try #require(srgb.iccProfile)
        #expect(srgb.samples == [200, 50, 100] && Array(profile[36..<40]) == Array("acsp".utf8))
        #expect(try render(.srgb, own: nil).iccProfile == profile)
        // The primaries of Adobe RGB are further apart: the same colour needs less of them.
        let adobe = try render(.adobeRGB, own: nil)
        #expect(adobe.samples[0] < 200 && adobe.samples[1] > 50 && adobe.iccProfile != profile)
        let romm = try render(.rommRGB, own: nil)
        #expect(romm.samples[0] < adobe.samples[0] && romm.iccProfile != adobe.iccProfile)
        // What is in Adobe RGB already stays as it is, and comes out stronger in sRGB.
        #expect(try render(.adobeRGB, own: adobe.iccProfile).samples == [200, 50, 100])
        #expect(try render(.srgb, own: adobe.iccProfile).samples[0] > 200)
    }

    @Test func `the profile of the data set is embedded as it is, if it is one`() throws {
        let own = try #require(try render(.adobeRGB, own: nil).iccProfile)
        #expect(try render(.yes, own: own).iccProfile == own)
        #expect(try render(.yes, own: own).samples == [200, 50, 100])
        #expect(try render(.no, own: own).iccProfile == nil)
        #expect(try render(.yes, own: nil).iccProfile == nil)
        // A header that says RGB, and nothing behind it.
        var hollow = own
        hollow.replaceSubrange(128..<132, with: [0, 0, 0, 0])
        #expect(try render(.srgb, own: hollow).samples == [200, 50, 100])
        for junk in [[1, 2, 3, 4], [UInt8](repeating: 0xFF, count: 500), Array(own.prefix(200))] {
            #expect(try render(.yes, own: junk).iccProfile == nil)
            #expect(try render(.srgb, own: junk).samples == [200, 50, 100])
        }
    }

    @Test func `gray images get a gray profile`() throws {
        let srgb = try render(.srgb, own: nil, gray: true)
        #expect(srgb.samples == [100])
        #expect(srgb.iccProfile.map { Array($0[16..<20]) } == Array("GRAY".utf8))
        // Lighter tone curve: 1.8 instead of about 2.2.
        #expect(try render(.rommRGB, own: nil, gray: true).samples[0] < 100)
    }
}
