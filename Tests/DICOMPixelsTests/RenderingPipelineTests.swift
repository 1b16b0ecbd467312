import DICOMCore
import DICOMPixels
import Testing

@Suite struct RenderingPipelineTests {
    // MARK: - Gray

    @Test func `the least value of MONOCHROME1 is white`() throws {
        var input = RenderingInput(columns: 3, bitsAllocated: 8)
        input.elements = RenderingInput.window("127.5", "255", "LINEAR_EXACT")
        #expect(try input.render([0, 51, 255]) == [0, 51, 255])
        input.photometric = "MONOCHROME1"
        #expect(try input.render([0, 51, 255]) == [255, 204, 0])
        // INVERSE is what MONOCHROME1 images have to say; it does not turn them back.
        input.elements.append(RenderingInput.text(.presentationLUTShape, .CS, "INVERSE"))
        #expect(try input.render([0, 51, 255]) == [255, 204, 0])
        input.photometric = "MONOCHROME2"
        #expect(try input.render([0, 51, 255]) == [255, 204, 0])
    }

    @Test func `the sign is extended from the highest stored bit`() throws {
        var input = RenderingInput(columns: 4)
        (input.bitsStored, input.isSigned) = (12, true)
        input.elements = RenderingInput.window("0", "4095", "LINEAR_EXACT")
        // -2048, -1, 0, 2047; the upper four bits hold something else.
        #expect(try input.render([0xA800, 0x5FFF, 0xF000, 0x37FF]) == [0, 127, 128, 255])
        // The same above four bits that are not stored.
        input.highBit = 15
        #expect(try input.render([0x800A, 0xFFF5, 0x000F, 0x7FF3]) == [0, 127, 128, 255])
    }

    @Test func `without a window the pixels are spread, padding left out`() throws {
        var input = RenderingInput(columns: 5)
        input.isSigned = true
        #expect(try input.render([-1000, 0, 50, 100, -1000]) == [0, 232, 243, 255, 0])
        // Padding written as an unsigned number; it stays black.
        input.elements = [RenderingInput.us(.pixelPaddingValue, -1000 & 0xFFFF)]
        #expect(try input.render([-1000, 0, 51, 255, -1000]) == [0, 0, 51, 255, 0])
        input.photometric = "MONOCHROME1"
        #expect(try input.render([-1000, 0, 51, 255, -1000]) == [0, 255, 204, 0, 0])
        input.elements.append(RenderingInput.us(.pixelPaddingRangeLimit, -900 & 0xFFFF))
        #expect(try input.render([-1000, -950, 0, 255, -900]) == [0, 0, 255, 0, 0])
    }

    @Test func `one value all over is black, and so is nothing but padding`() throws {
        var input = RenderingInput(columns: 2)
        #expect(try input.render([700, 700]) == [0, 0])
        input.elements = [RenderingInput.us(.pixelPaddingValue, 700)]
        #expect(try input.render([700, 700]) == [0, 0])
    }

    @Test func `frames can share the window of one of them`() throws {
        var input = RenderingInput(columns: 3)
        input.elements = [RenderingInput.text(.rescaleIntercept, .DS, "-10")]
        let pipeline = RenderingPipeline(input.attributes)
        let frame = try #require(input.frame([10, 265, 61]))
        let window = try #require(pipeline.automaticWindow(for: frame))
        #expect(window.center == 127.5 && window.width == 255 && window.function == .linearExact)
        let next = try #require(input.frame([10, 20, 30]))
        #expect(try pipeline.render(next, RenderingRequest(window: window)).samples == [0, 10, 20])
        (input.samplesPerPixel, input.photometric) = (3, "RGB")
        let colors = try #require(input.frame([Int](repeating: 5, count: 9)))
        #expect(pipeline.automaticWindow(for: colors) == nil)
    }

    @Test func `single bits are black and white`() throws {
        var input = RenderingInput(columns: 3, bitsAllocated: 1)
        input.rows = 3
        #expect(try input.render(bytes: [0b1101_0010, 0]) == [0, 255, 0, 0, 255, 0, 255, 255, 0])
        #expect(try input.render(bytes: [0xFF, 1]) == [UInt8](repeating: 255, count: 9))
    }

