import DICOMCore
import DICOMPixels
import Glibc
import Testing

@Suite struct RenderingTableTests {
    /// The way of one value, written out once more from the standard, a step at a time.
    private func gray(_ stored: Double, slope: Double, intercept: Double, _ window: VOIWindow, inverted: Bool) -> Double
    {
        let value = slope * stored + intercept
        let (c, w) = (window.center, window.width)
        var gray: Double
        switch window.function {
        case .linear:
            if value <= c - 0.5 - (w - 1) / 2 {
                gray = 0
            } else if value > c - 0.5 + (w - 1) / 2 {
                gray = 255
            } else {
                gray = ((value - (c - 0.5)) / (w - 1) + 0.5) * 255
            }
        case .linearExact:
            if value <= c - w / 2 {
                gray = 0
            } else if value > c + w / 2 {
                gray = 255
            } else {
                gray = ((value - c) / w + 0.5) * 255
            }
        case .sigmoid: gray = 255 / (1 + exp(-4 * (value - c) / w))
        }
        if inverted { gray = 255 - gray }
        return gray.rounded(.toNearestOrEven)
    }

    private static let windows = [
        VOIWindow(center: 40, width: 400), VOIWindow(center: 40, width: 1), VOIWindow(center: -1000.5, width: 2),
        VOIWindow(center: 300, width: 1500, function: .linearExact),
        VOIWindow(center: 1, width: 0.001, function: .linearExact),
        VOIWindow(center: 100, width: 333, function: .sigmoid),
    ].compactMap { $0 }

    @Test(arguments: [(12, 11, false), (12, 11, true), (16, 15, true), (16, 15, false), (10, 12, true), (1, 0, false)])
    func `every stored value comes out as the steps one by one`(stored: Int, high: Int, signed: Bool) throws {
        for (index, window) in Self.windows.enumerated() {
            let (slope, intercept) = [(1.0, 0.0), (1, -1024), (0.37, 12.5), (-2, 7)][index % 4]
            var input = RenderingInput(columns: 1 << stored)
            if stored == 16 { input = RenderingInput(columns: 1 << 15) }
            input.rows = stored == 16 ? 2 : 1
            (input.bitsStored, input.highBit, input.isSigned) = (stored, high, signed)
            input.photometric = index.isMultiple(of: 2) ? "MONOCHROME2" : "MONOCHROME1"
            input.elements = [
                RenderingInput.text(.rescaleSlope, .DS, "\(slope)"),
                RenderingInput.text(.rescaleIntercept, .DS, "\(intercept)"),
            ]
            // All values, with other bits than the stored ones set.
            let shift = high + 1 - stored
            let unused = 0xFFFF & ~(((1 << stored) - 1) << shift)
            let words = (0..<1 << stored).map { $0 << shift | unused }
            let output = try input.render(words, RenderingRequest(window: window))
            for index in 0..<1 << stored {
                let isNegative = signed && index >= 1 << (stored - 1)
                let value = Double(isNegative ? index - (1 << stored) : index)
                let expected = gray(
                    value, slope: slope, intercept: intercept, window, inverted: input.photometric == "MONOCHROME1")
                guard Double(output[index]) == expected else {
                    Issue.record("value \(value): \(output[index]) instead of \(expected)")
                    break
                }
            }
        }
    }

    @Test func `a table serves every frame of its layout and window`() throws {
        var input = RenderingInput(columns: 3)
        input.elements = RenderingInput.window("50", "101")
        let pipeline = RenderingPipeline(input.attributes)
        let first = try #require(input.frame([0, 50, 100]))
        let second = try #require(input.frame([100, 0, 25]))
        let table = try #require(pipeline.table(for: first.description, RenderingRequest()))
        #expect(try pipeline.render(first, RenderingRequest(), table: table).samples == [1, 129, 255])
        #expect(try pipeline.render(second, RenderingRequest(), table: table).samples == [255, 1, 65])
        // A table for 16 stored bits says nothing about 8-bit samples.
        let bytes = try #require(RenderingInput(columns: 3, bitsAllocated: 8).frame([0, 50, 100]))
        #expect(try pipeline.render(bytes, RenderingRequest(), table: table).samples == [1, 129, 255])
    }

    @Test func `there is no table where the pixels decide`() throws {
        let input = RenderingInput(columns: 2)
        let description = try #require(ImagePixelDescription(input.dataSet))
        #expect(RenderingPipeline(input.attributes).table(for: description, RenderingRequest()) == nil)
        let window = VOIWindow(center: 1, width: 2)
        #expect(RenderingPipeline(input.attributes).table(for: description, RenderingRequest(window: window)) != nil)
    }
}
