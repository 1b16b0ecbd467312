import DICOMCore
import DICOMPixels
import PixelWorkers

/// What a Grayscale Softcopy Presentation State says about the grays of the images that it refers to (PS3.3 A.33.1,
/// PS3.4 N.2.1).
///
/// Its transformations take the place of the images' own, and one that is absent is the identity. Tables, and what
/// changes more than grays, are not done here: `leftOut` names them.
struct PresentationState: Sendable {
    static let sopClass = "1.2.840.10008.5.1.4.1.1.11.1"

    /// An image of the same study that is to be shown.
    struct Reference: Hashable, Sendable {
        let series: UID
        let instance: UID
        /// All of them when empty.
        let frames: [Int]
    }

    let references: [Reference]
    /// Parts of the presentation that an image rendered here does not show.
    let leftOut: [String]
    private let rescale: FrameRendering.Rescale
    private let presentation: PresentationLUTShape
    private let windows: [Window]

    private struct Window: Sendable {
        let window: VOIWindow
        /// Which images and frames it is for: all when empty.
        let instances: [UID: [Int]]
    }

    /// Fails with a 406 where grays depend on tables.
    init(_ dataSet: DataSet) throws {
        references = dataSet.items(for: .referencedSeriesSequence).flatMap { item -> [Reference] in
            guard let series = item.uid(for: .seriesInstanceUID) else { return [] }
            return item.items(for: .referencedImageSequence).compactMap { image in
                image.uid(for: .referencedSOPInstanceUID).map {
                    Reference(series: series, instance: $0, frames: image.ints(for: .referencedFrameNumber))
                }
            }
        }
        guard dataSet.items(for: .modalityLUTSequence).isEmpty, dataSet.items(for: .presentationLUTSequence).isEmpty
        else { throw Self.tables }
        let slope = dataSet.double(for: .rescaleSlope) ?? 1
        let intercept = dataSet.double(for: .rescaleIntercept) ?? 0
        rescale = FrameRendering.Rescale(
            slope: slope.isFinite && slope != 0 ? slope : 1, intercept: intercept.isFinite ? intercept : 0)
        presentation =
            dataSet.string(for: .presentationLUTShape)?.uppercased() == "INVERSE" ? .inverse : .identity
        windows = try dataSet.items(for: .softcopyVOILUTSequence).compactMap { item in
            guard item.items(for: .voilutSequence).isEmpty else { throw Self.tables }
            guard let window = VOIWindow(item) else { return nil }
            let images = item.items(for: .referencedImageSequence).compactMap { image in
                image.uid(for: .referencedSOPInstanceUID).map { ($0, image.ints(for: .referencedFrameNumber)) }
            }
            return Window(window: window, instances: Dictionary(images) { first, second in first + second })
        }
        leftOut = Self.leftOut(of: dataSet)
    }

    /// The grays of a frame, otherwise as the request has it.
    func applied(to rendering: ImageRendering, of instance: UID, frame: Int) -> ImageRendering {
        var rendering = rendering
        rendering.rescale = rescale
        rendering.request.presentation = presentation
        rendering.request.window =
            windows.first { window in
                guard !window.instances.isEmpty else { return true }
                return window.instances[instance].map { $0.isEmpty || $0.contains(frame) } ?? false
            }?.window
        return rendering
    }

    private static let tables = Problem(
        .notAcceptable, "The presentation state has lookup tables, which are not rendered; ask for the image itself.")

    private static func leftOut(of dataSet: DataSet) -> [String] {
        var names: [String] = []
        if !dataSet.items(for: .graphicAnnotationSequence).isEmpty { names.append("graphic annotations") }
        if dataSet.string(for: .shutterShape) != nil { names.append("shutters") }
        if dataSet.string(for: .imageHorizontalFlip)?.uppercased() == "Y"
            || (dataSet.int(for: .imageRotation) ?? 0) != 0
        {
            names.append("rotation and flipping")
        }
        let showsAll = dataSet.items(for: .displayedAreaSelectionSequence).allSatisfy { area in
            area.ints(for: .displayedAreaTopLeftHandCorner) == [1, 1]
                && area.string(for: .presentationSizeMode)?.uppercased() == "SCALE TO FIT"
        }
        if !showsAll { names.append("displayed areas") }
        return names
    }
}

extension VOIWindow {
    /// The first window of an item (PS3.3 C.11.2).
    fileprivate init?(_ item: DataSet) {
        guard let center = item.double(for: .windowCenter), let width = item.double(for: .windowWidth) else {
            return nil
        }
        switch item.string(for: .voilutFunction)?.uppercased() {
        case "LINEAR_EXACT": self.init(center: center, width: width, function: .linearExact)
        case "SIGMOID": self.init(center: center, width: width, function: .sigmoid)
        default: self.init(center: center, width: width, function: .linear)
        }
    }
}