    @Test func `32-bit integers and floating point numbers are spread, too`() throws {
        var input = RenderingInput(columns: 3, bitsAllocated: 32)
        #expect(try input.render([0, 0x8000_0000, 0xFFFF_FFFF]) == [0, 128, 255])
        input.isSigned = true
        #expect(try input.render([-2_000_000, 0, 2_000_000]) == [0, 128, 255])
        input.elements = [
            DataElement(.floatPixelData, .OF, .bulk(.range(0..<12))),
            DataElement(.floatPixelPaddingValue, .FL, .bytes(RenderingInput.bytes([0x4479_C000], width: 4)[...])),
        ]
        let floats: [Float] = [-0.5, 0.3, 999]
        let bytes = RenderingInput.bytes(floats.map { Int($0.bitPattern) }, width: 4)
        #expect(try input.render(bytes: bytes) == [0, 255, 0])
        let odd: [Float] = [.nan, .infinity, 1]
        let image = try input.render(bytes: RenderingInput.bytes(odd.map { Int($0.bitPattern) }, width: 4))
        #expect(image.count == 3)
        input.bitsAllocated = 64
        input.elements = [DataElement(.doubleFloatPixelData, .OD, .bulk(.range(0..<24)))]
        let doubles = [0, 1e-12, 0.5e-12].map { Int(bitPattern: UInt($0.bitPattern)) }
        #expect(try input.render(bytes: RenderingInput.bytes(doubles, width: 8)) == [0, 255, 128])
    }

    @Test func `the window of the request wins`() throws {
        var input = RenderingInput(columns: 2)
        input.elements = RenderingInput.window("100", "10")
        #expect(try input.render([0, 1], RenderingRequest(window: VOIWindow(center: 1, width: 2))) == [0, 255])
    }

    // MARK: - Colour

    @Test func `planes become pixels`() throws {
        var input = RenderingInput(columns: 2, bitsAllocated: 8)
        (input.samplesPerPixel, input.photometric) = (3, "RGB")
        #expect(try input.render([1, 2, 3, 4, 5, 6]) == [1, 2, 3, 4, 5, 6])
        input.planarConfiguration = 1
        #expect(try input.render([1, 4, 2, 5, 3, 6]) == [1, 2, 3, 4, 5, 6])
        input.bitsAllocated = 16
        #expect(try input.render([257, 1028, 514, 1285, 771, 0xFFFF]) == [1, 2, 3, 4, 5, 255])
    }

    /// Red is (76.245, 84.972, 255.5), blue (29.07, 255.5, 107.265) in YBR_FULL.
    @Test func `YBR becomes RGB`() throws {
        var input = RenderingInput(columns: 3, bitsAllocated: 8)
        (input.samplesPerPixel, input.photometric) = (3, "YBR_FULL")
        let pixels = try input.render([76, 85, 255, 29, 255, 107, 200, 128, 128])
        #expect(pixels == [254, 0, 0, 0, 0, 254, 200, 200, 200])
        input.photometric = "YBR_ICT"
        #expect(try input.render([76, 85, 255, 29, 255, 107, 200, 128, 128]) == pixels)
        input.photometric = "YBR_RCT"
        // R 10, G 20, B 40: Y = 90 / 4, U = 20, V = -10.
        #expect(try input.render([22, 148, 118, 5, 128, 128, 0, 128, 128]) == [10, 20, 40, 5, 5, 5, 0, 0, 0])
    }

