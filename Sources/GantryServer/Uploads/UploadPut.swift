import BlobStorage
import DICOMWeb
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Ingestion
import Metrics

/// `PUT /uploads/{key}?…`: takes the object of a presigned URL where the landing is a folder of ours. The signature alone grants it.
struct UploadPut: Sendable {
    let landing: DiskUploadLanding
    let table: UploadTable
    let pipeline: IngestionPipeline
    let signal: UploadSignal
    let clock: @Sendable () -> Int64
    let received: Counter
    let bytes: Counter

    /// - Parameter note: told the upload, once it is known to be one.
    func answer(
        _ key: UploadKey, _ request: Request, context: GantryContext, note: (UploadSession) -> Void
    ) async throws -> Response {
        // 1. Whether the URL is ours and allows this.
        let granted = try signature(key, request)
        guard clock() <= granted.constraints.expiresAt else {
            throw Problem(.urlRefused, "The URL has expired; ask for a fresh one.")
        }
        try checkType(request, granted.constraints)
        let length = try checkedLength(request, granted)
        try request.checkExpectation()

        // 2. Whether its upload still waits.
        guard let session = try await table.session(key) else {
            throw Problem(.urlRefused, "The upload is not known any more; ask for a fresh URL.")
        }
        note(session)
        guard session.state == .issued || session.state == .expired else { throw Self.alreadyThere }
        guard !pipeline.room.isFull else {
            throw Problem(.insufficientStorage, "The server's disk is filled beyond what its configuration allows.")
        }
        guard let reservation = pipeline.budget.reserve(expectedLength: length) else {
            throw Problem(.unavailable, "The server receives as many bytes at once as it may.")
        }
        defer { withExtendedLifetime(reservation) {} }
        try await context.askForBody(of: request.head)

        // 3. The body.
        let etag = try await receive(request, granted, length)
        bytes.increment(by: length)
        if case .object = granted.subject { try await register(key, session, context) }
        return Response(status: .ok, headers: [.eTag: "\"\(etag)\"", .cacheControl: "no-store"])
    }

    private func signature(_ key: UploadKey, _ request: Request) throws -> UploadSignature {
        do {
            return try UploadSignature.checked(
                key, parameters: try UploadQuery.parameters(of: request), against: landing.signingKeys)
        } catch is UploadSignature.Refusal {
            // One text for all: how a signature fails is nobody's business.
            throw Problem(.urlRefused, "The URL is not one that this server has signed, or it was altered.")
        } catch is Problem {
            throw Problem(.urlRefused, "The URL is not one that this server has signed, or it was altered.")
        }
    }

    private func checkType(_ request: Request, _ constraints: UploadConstraints) throws {
        guard try ContentCoding(request.headers[.contentEncoding]) == .identity else {
            throw Problem(.unsupportedMediaType, "The object is sent as it is, without a Content-Encoding.")
        }
        guard UploadMediaType.matches(request.headers[.contentType], signed: constraints.contentType) else {
            let types = constraints.contentType ?? UploadMediaType.accepted.joined(separator: ", ")
            throw Problem(.unsupportedMediaType, "The URL is signed for the Content-Type \(types).")
        }
    }

    /// The length of the body, which must be told, and must be the one that is signed.
    private func checkedLength(_ request: Request, _ granted: UploadSignature) throws -> Int {
        guard let length = try request.declaredLength else {
            throw Problem(.lengthRequired, "Send the object with its Content-Length.")
        }
        let limit =
            switch granted.subject {
            case .object: landing.limits.object
            case .part: landing.limits.part.upperBound
            }
        if length > min(granted.constraints.contentLength ?? limit, limit) {
            var problem = Problem(
                .tooLarge, "The URL is signed for \(granted.constraints.contentLength ?? limit) bytes.")
            problem.closesConnection = true
            throw problem
        }
        if let signed = granted.constraints.contentLength, length < signed {
            throw Problem(.invalidBody, "The URL is signed for \(signed) bytes, and \(length) are announced.")
        }
        return length
    }

    private func receive(_ request: Request, _ granted: UploadSignature, _ length: Int) async throws -> String {
        var granted = granted
        if granted.constraints.contentLength == nil {
            var constraints = granted.constraints
            constraints.contentLength = length
            granted = UploadSignature(granted.subject, constraints)
        }
        let digest = try request.contentDigest
        if let digest, let signed = granted.constraints.sha256, digest != signed {
            throw Problem(.checksumMismatch, "The Content-Digest is not the SHA-256 that the URL was signed for.")
        }
        do {
            let writer = try landing.receive(granted, sha256: digest)
            do {
                for try await chunk in request.body where chunk.readableBytes > 0 {
                    guard await pipeline.room.admits(chunk.readableBytes) else {
                        throw Problem(.insufficientStorage, "The server's disk is full.")
                    }
                    try await writer.write(chunk)
                }
                return try await writer.finish()
            } catch {
                await writer.abort()
                throw error
            }
        } catch let error as UploadLandingError {
            throw MultipartUploadRoute.problem(for: error)
        }
    }

    /// Notes that the object is there.
    private func register(_ key: UploadKey, _ session: UploadSession, _ context: GantryContext) async throws {
        received.increment()
        // The file is safe: should this fail, or the server, then the sweep finds it.
        guard let object = try await landing.head(key) else { return }
        if try await table.receive(object, of: session, from: context.uploadOrigin, at: clock()) {
            return signal.raise()
        }
        // Somebody else noted it: the sweep, of this object; or it is a second one, whose first has ended.
        guard let now = try await table.session(key), now.state.isEnded, try await landing.head(key) != nil else {
            return
        }
        try await landing.delete([key], from: .incoming)
        throw Self.alreadyThere
    }

    private static var alreadyThere: Problem {
        Problem(.alreadyUploaded, "The URL was used before; it takes one object once.")
    }
}

extension GantryContext {
    /// The request as the origin of an upload.
    var uploadOrigin: IngestionOrigin {
        IngestionOrigin(door: .upload, requestID: requestID, remoteAddress: remoteAddress, principal: principal)
    }
}

extension Request {
    /// The SHA-256 of the Content-Digest field; `nil` without one (RFC 9530 2).
    fileprivate var contentDigest: [UInt8]? {
        get throws {
            guard let field = headers[.contentDigest] else { return nil }
            for member in field.split(separator: ",") {
                let parts = member.split(separator: "=", maxSplits: 1).map(\.trimmingSpaces)
                guard parts.count == 2, parts[0].lowercased() == "sha-256" else { continue }
                guard parts[1].hasPrefix(":"), parts[1].hasSuffix(":"), parts[1].count > 2,
                    let bytes = Data(base64Encoded: String(parts[1].dropFirst().dropLast())), bytes.count == 32
                else { throw Problem(.invalidHeader, "The Content-Digest has no SHA-256 in base 64.") }
                return Array(bytes)
            }
            return nil
        }
    }
}
