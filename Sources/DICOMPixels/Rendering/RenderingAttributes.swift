public import DICOMCore

/// Presentation LUT, as far as it concerns a display: a shape (2050,0020), or the table of a presentation state (PS3.3
/// C.11.4, C.11.6).
public enum PresentationLUT: Hashable, Sendable {
    case identity
    case inverse
    case table(LookupTable)
}

/// What a data set says about how one of its frames is to be shown (PS3.3 C.7.6.3, C.7.6.16, C.9.2, C.11).
///
/// Read once; pixel data need not be in the data set, tables and overlays have to be in memory.
public struct RenderingAttributes: Hashable, Sendable {
    /// What a sample is.
    public enum SampleKind: Hashable, Sendable {
        case integer
        /// Float or Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25).
        case floatingPoint
    }

    public var sampleKind: SampleKind
    public var photometricInterpretation: PhotometricInterpretation
    /// Modality LUT; `identity` where there is none.
    public var modality: GrayscaleTransformation.Modality
    /// The first window or table of the frame; `nil` where the pixels decide.
    public var valuesOfInterest: GrayscaleTransformation.ValuesOfInterest?
    public var presentation: PresentationLUT
    /// Whether a presentation state says how grays are shown: MONOCHROME1 means nothing then (PS3.3 C.11.6).
    public var isPresented = false
    /// Colours of PALETTE COLOR, or of some stored values where `hasSupplementalPalette`.
    public var palette: ColorPalette?
    /// Whether the palette colours some values of a monochrome image, and the others stay gray (PS3.3 C.7.6.19).
    public var hasSupplementalPalette: Bool
    /// Stored values that stand for no pixel (PS3.3 C.7.5.1.1.2).
    public var padding: ClosedRange<Double>?
    public var overlays: [OverlayPlane]
    /// ICC Profile (0028,2000), of the image or its first optical path.
    public var iccProfile: [UInt8]?

    /// Reads the attributes of a frame. What its functional groups say wins over the shared ones, those over the top
    /// of the data set.
    ///
    /// - Parameter frame: counts from 1.
    public init(_ dataSet: DataSet, frame: Int = 1) {
        let groups = FunctionalGroups(dataSet, frame: frame)
        let isSigned = dataSet.int(for: .pixelRepresentation) == 1
        sampleKind = dataSet.hasFloatingPointPixels ? .floatingPoint : .integer
        photometricInterpretation = PhotometricInterpretation(
            rawValue: dataSet.string(for: .photometricInterpretation) ?? "")
        modality = Self.modality(
            groups.source(of: .pixelValueTransformationSequence, [.rescaleSlope, .rescaleIntercept]),
            tables: dataSet, isSigned: isSigned)
        // What the table of values of interest takes may be negative although the pixels are not.
        let isNegative = if case .rescale(_, let intercept) = modality { intercept < 0 } else { false }
        valuesOfInterest = Self.valuesOfInterest(
            groups.source(of: .frameVOILUTSequence, [.windowCenter, .voilutSequence]), isSigned: isSigned || isNegative)
        presentation =
            dataSet.string(for: .presentationLUTShape)?.uppercased() == "INVERSE" ? .inverse : .identity
        let opticalPath = dataSet.items(for: .opticalPathSequence).first
        palette =
            ColorPalette(dataSet, isSigned: isSigned)
            ?? opticalPath?.items(for: .paletteColorLookupTableSequence).first.flatMap {
                ColorPalette($0, isSigned: isSigned)
            }
        let isColored = ["COLOR", "MIXED"].contains(dataSet.string(for: .pixelPresentation) ?? "")
        hasSupplementalPalette =
            palette != nil && isColored && photometricInterpretation != .paletteColor
        padding = Self.padding(dataSet, isSigned: isSigned)
        overlays = OverlayPlane.planes(of: dataSet, frame: frame)
        iccProfile = (dataSet[.iccProfile]?.bytes ?? opticalPath?[.iccProfile]?.bytes).flatMap {
            $0.isEmpty ? nil : Array($0)
        }
    }

    /// Lets a Grayscale Softcopy Presentation State say how grays are shown, instead of the image (PS3.4 N.2.1). What it
    /// does not say is the identity; without values of interest the pixels decide.
    ///
    /// - Parameters:
    ///   - state: modality LUT, the window or VOI LUT of this frame, and presentation LUT, all at the top.
    ///   - isSigned: whether the image's pixels are signed.
    public mutating func apply(presentationState state: DataSet, isSigned: Bool) {
        modality = Self.modality(state, tables: state, isSigned: isSigned)
        let isNegative = if case .rescale(_, let intercept) = modality { intercept < 0 } else { false }
        valuesOfInterest = Self.valuesOfInterest(state, isSigned: isSigned || isNegative)
        presentation = .identity
        if let table = state.items(for: .presentationLUTSequence).first.flatMap({ LookupTable($0, isSigned: false) }) {
            presentation = .table(table)
        } else if state.string(for: .presentationLUTShape)?.uppercased() == "INVERSE" {
            presentation = .inverse
        }
        isPresented = true
    }

