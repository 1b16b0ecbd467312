/// The form of a store request's body, from its Content-Type (PS3.18 10.5.1.3, 8.6.1.2).
public enum StoreContentType: Hashable, Sendable {
    /// `multipart/related`, and what `type` says the root is.
    case multipart(MultipartBoundary, Payload)
    /// One Part 10 file as the whole body. Not in the standard, but sent by many.
    case instance

    /// What is stored: Part 10 files, or metadata with bulk data.
    public enum Payload: Hashable, Sendable {
        case dicom, dicomJSON, dicomXML
        /// There is no `type`; the first part tells.
        case unstated

        fileprivate init?(_ mediaType: MediaType) {
            switch mediaType.essence {
            case "application/dicom": self = .dicom
            case "application/dicom+json": self = .dicomJSON
            case "application/dicom+xml": self = .dicomXML
            default: return nil
            }
        }
    }

    /// Value of the Accept-Post header that goes with 415 (RFC 5789 3.1, W3C LDP 4.2.7).
    public static let acceptPost = """
        multipart/related; type="application/dicom", multipart/related; type="application/dicom+json", \
        multipart/related; type="application/dicom+xml", application/dicom
        """

    /// Reads the Content-Type header lines: 415 when the form is not one of ours, 400 when it is but cannot be used.
    ///
    /// A `transfer-syntax` parameter is passed over, because the files themselves tell (PS3.18 8.7.9).
    public init(_ fieldValues: [String]) throws(DICOMWebError) {
        guard let value = fieldValues.first, !value.allSatisfy(\.isWhitespace) else {
            throw Self.unsupported("The request has no Content-Type.")
        }
        guard fieldValues.count == 1, let mediaType = MediaType(value) else {
            throw DICOMWebError(
                .invalidContentType, "The Content-Type header cannot be read.", clause: "RFC 9110 8.3")
        }
        switch mediaType.essence {
        case "application/dicom": self = .instance
        case "multipart/related": self = try Self.multipart(mediaType)
        default: throw Self.unsupported("Instances are not stored from \(mediaType.essence).")
        }
    }

    private static func multipart(_ mediaType: MediaType) throws(DICOMWebError) -> StoreContentType {
        var payload = Payload.unstated
        if let type = mediaType["type"], !type.isEmpty {
            guard let root = MediaType(type), let known = Payload(root) else {
                throw unsupported("The type parameter of multipart/related is not one that can be stored.")
            }
            payload = known
        }
        let boundaries = mediaType.parameters.filter { $0.name == "boundary" }
        guard boundaries.count == 1, let boundary = MultipartBoundary(boundaries[0].value) else {
            throw DICOMWebError(
                .invalidContentType, "The boundary parameter is missing, repeated, or not 1 to 70 characters.",
                clause: "RFC 2046 5.1.1")
        }
        return .multipart(boundary, payload)
    }

    private static func unsupported(_ detail: String) -> DICOMWebError {
        DICOMWebError(.unsupportedMediaType, detail, clause: "PS3.18 10.5.1.3")
    }
}

extension StoreContentType.Payload {
    /// What the body holds, when only its first part tells; 415 when that part does not.
    public func resolved(firstPart header: PartHeader) throws(DICOMWebError) -> Self {
        guard self == .unstated else { return self }
        guard let type = header.contentType, let payload = Self(type) else {
            throw StoreContentType.unsupported("Neither the body nor its first part names a type that can be stored.")
        }
        return payload
    }

    /// What a part of a body is.
    public enum PartRole: Hashable, Sendable {
        /// A Part 10 file, or to be treated as one: its bytes decide.
        case instance
        /// Data sets as JSON or XML.
        case metadata
        /// A value that metadata refer to.
        case bulkData
        /// Of another type than the body announced.
        case foreign
    }

    /// The role of a part; a part without a type has that of the body (PS3.18 8.6.1.2.2).
    public func role(of header: PartHeader, isFirst: Bool) -> PartRole {
        let essence = header.contentType?.essence
        switch self {
        case .dicom, .unstated:
            switch essence {
            case nil, "application/dicom", "application/octet-stream", "application/x-dicom", "image/dicom":
                return .instance
            default: return .foreign
            }
        case .dicomJSON:
            return essence == "application/dicom+json" || essence == "application/json" || essence == nil && isFirst
                ? .metadata : .bulkData
        case .dicomXML:
            return essence == "application/dicom+xml" || essence == nil && isFirst ? .metadata : .bulkData
        }
    }
}