    @Test func `two pixels share their chroma in YBR_FULL_422, whatever the width`() throws {
        var input = RenderingInput(columns: 3, bitsAllocated: 8)
        (input.samplesPerPixel, input.photometric, input.rows) = (3, "YBR_FULL_422", 2)
        let pixels = try input.render(bytes: [76, 76, 85, 255, 10, 20, 128, 128, 30, 40, 128, 128])
        #expect(pixels == [254, 0, 0, 254, 0, 0, 10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40])
        (input.rows, input.columns) = (1, 3)
        // The last pixel has luminance only.
        #expect(try input.render(bytes: [10, 20, 128, 128, 30, 0]) == [10, 10, 10, 20, 20, 20, 30, 30, 30])
        input.photometric = "YBR_PARTIAL_422"
        #expect(
            try input.render(bytes: [16, 235, 128, 128, 126, 0]) == [0, 0, 0, 255, 255, 255, 128, 128, 128])
    }

    // MARK: - Overlays

    private func overlay(rows: Int, columns: Int, origin: [Int], data: Int) -> [DataElement] {
        func tag(_ element: UInt16) -> Tag { Tag(0x6000, element) }
        return [
            RenderingInput.us(tag(0x0010), rows), RenderingInput.us(tag(0x0011), columns),
            DataElement(tag(0x0050), .SS, .bytes(RenderingInput.bytes(origin, width: 2)[...])),
            RenderingInput.us(tag(0x0100), 1), RenderingInput.us(tag(0x0102), 0),
            RenderingInput.ow(tag(0x3000), [data]),
        ]
    }

    @Test func `overlays are drawn where their origin says, and cut at the edge`() throws {
        var input = RenderingInput(columns: 3, bitsAllocated: 8)
        input.rows = 2
        let window = RenderingInput.window("127.5", "255", "LINEAR_EXACT")
        // Two by two: the upper right and both lower dots.
        input.elements = window + overlay(rows: 2, columns: 2, origin: [1, 2], data: 0b1110)
        #expect(try input.render([1, 2, 3, 4, 5, 6]) == [1, 2, 255, 4, 255, 255])
        #expect(try input.render([1, 2, 3, 4, 5, 6], RenderingRequest(drawsOverlays: false)) == [1, 2, 3, 4, 5, 6])
        input.elements = window + overlay(rows: 2, columns: 2, origin: [0, 0], data: 0b1110)
        #expect(try input.render([1, 2, 3, 4, 5, 6]) == [255, 2, 3, 4, 5, 6])
        input.elements = window + overlay(rows: 2, columns: 2, origin: [-32768, 32767], data: 0b1110)
        #expect(try input.render([1, 2, 3, 4, 5, 6]) == [1, 2, 3, 4, 5, 6])
        // Less data than rows and columns say.
        input.elements = window + overlay(rows: 60000, columns: 60000, origin: [1, 1], data: 0b1)
        #expect(try input.render([1, 2, 3, 4, 5, 6]) == [255, 2, 3, 4, 5, 6])
    }

    @Test func `overlays in unused bits are taken out of the pixels`() throws {
        var input = RenderingInput(columns: 3)
        input.bitsStored = 12
        input.elements =
            RenderingInput.window("127.5", "255", "LINEAR_EXACT")
            + [
                RenderingInput.us(Tag(0x6002, 0x0010), 1), RenderingInput.us(Tag(0x6002, 0x0011), 3),
                RenderingInput.us(Tag(0x6002, 0x0100), 16), RenderingInput.us(Tag(0x6002, 0x0102), 13),
            ]
        #expect(try input.render([0x2000 + 7, 0x1000 + 8, 9]) == [255, 8, 9])
        // A bit of the pixel's value is no overlay.
        input.bitsStored = 14
        #expect(try input.render([0x2000, 8, 9]) == [255, 8, 9])
        input.elements = RenderingInput.window("8192", "16384", "LINEAR_EXACT") + input.elements.dropFirst(3)
        #expect(try input.render([0x2000, 64, 0]) == [128, 1, 0])
    }

    // MARK: - Viewport

    private func size(_ viewport: Viewport, rows: Int = 300, columns: Int = 512) throws -> [Int] {
        var input = RenderingInput(columns: columns, bitsAllocated: 8)
        input.rows = rows
        let frame = try #require(input.frame(bytes: [UInt8](repeating: 7, count: rows * columns)))
        let image = try RenderingPipeline(input.attributes).render(frame, RenderingRequest(viewport: viewport))
        #expect(image.samples.count == image.width * image.height)
        return [image.width, image.height]
    }

    @Test func `the image fits into the viewport in its proportions`() throws {
        #expect(try size(Viewport(width: 256, height: 256)) == [256, 150])
        #expect(try size(Viewport(width: 1024, height: 300)) == [512, 300])
        #expect(try size(Viewport(width: 1024, height: 1000)) == [1024, 600])
        #expect(try size(Viewport(width: 1, height: 1)) == [1, 1])
        #expect(
            try size(Viewport(width: 50, height: 50, x: 100, y: 100, regionWidth: 100, regionHeight: -50)) == [50, 25])
        // The region ends where the image does.
        #expect(
            try size(Viewport(width: 64, height: 64, x: 480, y: 0, regionWidth: 1000, regionHeight: 32)) == [64, 64])
    }

    @Test(arguments: [
        Viewport(width: 10, height: 10, x: 512), Viewport(width: 10, height: 10, y: -40, regionHeight: 40),
        Viewport(width: 0, height: 10), Viewport(width: 10, height: 10, x: .nan),
        Viewport(width: 10, height: 10, regionWidth: .infinity),
    ])
    func `a region outside of the image is an error`(viewport: Viewport) throws {
        #expect(throws: RenderingError(.emptyRegion)) { _ = try size(viewport) }
    }

    @Test func `an image that is too large is an error`() throws {
        #expect(throws: RenderingError(.tooManyPixels(limit: 1 << 26))) {
            _ = try size(Viewport(width: 60000, height: 60000))
        }
        #expect(throws: RenderingError(.tooManyPixels(limit: 1 << 26))) {
            _ = try size(Viewport(width: .max, height: .max))
        }
    }

    private func scaled(_ values: [Int], rows: Int, _ viewport: Viewport) throws -> [UInt8] {
        var input = RenderingInput(columns: values.count / rows, bitsAllocated: 8)
        input.rows = rows
        input.elements = RenderingInput.window("127.5", "255", "LINEAR_EXACT")
        return try input.render(values, RenderingRequest(viewport: viewport))
    }

    @Test func `regions are cut out and mirrored`() throws {
        let image = Array(1...12)
        let cut = Viewport(width: 2, height: 2, x: 1, y: 1, regionWidth: 2, regionHeight: 2)
        #expect(try scaled(image, rows: 3, cut) == [6, 7, 10, 11])
        #expect(try scaled(image, rows: 3, Viewport(width: 4, height: 3, regionWidth: -4)).prefix(4) == [4, 3, 2, 1])
        #expect(
            try scaled(image, rows: 3, Viewport(width: 4, height: 3, regionWidth: -4, regionHeight: -3))
                == image.reversed().map { UInt8($0) })
    }

    @Test func `smaller is the mean of the area`() throws {
        #expect(try scaled([0, 10, 20, 30, 40, 50, 60, 70], rows: 2, Viewport(width: 2, height: 1)) == [25, 45])
        // One and a half pixels each: (0 + 30 / 2) / 1.5, (30 / 2 + 90) / 1.5.
        #expect(try scaled([0, 30, 90], rows: 1, Viewport(width: 2, height: 1)) == [10, 70])
        #expect(
            try scaled([0, 30, 90], rows: 1, Viewport(width: 2, height: 1, regionWidth: -3)) == [70, 10])
        let large = [Int](repeating: 255, count: 1000 * 700)
        let thumbnail = try scaled(large, rows: 700, Viewport(width: 10, height: 10))
        #expect(thumbnail == [UInt8](repeating: 255, count: 70))
    }

    @Test func `larger is between the pixels`() throws {
        #expect(try scaled([0, 100], rows: 1, Viewport(width: 4, height: 2)) == [0, 25, 75, 100, 0, 25, 75, 100])
        #expect(try scaled([0, 100], rows: 2, Viewport(width: 1000, height: 4)) == [0, 0, 25, 25, 75, 75, 100, 100])
    }

    // MARK: - Hostile

    @Test func `pixels that nothing is known about are an error`() throws {
        var input = RenderingInput(columns: 2, bitsAllocated: 12)
        #expect(throws: RenderingError(.unsupportedPixels(bitsAllocated: 12, samplesPerPixel: 1))) {
            try input.render(bytes: [1, 2, 3])
        }
        input.bitsAllocated = 8
        input.samplesPerPixel = 4
        #expect(throws: RenderingError(.unsupportedPixels(bitsAllocated: 8, samplesPerPixel: 4))) {
            try input.render([1, 2, 3, 4, 5, 6, 7, 8])
        }
        input.samplesPerPixel = 1
        input.photometric = "PALETTE COLOR"
        #expect(throws: RenderingError(.paletteMissing)) { try input.render([1, 2]) }
    }

    @Test func `a frame whose description was changed is an error`() throws {
        let input = RenderingInput(columns: 2)
        var frame = try #require(input.frame([1, 2]))
        frame.description.columns = 3
        #expect(throws: RenderingError(.frameDoesNotFitDescription)) {
            try RenderingPipeline(input.attributes).render(frame, RenderingRequest())
        }
        frame.description.columns = -2
        frame.description.rows = -1
        #expect(throws: RenderingError(.frameDoesNotFitDescription)) {
            try RenderingPipeline(input.attributes).render(frame, RenderingRequest())
        }
    }

    @Test(arguments: [(0, 0), (17, 3), (12, 99), (0xFFFF, 0xFFFF)])
    func `bits that cannot be are put right`(stored: Int, high: Int) throws {
        var input = RenderingInput(columns: 2)
        (input.bitsStored, input.highBit) = (stored, high)
        #expect(try input.render([0, 0x0FFF]) == [0, 255])
    }

    // MARK: - Annotation

    @Test func `text is white on a dark edge and stays inside`() throws {
        var input = RenderingInput(columns: 60, bitsAllocated: 8)
        input.rows = 36
        input.elements = RenderingInput.window("127.5", "255", "LINEAR_EXACT")
        let gray = [Int](repeating: 128, count: 60 * 36)
        let output = try input.render(gray, RenderingRequest(annotation: ["|", "a much longer line than fits", "Ä"]))
        // The stroke of the bar: the margin is 3 pixels, the bar in the middle of five dots.
        for row in 3..<10 { #expect(Array(output[row * 60 + 4...row * 60 + 6]) == [0, 255, 0]) }
        #expect(output[2 * 60 + 5] == 0 && output[10 * 60 + 5] == 0 && output[60 + 5] == 128)
        #expect(output[3 * 60 + 30] == 128)
        #expect(Set(output) == [0, 128, 255])
        // Ä is written as A: it has a dot where A has one.
        #expect(output[23 * 60 + 5] == 255)
        #expect(try input.render(gray, RenderingRequest(annotation: ["x"])) != gray.map { UInt8($0) })
    }
}
