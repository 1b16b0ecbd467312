import DICOMCore
import DICOMPixels
import Testing

@Suite struct RenderingAttributesTests {
    private func windows(_ frames: [DataElement], shared: [DataElement] = [], top: [DataElement] = []) -> DataSet {
        var input = RenderingInput(columns: 1)
        input.elements =
            top + [
                DataElement(
                    .perFrameFunctionalGroupsSequence, .SQ,
                    .items(frames.map { DataSet([$0]) })),
                DataElement(.sharedFunctionalGroupsSequence, .SQ, .items([DataSet(shared)])),
            ]
        return input.dataSet
    }

    private func group(_ center: String) -> DataElement {
        DataElement(.frameVOILUTSequence, .SQ, .items([DataSet(RenderingInput.window(center, "10"))]))
    }

    private func center(_ dataSet: DataSet, frame: Int) -> Double? {
        guard case .window(let window) = RenderingAttributes(dataSet, frame: frame).valuesOfInterest else { return nil }
        return window.center
    }

    @Test func `a frame's own group wins over the shared one, that over the top`() {
        let top = RenderingInput.window("3", "10")
        let own = windows([group("1"), RenderingInput.us(.rows, 1)], shared: [group("2")], top: top)
        #expect(center(own, frame: 1) == 1)
        #expect(center(own, frame: 2) == 2)
        #expect(center(windows([RenderingInput.us(.rows, 1)], top: top), frame: 1) == 3)
        for frame in [0, -1, 3, .max, .min] { #expect(center(own, frame: frame) == 2) }
    }

    @Test func `the rescale of the frame is used`() {
        let transformation = RenderingInput.item(
            .pixelValueTransformationSequence, RenderingInput.text(.rescaleSlope, .DS, "2"),
            RenderingInput.text(.rescaleIntercept, .DS, "-3.5"))
        let dataSet = windows(
            [transformation], top: [RenderingInput.text(.rescaleSlope, .DS, "9")])
        #expect(RenderingAttributes(dataSet, frame: 1).modality == .rescale(slope: 2, intercept: -3.5))
        #expect(RenderingAttributes(dataSet, frame: 2).modality == .rescale(slope: 9, intercept: 0))
    }

    @Test(arguments: ["0", "", "x", "1e999"])
    func `a slope that would leave nothing to see counts as absent`(slope: String) {
        var input = RenderingInput(columns: 1)
        input.elements = [
            RenderingInput.text(.rescaleSlope, .DS, slope), RenderingInput.text(.rescaleIntercept, .DS, "-1024"),
        ]
        #expect(input.attributes.modality == .rescale(slope: 1, intercept: -1024))
    }

    @Test func `only the first of several windows counts, and only one that is a window`() {
        var input = RenderingInput(columns: 1)
        input.elements = RenderingInput.window("40\\500", "400\\1500")
        #expect(input.attributes.valuesOfInterest == VOIWindow(center: 40, width: 400).map { .window($0) })
        input.elements = RenderingInput.window("0.5", "0.5")
        #expect(
            input.attributes.valuesOfInterest
                == VOIWindow(center: 0.5, width: 0.5, function: .linearExact).map { .window($0) })
        for bad in [("40", "0"), ("NaN", "400"), ("40", "-1"), ("1e400", "400"), ("", "400")] {
            input.elements = RenderingInput.window(bad.0, bad.1)
            #expect(input.attributes.valuesOfInterest == nil)
        }
    }

    // MARK: - Tables

    private func table(_ sequence: Tag, _ descriptor: [Int], _ entries: [Int]) -> DataElement {
        let descriptor = DataElement(.lutDescriptor, .US, .bytes(RenderingInput.bytes(descriptor, width: 2)[...]))
        return RenderingInput.item(sequence, descriptor, RenderingInput.ow(.lutData, entries))
    }

