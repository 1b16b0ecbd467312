package import BlobStorage
import DICOMCore
package import DICOMPixels

/// An instance of the archive: what it is, and where and how its bytes are stored.
package struct StoredInstance: Sendable {
    package let identity: InstanceIdentity
    /// Where the stored file is.
    package let location: BlobLocation
    /// Length of the stored file.
    package let length: Int
    /// (0002,0010) of the stored bytes, as they really are.
    package let transferSyntaxUID: String
    /// Offset of the first byte behind group 0002.
    package let dataSetOffset: Int
    /// Whether the file may be returned unchanged (see `DICOMFile.isFaithful`).
    package let isFaithful: Bool
    /// SHA-256 of the stored file.
    package let digest: [UInt8]
    /// An encoded `FrameLayout`; empty for what has no pixel data.
    package let frameLayout: [UInt8]
    /// (0020,0013), when it is a number.
    package let instanceNumber: Int64?
    /// Grows with every change of the instance and never repeats.
    package let version: Int64
    /// When this content was stored, in milliseconds since 1970.
    package let storedAt: Int64

    /// Where each frame is in the stored file; `nil` for what has no pixel data.
    package var frames: FrameLayout? { frameLayout.isEmpty ? nil : FrameLayout(decoding: frameLayout) }
}