    // MARK: - Reading

    /// Modality LUT (PS3.3 C.11.1). A slope of zero would leave one gray: it counts as absent.
    private static func modality(
        _ source: DataSet, tables: DataSet, isSigned: Bool
    ) -> GrayscaleTransformation.Modality {
        let item = source.items(for: .modalityLUTSequence).first ?? tables.items(for: .modalityLUTSequence).first
        if let table = item.flatMap({ LookupTable($0, isSigned: isSigned) }) { return .table(table) }
        let slope = source.double(for: .rescaleSlope) ?? 1
        let intercept = source.double(for: .rescaleIntercept) ?? 0
        return .rescale(
            slope: slope.isFinite && slope != 0 ? slope : 1, intercept: intercept.isFinite ? intercept : 0)
    }

    /// VOI LUT (PS3.3 C.11.2): the first window; without a usable one, the first table.
    private static func valuesOfInterest(
        _ source: DataSet, isSigned: Bool
    ) -> GrayscaleTransformation.ValuesOfInterest? {
        if let center = source.double(for: .windowCenter), let width = source.double(for: .windowWidth) {
            let function: VOIWindow.Function =
                switch source.string(for: .voilutFunction)?.uppercased() {
                case "LINEAR_EXACT": .linearExact
                case "SIGMOID": .sigmoid
                default: .linear
                }
            // Below 1, a width of the linear function can only be meant exactly.
            if let window = VOIWindow(center: center, width: width, function: function)
                ?? VOIWindow(center: center, width: width, function: .linearExact)
            {
                return .window(window)
            }
        }
        return source.items(for: .voilutSequence).first.flatMap { LookupTable($0, isSigned: isSigned) }
            .map { .table($0) }
    }

    private static func padding(_ dataSet: DataSet, isSigned: Bool) -> ClosedRange<Double>? {
        guard
            let value = integer(dataSet, .pixelPaddingValue, isSigned: isSigned)
                ?? dataSet.double(for: .floatPixelPaddingValue) ?? dataSet.double(for: .doubleFloatPixelPaddingValue),
            value.isFinite
        else { return nil }
        let limit =
            integer(dataSet, .pixelPaddingRangeLimit, isSigned: isSigned)
            ?? dataSet.double(for: .floatPixelPaddingRangeLimit)
            ?? dataSet.double(for: .doubleFloatPixelPaddingRangeLimit) ?? value
        guard limit.isFinite else { return value...value }
        return min(value, limit)...max(value, limit)
    }

    /// A number that is signed where the pixels are, whatever its VR came as.
    private static func integer(_ dataSet: DataSet, _ tag: Tag, isSigned: Bool) -> Double? {
        dataSet.int(for: tag).map { isSigned && (0x8000...0xFFFF).contains($0) ? Double($0 - 0x10000) : Double($0) }
    }
}

/// Where the attributes of a frame are in an enhanced image (PS3.3 C.7.6.16).
private struct FunctionalGroups {
    private let dataSet: DataSet
    private let perFrame: DataSet?
    private let shared: DataSet?

    init(_ dataSet: DataSet, frame: Int) {
        self.dataSet = dataSet
        let items = dataSet.items(for: .perFrameFunctionalGroupsSequence)
        perFrame = items.indices.contains(frame &- 1) ? items[frame - 1] : nil
        shared = dataSet.items(for: .sharedFunctionalGroupsSequence).first
    }

    /// The item of a functional group for the frame that has one of some attributes; else the data set itself.
    func source(of group: Tag, _ tags: [Tag]) -> DataSet {
        for candidate in [perFrame, shared] {
            if let item = candidate?.items(for: group).first, tags.contains(where: { item[$0] != nil }) {
                return item
            }
        }
        return dataSet
    }
}

extension DataSet {
    /// Whether samples are floating point numbers: there is such pixel data, or what integers would need is missing.
    fileprivate var hasFloatingPointPixels: Bool {
        if self[.floatPixelData] != nil || self[.doubleFloatPixelData] != nil { return true }
        guard self[.pixelData] == nil, let allocated = int(for: .bitsAllocated) else { return false }
        return (allocated == 32 || allocated == 64) && self[.bitsStored] == nil && self[.pixelRepresentation] == nil
    }
}
