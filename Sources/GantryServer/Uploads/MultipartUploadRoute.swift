import Access
import BlobStorage
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Ingestion
import Messaging
import NIOCore

/// `POST /upload/multipart/…`: uploads in parts (uploads.md 2).
struct MultipartUploadRoute: Sendable {
    /// What is asked for.
    enum Step: String { case initiate, presignedURLs = "presigned-urls", complete, abort }

    let issue: UploadIssue
    let signal: UploadSignal

    private var table: UploadTable { issue.table }
    private var landing: any UploadLanding { issue.landing }

    private static let largestBody = 2 << 20
    private static let mostURLs = 100
    /// Parts are of this size or larger, so that there are not more of them than allowed.
    private static let leastPart = 16 << 20

    func answer(_ step: Step, _ request: Request, at base: String, context: GantryContext) async throws -> Response {
        switch step {
        case .initiate: try await initiate(try await body(of: request, context), context)
        case .presignedURLs: try await presignedURLs(try await body(of: request, context), at: base, context)
        case .complete: try await complete(try await body(of: request, context), context)
        case .abort: try await abort(try await body(of: request, context), context)
        }
    }

    // MARK: - Steps

    private struct Initiation: Decodable {
        var size: Int
        var filename: String?
        var order_id: String?
        var content_type: String?
    }

    private func initiate(_ body: Initiation, _ context: GantryContext) async throws -> Response {
        let limits = landing.limits
        guard body.size > 0 else { throw Problem(.invalidBody, "The size is a number of bytes, 1 or more.") }
        guard body.size <= limits.total else { throw Problem(.tooLarge, "An upload may have \(limits.total) bytes.") }
        let announcement = UploadSession.Announcement(
            orderID: try await issue.checkedOrder(body.order_id, context),
            filename: try body.filename.map(UploadIssue.checkedFilename),
            contentType: try body.content_type.map(UploadMediaType.checked), contentLength: body.size)
        try issue.checkRoom()
        let now = issue.clock()
        let key = UploadKey(milliseconds: now)
        let size = Self.partSize(of: body.size, limits)
        let session = try await issue.allowance.withGrant(for: context.principal.client) {
            let upload = try await landing.beginMultipart(key, contentType: announcement.contentType)
            let session = UploadSession(
                key: key, owner: UploadSession.Owner(context.principal), announcement: announcement,
                parts: UploadSession.Parts(id: upload.id, size: size), requestID: context.requestID,
                remoteAddress: context.remoteAddress, issuedAt: now,
                expiresAt: now + issue.configuration.multipartLifetime)
            try await table.issue(session)
            return session
        }
        var members = JSONMembers()
        members.add("upload_id", session.parts?.id)
        members.add("key", key.description)
        members.add("part_size", size)
        members.add("parts", Self.partCount(of: body.size, size))
        members.add("expires_at", CloudEvent.timestamp(session.expiresAt))
        members.add("order_id", announcement.orderID)
        return .uploadAnswer(members.object)
    }

    private struct PartRequest: Decodable {
        var upload_id: String
        var key: String
        var parts: [Int]
    }

    private func presignedURLs(
        _ body: PartRequest, at base: String, _ context: GantryContext
    ) async throws -> Response {
        let (session, upload, parts) = try await upload(body.key, body.upload_id, context)
        guard session.state == .issued else { throw Self.ended }
        let total = session.announcement.contentLength ?? 0
        let count = Self.partCount(of: total, parts.size)
        guard (1...Self.mostURLs).contains(body.parts.count), body.parts.allSatisfy({ (1...count).contains($0) }) else {
            throw Problem(
                .invalidBody, "Ask for 1 to \(Self.mostURLs) parts at a time, each from 1 to \(count).")
        }
        let now = issue.clock()
        let expiresAt = min(session.expiresAt, now + issue.configuration.lifetime)
        guard expiresAt > now else { throw Self.ended }
        var urls: [JSONMembers] = []
        for part in body.parts {
            let length = part < count ? parts.size : total - (count - 1) * parts.size
            let grant = try await landing.grant(
                part: part, of: upload, UploadConstraints(contentLength: length, expiresAt: expiresAt))
            var members = JSONMembers()
            members.add("part", part)
            members.add("url", grant.url(at: base))
            members.add("headers", grant.headerMembers)
            members.add("expires_at", CloudEvent.timestamp(grant.expiresAt))
            urls.append(members)
        }
        var members = JSONMembers()
        members.add("urls", urls)
        return .uploadAnswer(members.object)
    }

    private struct Completion: Decodable {
        struct Part: Decodable {
            var part: Int
            var etag: String
        }

