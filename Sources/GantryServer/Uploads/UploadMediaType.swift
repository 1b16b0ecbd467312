import DICOMWeb

/// The media types that an upload may have.
enum UploadMediaType {
    /// What may be announced and sent; a type tells nothing that the bytes do not tell better.
    static let accepted = [
        "application/dicom", "application/zip", "application/x-zip-compressed", "application/octet-stream",
    ]

    /// The type as it is signed, where it is one of those.
    static func checked(_ text: String) throws -> String {
        guard let type = MediaType(text), type.parameters.isEmpty, accepted.contains(type.essence) else {
            throw Problem(
                .unsupportedMediaType, "An upload is one of \(accepted.joined(separator: ", "))."
            )
        }
        return type.essence
    }

    /// Whether the Content-Type of a PUT is the one that was signed for; without one, whether it is any of those.
    static func matches(_ field: String?, signed: String?) -> Bool {
        guard let signed else {
            guard let field else { return true }
            return MediaType(field).map { accepted.contains($0.essence) } ?? false
        }
        return field.flatMap { MediaType($0) }?.essence == signed
    }
}
