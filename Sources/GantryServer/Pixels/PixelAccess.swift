import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import NIOCore
import PixelWorkers

/// What the frames of stored instances are got with: their bytes, what is known of them, and who decodes them.
struct PixelAccess: Sendable {
    let blobs: any BlobStore
    let workers: PixelWorkers
    let heads = InstanceHeads()

    /// What stands in front of the pixel data.
    func head(of instance: StoredInstance) async throws -> InstanceHead {
        try await heads.head(of: instance, in: blobs)
    }

    /// How the frames of an instance are laid out without compression.
    func image(of instance: StoredInstance) async throws -> ImagePixelDescription {
        guard let image = try await head(of: instance).image else {
            throw Problem(.noSuchResource, "The data set does not describe its pixels.")
        }
        return image
    }
}