        var upload_id: String
        var key: String
        var parts: [Part]
    }

    private func complete(_ body: Completion, _ context: GantryContext) async throws -> Response {
        let (session, upload, parts) = try await upload(body.key, body.upload_id, context)
        switch session.state {
        case .issued: break
        case .expired, .rejected: throw Self.ended
        // The answer to the first time was lost.
        case .received, .ingesting, .stored: return .uploadAnswer(UploadStatus(session: session).json)
        }
        let total = session.announcement.contentLength ?? 0
        guard body.parts.count == Self.partCount(of: total, parts.size),
            body.parts.enumerated().allSatisfy({ $0.element.part == $0.offset + 1 })
        else {
            throw Problem(
                .invalidBody,
                "The upload has \(Self.partCount(of: total, parts.size)) parts; name each once, in their order.")
        }
        let named = body.parts.map { part in
            LandedPart(number: part.part, etag: part.etag.filter { $0 != "\"" })
        }
        let object: LandedObject
        do {
            object = try await landing.completeMultipart(upload, parts: named)
        } catch let error as UploadLandingError {
            throw Self.problem(for: error)
        }
        try await table.receive(object, of: session, from: context.uploadOrigin, at: issue.clock())
        signal.raise()
        let now = try await table.session(session.key) ?? session
        return .uploadAnswer(UploadStatus(session: now).json)
    }

    private struct Abortion: Decodable {
        var upload_id: String
        var key: String
    }

    private func abort(_ body: Abortion, _ context: GantryContext) async throws -> Response {
        let (session, upload, _) = try await upload(body.key, body.upload_id, context)
        switch session.state {
        case .issued: break
        case .expired: return Response(status: .noContent)
        case .received, .ingesting, .stored, .rejected:
            throw Problem(.conflict, "The upload is complete and cannot be given up any more.")
        }
        do {
            try await landing.abortMultipart(upload)
        } catch let error as UploadLandingError {
            throw Self.problem(for: error)
        }
        try await table.abort(session, at: issue.clock())
        return Response(status: .noContent)
    }

    // MARK: - Parts of steps

    private func body<Body: Decodable>(of request: Request, _ context: GantryContext) async throws -> Body {
        try request.checkExpectation()
        if let length = try request.declaredLength, length > Self.largestBody {
            throw LimitedBody.tooLarge(limit: Self.largestBody)
        }
        try await context.askForBody(of: request.head)
        var bytes = ByteBuffer()
        for try await chunk in LimitedBody(request.body, limit: Self.largestBody, coding: .identity) {
            bytes.writeImmutableBuffer(chunk)
        }
        do {
            return try JSONDecoder().decode(Body.self, from: Data(bytes.readableBytesView))
        } catch {
            throw Problem(.invalidBody, "The body is a JSON object with the members that docs/uploading.md lists.")
        }
    }

    /// The upload in parts, if it is the caller's.
    private func upload(
        _ keyText: String, _ id: String, _ context: GantryContext
    ) async throws -> (UploadSession, MultipartUpload, UploadSession.Parts) {
        guard let key = UploadKey(keyText), let session = try await table.session(key),
            session.owner.isVisible(to: context.principal), let parts = session.parts, parts.id == id,
            let upload = session.multipart
        else { throw UploadRoutes.unknown }
        return (session, upload, parts)
    }

    /// The size of a part: so many MiB that the parts are not more than allowed.
    static func partSize(of total: Int, _ limits: UploadLandingLimits) -> Int {
        let needed = (total + limits.parts - 1) / limits.parts
        let whole = (needed + (1 << 20) - 1) / (1 << 20) * (1 << 20)
        return min(max(leastPart, limits.part.lowerBound, whole), limits.part.upperBound)
    }

    private static func partCount(of total: Int, _ size: Int) -> Int { max(1, (total + size - 1) / max(1, size)) }

    private static var ended: Problem { Problem(.conflict, "The upload has ended.") }

    static func problem(for error: UploadLandingError) -> Problem {
        switch error.code {
        case .noSuchUpload: UploadRoutes.unknown
        case .noSuchPart(let part): Problem(.invalidBody, "Part \(part) is not there, or has another entity tag.")
        case .invalidPart(let part): Problem(.invalidBody, "Part \(part) is too small, or out of order.")
        case .wrongLength: Problem(.invalidBody, "The body has another length than the URL was signed for.")
        case .wrongDigest:
            Problem(.checksumMismatch, "The body has another SHA-256 than the URL was signed for.")
        case .alreadyThere: Problem(.alreadyUploaded, "An object was put under this key before.")
        case .changed: Problem(.conflict, "The object was replaced.")
        }
    }
}
