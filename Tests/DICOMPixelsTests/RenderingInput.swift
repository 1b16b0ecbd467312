import DICOMCore
import DICOMPixels

/// Makes the data sets and frames that rendering is tested with.
struct RenderingInput {
    var rows = 1
    var columns: Int
    var samplesPerPixel = 1
    var bitsAllocated = 16
    var bitsStored: Int?
    var highBit: Int?
    var isSigned = false
    var planarConfiguration = 0
    var photometric = "MONOCHROME2"
    var elements: [DataElement] = []

    init(columns: Int, bitsAllocated: Int = 16) {
        self.columns = columns
        self.bitsAllocated = bitsAllocated
    }

    var dataSet: DataSet {
        let stored = bitsStored ?? bitsAllocated
        var set = DataSet(elements)
        for element in [
            Self.us(.rows, rows), Self.us(.columns, columns), Self.us(.samplesPerPixel, samplesPerPixel),
            Self.us(.bitsAllocated, bitsAllocated), Self.us(.bitsStored, stored),
            Self.us(.highBit, highBit ?? stored - 1), Self.us(.pixelRepresentation, isSigned ? 1 : 0),
            Self.us(.planarConfiguration, planarConfiguration), Self.text(.photometricInterpretation, .CS, photometric),
        ] {
            set.insertIfAbsent(element)
        }
        return set
    }

    var attributes: RenderingAttributes { RenderingAttributes(dataSet) }

    /// A frame of sample values, whose lower bits are taken.
    func frame(_ values: [Int]) -> FrameBuffer? { frame(bytes: Self.bytes(values, width: bitsAllocated / 8)) }

    func frame(bytes: [UInt8]) -> FrameBuffer? {
        ImagePixelDescription(dataSet).flatMap { FrameBuffer($0, bytes: bytes) }
    }

    /// Renders a frame of sample values.
    func render(_ values: [Int], _ request: RenderingRequest = RenderingRequest()) throws -> [UInt8] {
        try render(bytes: Self.bytes(values, width: bitsAllocated / 8), request)
    }

    func render(bytes: [UInt8], _ request: RenderingRequest = RenderingRequest()) throws -> [UInt8] {
        guard let frame = frame(bytes: bytes) else { throw RenderingError(.frameDoesNotFitDescription) }
        return try RenderingPipeline(attributes).render(frame, request).samples
    }

    static func us(_ tag: Tag, _ values: Int...) -> DataElement {
        DataElement(tag, .US, .bytes(bytes(values, width: 2)[...]))
    }

    static func ow(_ tag: Tag, _ values: [Int]) -> DataElement {
        DataElement(tag, .OW, .bytes(bytes(values, width: 2)[...]))
    }

    static func text(_ tag: Tag, _ vr: VR, _ text: String) -> DataElement {
        DataElement(tag, vr, .bytes(Array(text.utf8)[...]))
    }

    static func item(_ tag: Tag, _ elements: DataElement...) -> DataElement {
        DataElement(tag, .SQ, .items([DataSet(elements)]))
    }

    /// Window attributes.
    static func window(_ center: String, _ width: String, _ function: String? = nil) -> [DataElement] {
        [text(.windowCenter, .DS, center), text(.windowWidth, .DS, width)]
            + (function.map { [text(.voilutFunction, .CS, $0)] } ?? [])
    }

    /// A palette with the same table for all three colours, or one each.
    static func palette(first: Int = 0, bits: Int = 16, _ planes: [[Int]], segmented: Bool = false) -> [DataElement] {
        let descriptors: [Tag] = [
            .redPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableDescriptor,
            .bluePaletteColorLookupTableDescriptor,
        ]
        let tables: [Tag] =
            segmented
            ? [
                .segmentedRedPaletteColorLookupTableData, .segmentedGreenPaletteColorLookupTableData,
                .segmentedBluePaletteColorLookupTableData,
            ]
            : [
                .redPaletteColorLookupTableData, .greenPaletteColorLookupTableData, .bluePaletteColorLookupTableData,
            ]
        return (0..<3).flatMap { index in
            let plane = planes[min(index, planes.count - 1)]
            return [us(descriptors[index], plane.count, first, bits), ow(tables[index], plane)]
        }
    }

    static func bytes(_ values: [Int], width: Int) -> [UInt8] {
        values.flatMap { value in (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    }
}
