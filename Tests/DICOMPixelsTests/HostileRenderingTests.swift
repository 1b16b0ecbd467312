import DICOMCore
import DICOMPixels
import Testing

/// Whatever the attributes are, rendering ends with an image or an error of its own.
@Suite struct HostileRenderingTests {
    /// Numbers that are the same on every run.
    private struct Sequence: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static let tags: [Tag] =
        [
            .pixelPaddingValue, .pixelPaddingRangeLimit, .rescaleSlope, .rescaleIntercept, .windowCenter, .windowWidth,
            .voilutFunction, .lutDescriptor, .lutData, .presentationLUTShape, .pixelPresentation, .iccProfile,
            .floatPixelPaddingValue, .redPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableDescriptor,
            .bluePaletteColorLookupTableDescriptor, .redPaletteColorLookupTableData, .greenPaletteColorLookupTableData,
            .bluePaletteColorLookupTableData, .segmentedRedPaletteColorLookupTableData,
            .segmentedGreenPaletteColorLookupTableData, .segmentedBluePaletteColorLookupTableData, .floatPixelData,
            .doubleFloatPixelData,
        ] + [0x0010, 0x0011, 0x0015, 0x0050, 0x0051, 0x0100, 0x0102, 0x3000].map { Tag(0x6000, $0) }

    private static let sequences: [Tag] = [
        .modalityLUTSequence, .voilutSequence, .pixelValueTransformationSequence, .frameVOILUTSequence,
        .perFrameFunctionalGroupsSequence, .sharedFunctionalGroupsSequence, .opticalPathSequence,
        .paletteColorLookupTableSequence,
    ]

    private static let texts = [
        "", "0", "-1", "1", "1e308", "-1e308", "1e-320", "nan", "inf", "40\\80", "2\\", "LINEAR_EXACT", "SIGMOID",
        "INVERSE",
        "COLOR", "99999999999999999999",
    ]

    private func elements(_ random: inout Sequence, depth: Int) -> [DataElement] {
        var elements: [DataElement] = []
        for tag in Self.tags where Int.random(in: 0..<3, using: &random) == 0 {
            let vr: VR = [.US, .SS, .OW, .DS, .CS, .SV, .FD, .FL, .UN].randomElement(using: &random) ?? .US
            var bytes: [UInt8]
            if vr == .DS || vr == .CS {
                bytes = Array((Self.texts.randomElement(using: &random) ?? "").utf8)
            } else {
                // Small numbers are more to the point.
                bytes = (0..<([0, 1, 2, 6, 8, 24, 64].randomElement(using: &random) ?? 0)).map { _ in
                    [0, 1, 2, 8, 16, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
                }
            }
            elements.append(DataElement(tag, vr, .bytes(bytes[...])))
        }
        guard depth < 3 else { return elements }
        for tag in Self.sequences where Int.random(in: 0..<3, using: &random) == 0 {
            elements.append(DataElement(tag, .SQ, .items([DataSet(self.elements(&random, depth: depth + 1))])))
        }
        return elements
    }

    @Test(arguments: 0..<8) func `nothing traps`(seed: Int) throws {
        var random = Sequence(state: UInt64(seed) &* 977 &+ 5)
        var rendered = 0
        for _ in 0..<150 {
            let numbers = [-1, 0, 1, 7, 8, 12, 16, 32, 64, 0xFFFF]
            var input = RenderingInput(columns: Int.random(in: 1...9, using: &random))
            input.rows = Int.random(in: 1...9, using: &random)
            input.bitsAllocated = [1, 8, 16, 32, 64, 12].randomElement(using: &random) ?? 8
            input.samplesPerPixel = [1, 1, 3, 2].randomElement(using: &random) ?? 1
            input.bitsStored = (numbers.randomElement(using: &random) ?? 0) & 0xFFFF
            input.highBit = (numbers.randomElement(using: &random) ?? 0) & 0xFFFF
            input.isSigned = Bool.random(using: &random)
            input.planarConfiguration = Int.random(in: 0...2, using: &random)
            input.photometric =
                ["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL_422", "YBR_RCT", ""]
                .randomElement(using: &random) ?? ""
            input.elements = elements(&random, depth: 0)
            guard let description = ImagePixelDescription(input.dataSet), let count = description.frameByteCount else {
                continue
            }
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let frame = try #require(FrameBuffer(description, bytes: bytes))
            let pipeline = RenderingPipeline(
                RenderingAttributes(input.dataSet, frame: numbers.randomElement(using: &random) ?? 1))
            let decimals = [0, 1, -1, 0.4, 3.7, 1e9, -1e300, .nan]
            let viewport = Viewport(
                width: numbers.randomElement(using: &random) ?? 1, height: Int.random(in: 1...40, using: &random),
                x: decimals.randomElement(using: &random) ?? 0, y: 0,
                regionWidth: decimals.randomElement(using: &random), regionHeight: nil)
            let request = RenderingRequest(
                viewport: Bool.random(using: &random) ? viewport : nil, annotation: ["x"],
                colorProfile: [.no, .yes, .srgb].randomElement(using: &random) ?? .no)
            do throws(RenderingError) {
                let image = try pipeline.render(frame, request)
                #expect(image.samples.count == image.width * image.height * image.colorSpace.channels)
                rendered += 1
            } catch {
                continue
            }
        }
        #expect(rendered > 15)
    }
}
