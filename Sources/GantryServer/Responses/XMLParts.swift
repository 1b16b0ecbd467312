import DICOMCore
import DICOMModels
import DICOMWeb

/// Data sets as the parts of a `multipart/related` body, each a document of the Native DICOM Model (PS3.18 8.7.3.2).
struct XMLParts {
    private(set) var bytes: [UInt8] = []
    private var parts: MultipartRelatedWriter
    private var writer = NativeModelWriter(bulkData: .inlineEverything)

    private static let mediaType = "application/dicom+xml"

    init() {
        var generator = SystemRandomNumberGenerator()
        parts = MultipartRelatedWriter(partType: Self.mediaType, using: &generator)
    }

    /// The Content-Type of the whole body.
    var contentType: String { parts.contentType }

    /// Adds a part; `location` is the resource that it represents, if it is one.
    mutating func append(_ dataSet: DataSet, location: String? = nil) {
        bytes += parts.partBegins(contentType: Self.mediaType, location: location)
        writer.write(dataSet, into: &bytes)
    }

    /// Ends the body.
    mutating func end() { bytes += parts.end() }
}
