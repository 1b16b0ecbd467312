import DICOMCore
import DICOMPixels
import Testing

@Suite struct ColorPaletteTests {
    private func render(
        _ elements: [DataElement], _ values: [Int], photometric: String = "PALETTE COLOR"
    ) throws -> [UInt8] {
        var input = RenderingInput(columns: values.count, bitsAllocated: 8)
        input.photometric = photometric
        input.elements = elements
        return try input.render(values)
    }

    @Test func `16-bit palettes are brought to eight bits`() throws {
        let palette = RenderingInput.palette(first: 2, [[0, 0xFFFF], [0x8080, 0], [0x0101, 0x7FFF]])
        #expect(try render(palette, [0, 2, 3, 9]) == [0, 128, 1, 0, 128, 1, 255, 0, 127, 255, 0, 127])
    }

    @Test func `8-bit palettes may be in bytes or in words`() throws {
        let words = RenderingInput.palette(bits: 8, [[1, 2], [3, 4], [5, 6]])
        #expect(try render(words, [0, 1]) == [1, 3, 5, 2, 4, 6])
        let bytes = words.map { element in
            element.vr == .OW ? DataElement(element.tag, .OW, .bytes([9, 8])) : element
        }
        #expect(try render(bytes, [0, 1]) == [9, 9, 9, 8, 8, 8])
    }

    @Test func `a palette that says 16 bits and has eight is not black`() throws {
        #expect(try render(RenderingInput.palette([[1, 200]]), [0, 1]) == [1, 1, 1, 200, 200, 200])
    }

    @Test func `segments are expanded`() throws {
        // Discrete 0 and 257; linear in 3 steps to 1028; the linear segment once more by its offset of 8 bytes.
        let codes = [0, 2, 0, 257, 1, 3, 1028, 2, 1, 8, 0]
        var palette = RenderingInput.palette([codes], segmented: true)
        palette = palette.map { element in
            element.vr == .US ? RenderingInput.us(element.tag, 8, 0, 16) : element
        }
        let output = try render(palette, Array(0..<8))
        #expect(stride(from: 0, to: 24, by: 3).map { output[$0] } == [0, 1, 2, 3, 4, 4, 4, 4])
    }

    @Test(arguments: [
        [1, 3, 1028], [2, 1, 0, 0], [0, 2, 0, 257, 2, 65535, 0, 0], [0, 9, 1], [7, 7], [0], [0, 0, 2, 65535, 0, 0],
        [0, 1, 5, 2, 1, 6, 0], [0, 1, 5, 1, 65535, 9],
    ])
    func `segments that make no sense do no harm`(codes: [Int]) throws {
        let palette = RenderingInput.palette([codes], segmented: true)
        do {
            #expect(try render(palette, [0, 1]).count == 6)
        } catch {
            #expect(error as? RenderingError == RenderingError(.paletteMissing))
        }
    }

    @Test func `a supplemental palette colours its values only`() throws {
        let palette = RenderingInput.palette(first: 200, [[0xFFFF], [0], [0]])
        let elements = palette + RenderingInput.window("127.5", "255", "LINEAR_EXACT")
        let colored = elements + [RenderingInput.text(.pixelPresentation, .CS, "COLOR")]
        #expect(
            try render(colored, [10, 200, 201], photometric: "MONOCHROME2") == [10, 10, 10, 255, 0, 0, 201, 201, 201])
        #expect(try render(elements, [10, 200, 201], photometric: "MONOCHROME2") == [10, 200, 201])
    }
}