    @Test func `a modality table gives the values of the window`() throws {
        var input = RenderingInput(columns: 5)
        input.elements =
            RenderingInput.window("127.5", "255", "LINEAR_EXACT")
            + [table(.modalityLUTSequence, [3, 10, 16], [0, 100, 200])]
        #expect(try input.render([9, 10, 11, 12, 60000]) == [0, 0, 100, 200, 200])
        // Unsigned in the descriptor, signed in the image: the first value is -2.
        input.isSigned = true
        input.elements =
            RenderingInput.window("127.5", "255", "LINEAR_EXACT")
            + [table(.modalityLUTSequence, [3, 0xFFFE, 16], [0, 100, 200])]
        #expect(try input.render([-3, -2, -1, 0, 1]) == [0, 0, 100, 200, 200])
    }

    @Test func `a VOI table is spread over its bits`() throws {
        var input = RenderingInput(columns: 4)
        input.elements = [
            RenderingInput.text(.rescaleIntercept, .DS, "-10"), table(.voilutSequence, [3, 0, 12], [0, 1365, 4095]),
        ]
        #expect(try input.render([0, 10, 11, 12]) == [0, 0, 85, 255])
        // Entries that need more bits than are said.
        input.elements[1] = table(.voilutSequence, [3, 0, 8], [0, 1365, 4095])
        #expect(try input.render([0, 10, 11, 12]) == [0, 0, 85, 255])
        input.elements += RenderingInput.window("1", "2")
        #expect(try input.render([0, 10, 11, 12]) == [0, 0, 255, 255])
    }

    @Test func `a VOI table may start below zero where the rescale goes there`() throws {
        var input = RenderingInput(columns: 3)
        input.elements = [
            RenderingInput.text(.rescaleIntercept, .DS, "-1024"),
            table(.voilutSequence, [3, 0x10000 - 1024, 8], [7, 8, 9]),
        ]
        #expect(try input.render([0, 1, 2]) == [7, 8, 9])
    }

    @Test func `eight-bit entries may be packed`() throws {
        var input = RenderingInput(columns: 3)
        input.elements = [
            RenderingInput.item(
                .voilutSequence, RenderingInput.us(.lutDescriptor, 3, 0, 8),
                DataElement(.lutData, .OW, .bytes([5, 6, 7, 0])))
        ]
        #expect(try input.render([0, 1, 2]) == [5, 6, 7])
    }

    @Test func `tables that lie do no harm`() throws {
        var input = RenderingInput(columns: 2)
        let lies: [[Int]] = [[0, 0, 16], [60000, 0, 16], [2, 0xFFFF, 0], [2, 0x8000, 99], [1, 1, 1]]
        for descriptor in lies {
            for entries in [[], [1], [0, 0], [0xFFFF, 0]] {
                input.elements = [
                    table(.voilutSequence, descriptor, entries), table(.modalityLUTSequence, descriptor, entries),
                ]
                #expect(try input.render([0, 0xFFFF]).count == 2)
            }
        }
        input.elements = [table(.voilutSequence, [3], [1, 2, 3])]
        #expect(input.attributes.valuesOfInterest == nil)
        input.elements = [
            RenderingInput.item(
                .voilutSequence, RenderingInput.us(.lutDescriptor, 3, 0, 16),
                DataElement(.lutData, .OW, .bulk(.range(0..<6))))
        ]
        #expect(input.attributes.valuesOfInterest == nil)
    }

    @Test func `numbers of the wrong kind do no harm`() throws {
        var input = RenderingInput(columns: 2)
        let huge = DataElement(.lutDescriptor, .SV, .bytes([UInt8](repeating: 0x7F, count: 24)[...]))
        let origin = DataElement(
            Tag(0x6000, 0x0050), .SV, .bytes(([0, 0, 0, 0, 0, 0, 0, 0x80] + [UInt8](repeating: 0x7F, count: 8))[...]))
        input.elements = [
            RenderingInput.item(.voilutSequence, huge, RenderingInput.ow(.lutData, [1, 2])),
            RenderingInput.us(Tag(0x6000, 0x0010), 2), RenderingInput.us(Tag(0x6000, 0x0011), 2), origin,
            RenderingInput.ow(Tag(0x6000, 0x3000), [0xF]),
            DataElement(.pixelPaddingValue, .SV, .bytes([0, 0, 0, 0, 0, 0, 0, 0x80])),
        ]
        #expect(try input.render([0, 1]) == [0, 255])
    }
}
