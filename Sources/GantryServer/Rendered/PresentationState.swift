import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import NIOCore

/// What a Grayscale Softcopy Presentation State says about the grays of the images that it refers to (PS3.3 A.33.1,
/// PS3.4 N.2.1).
///
/// Its transformations take the place of the images' own, and one that is absent is the identity. What changes more than
/// grays is not done here: `leftOut` names it.
struct PresentationState: Sendable {
    static let sopClass = "1.2.840.10008.5.1.4.1.1.11.1"

    /// An image of the same study that is to be shown.
    struct Reference: Hashable, Sendable {
        let series: UID
        let instance: UID
        /// All of them when empty.
        let frames: [Int]
    }

    /// Modality LUT, window or VOI LUT of certain images, and presentation LUT.
    struct Grays: Hashable, Sendable {
        /// A file that has them at the top of its data set: what a pixel worker reads.
        let file: ByteBuffer

        init(_ elements: [DataElement]) throws {
            let meta = FileMetaInformation(
                mediaStorageSOPClassUID: PresentationState.sopClass, mediaStorageSOPInstanceUID: "2.25.1",
                transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid)
            var dataSet: [UInt8] = []
            try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(DataSet(elements), into: &dataSet)
            file = ByteBuffer(bytes: meta.encoded() + dataSet)
        }
    }

    let references: [Reference]
    /// Parts of the presentation that an image rendered here does not show.
    let leftOut: [String]
    /// For certain images, or all when none are named; in this order.
    private let grays: [(grays: Grays, instances: [UID: [Int]])]
    private let otherGrays: Grays

    /// Reads the state; tables have to be in memory.
    init(_ dataSet: DataSet) throws {
        references = dataSet.items(for: .referencedSeriesSequence).flatMap { item -> [Reference] in
            guard let series = item.uid(for: .seriesInstanceUID) else { return [] }
            return item.items(for: .referencedImageSequence).compactMap { image in
                image.uid(for: .referencedSOPInstanceUID).map {
                    Reference(series: series, instance: $0, frames: image.ints(for: .referencedFrameNumber))
                }
            }
        }
        let forAll = [
            Tag.modalityLUTSequence, .rescaleSlope, .rescaleIntercept, .presentationLUTSequence, .presentationLUTShape,
        ].compactMap { dataSet[$0] }
        otherGrays = try Grays(forAll)
        grays = try dataSet.items(for: .softcopyVOILUTSequence).map { item in
            let own = [Tag.windowCenter, .windowWidth, .voilutFunction, .voilutSequence].compactMap { item[$0] }
            let images = item.items(for: .referencedImageSequence).compactMap { image in
                image.uid(for: .referencedSOPInstanceUID).map { ($0, image.ints(for: .referencedFrameNumber)) }
            }
            return (try Grays(forAll + own), Dictionary(images) { first, second in first + second })
        }
        leftOut = Self.leftOut(of: dataSet)
    }

    /// Reads a stored state.
    init(_ instance: StoredInstance, in blobs: any BlobStore) async throws {
        let stream = StoredStream(instance: instance, blobs: blobs)
        try self.init(try await stream.dataSet(retention: Self.retention))
    }

    /// The tables have 65536 words at most.
    private static let retention = ValueRetention(
        binaryBytes: 1 << 18, textBytes: 64 << 10, numbers: 1 << 17, keepsPixelData: false)

    /// The grays of a frame, otherwise as the request has it.
    func applied(to rendering: ImageRendering, of instance: UID, frame: Int) -> ImageRendering {
        var rendering = rendering
        rendering.request.window = nil
        rendering.state =
            grays.first { grays in
                guard !grays.instances.isEmpty else { return true }
                return grays.instances[instance].map { $0.isEmpty || $0.contains(frame) } ?? false
            }?.grays ?? otherGrays
        return rendering
    }

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
