import Archive
import DICOMCore
import DICOMModels
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// `…/metadata`: the prepared documents of a study, series or instance (PS3.18 10.4.1.1.2).
struct MetadataRoute: Sendable {
    let archive: ReadableArchive
    let isAcceptStrict: Bool

    func answer(_ entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        let form = try TextForm(request, .metadata, isStrict: isAcceptStrict)
        let gzip = TextBody.acceptsGzip(request)
        // The base is part of the representation: it stands in every BulkDataURI.
        let representation = "\(form.rawValue)\(gzip ? "z" : "")\(base.fingerprint)"
        // Who has the present version need not wait for documents to be read.
        if Conditional.isAsked(by: request) {
            let version = try await archive.version(
                study: entity.study, series: entity.series, instance: entity.instance
            ).required(entity)
            let known = Conditional(version: version, representation: representation)
            if let notModified = known.notModified(request) { return notModified }
        }
        let documents = try await archive.documents(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        let conditional = Conditional(version: documents.version, representation: representation)
        var bytes: [UInt8] = []
        var contentType = form.contentType
        switch form {
        case .json:
            documents.writeJSON(base: base, into: &bytes)
        case .xml:
            var parts = XMLParts()
            for document in documents.documents {
                let location =
                    "\(base)/studies/\(document.study)/series/\(document.series)/instances/\(document.instance)/metadata"
                for dataSet in try DICOMJSONReader.dataSets(from: document.json(base: base)) {
                    parts.append(dataSet, location: location)
                }
            }
            parts.end()
            (bytes, contentType) = (parts.bytes, parts.contentType)
        }
        var response = TextBody.response(bytes, contentType: contentType, gzip: gzip)
        conditional.apply(to: &response)
        return response
    }
}

/// The two text representations of data sets, and which one a request gets.
enum TextForm: String {
    case json = "j"
    case xml = "x"

    var contentType: String { self == .json ? "application/dicom+json" : "multipart/related" }

    /// 406 when the client takes neither.
    init(_ request: Request, _ kind: ResourceKind, isStrict: Bool) throws {
        let wanted = try request.negotiate(kind, requiresAccept: isStrict)
        self = wanted.representations[0].content == .dicomXML ? .xml : .json
    }
}

extension Request {
    /// The acceptable representations of a resource, from the Accept header and `accept` query parameters; 406 when
    /// there are none.
    func negotiate(_ kind: ResourceKind, requiresAccept: Bool) throws -> RetrieveRequest {
        var rules = NegotiationRules.tolerant
        rules.requiresAccept = requiresAccept
        let query: [String] =
            uri.query?.contains("accept=") == true ? uri.queryParameters[values: "accept"].map(String.init) : []
        return try RetrieveRequest(kind, accept: headers[values: .accept], query: query, rules: rules)
    }
}

extension TransferSyntaxSelection.Reason {
    /// What a person can do about it.
    var explanation: String {
        switch self {
        case .forbidden:
            "Implicit VR and big endian transfer syntaxes are not sent (PS3.18 8.7.3); ask for Explicit VR Little Endian."
        case .cannotDecode:
            "The pixel data cannot be decoded here; transfer-syntax=* gives the stored bytes."
        case .cannotEncode:
            "This version does not make that transfer syntax; transfer-syntax=* gives the stored bytes."
        case .notOfMediaType: "The media type does not carry that transfer syntax (PS3.18 8.7.3.3.2)."
        case .lossySource:
            "The pixel data is lossily compressed and would have to pass for lossless; transfer-syntax=* gives the stored bytes."
        }
    }
}

extension Lookup {
    /// What was found, or the 404 or 410 that says why there is nothing.
    func required(_ entity: EntityPath) throws -> Found {
        switch self {
        case .found(let found): return found
        case .gone: throw Problem(.gone, "The \(entity.level) was deleted.")
        case .unknown: throw Problem(.noSuchResource, "There is no such \(entity.level).")
        }
    }
}

extension String {
    /// A short mark that differs between different texts, for entity tags (FNV-1a).
    var fingerprint: String {
        var hash: UInt32 = 0x811C_9DC5
        for byte in utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return String(hash, radix: 36)
    }
}
