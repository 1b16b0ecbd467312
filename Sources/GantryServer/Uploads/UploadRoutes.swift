import BlobStorage
import DICOMWeb
import HTTPTypes
import Hummingbird
import Ingestion
import NIOCore

/// The door of presigned uploads: `/upload…` and `/uploads/…` (uploads.md 2). A slash at the end makes no difference.
struct UploadRoutes: Sendable {
    let issue: UploadIssue
    let multipart: MultipartUploadRoute
    /// `nil` where the landing is a bucket, which answers PUTs itself.
    let put: UploadPut?
    let events: UploadEvents
    let notifications: UploadNotifications
    let trail: AccessTrail

    private var table: UploadTable { issue.table }

    /// What there is to be had under a path.
    private enum Resource {
        case issue
        case multipart(MultipartUploadRoute.Step)
        case notifications
        case events
        case upload(UploadKey)
        /// Below `/uploads/`, and no key.
        case noUpload

        var route: RouteName {
            switch self {
            case .issue: .uploadIssue
            case .multipart: .uploadMultipart
            case .notifications: .uploadNotifications
            case .events: .uploadEvents
            case .upload, .noUpload: .upload
            }
        }

        init?(_ path: String) {
            let path = path.hasSuffix("/") ? path.dropLast() : path[...]
            switch path {
            case "/upload": self = .issue
            case "/upload/notifications": self = .notifications
            case "/uploads/events": self = .events
            default:
                if path.hasPrefix("/upload/multipart/") {
                    guard let step = MultipartUploadRoute.Step(rawValue: String(path.dropFirst(18))) else { return nil }
                    self = .multipart(step)
                } else if path.hasPrefix("/uploads/") {
                    let key = PercentEncoding.decoded(path.dropFirst(9)).flatMap { UploadKey($0) }
                    self = key.map { .upload($0) } ?? .noUpload
                } else {
                    return nil
                }
            }
        }
    }

    /// The answer, where the path is one of ours.
    ///
    /// - Parameter base: The server's public address, without a slash at its end.
    func answer(
        _ request: Request, at base: String, context: GantryContext
    ) async throws -> (RouteName, Response)? {
        guard let resource = Resource(request.uri.path) else { return nil }
        var known: UploadSession?
        do {
            return (
                resource.route,
                try await answer(resource, request, at: base, context: context) { known = $0 }
            )
        } catch {
            let problem = ErrorResponses.problem(for: error)
            if problem.kind.status < 500 {
                trail.noteRefusal(problem, upload: known?.key.description, context: context)
            }
            throw error
        }
    }

    private func answer(
        _ resource: Resource, _ request: Request, at base: String, context: GantryContext,
        note: (UploadSession) -> Void
    ) async throws -> Response {
        switch resource {
        case .issue:
            try Self.check(request, is: [.get])
            return try await issue.answer(request, at: base, context: context)
        case .multipart(let step):
            try Self.check(request, is: [.post])
            return try await multipart.answer(step, request, at: base, context: context)
        case .notifications:
            try Self.check(request, is: [.post])
            return try await notify(request, context)
        case .events:
            try Self.check(request, is: [.get])
            return try await events.answer(request, context: context)
        case .noUpload:
            guard request.method == .put else { throw Self.unknown }
            throw Problem(.urlRefused, "The URL is not one that this server has signed, or it was altered.")
        case .upload(let key):
            if request.method == .put {
                guard let put else { throw Self.unknown }
                return try await put.answer(key, request, context: context, note: note)
            }
            // The URL allows a PUT, and tells nothing (SEC-23).
            guard try !UploadQuery.parameters(of: request).contains(where: { $0.name == "signature" }) else {
                throw Problem(.urlRefused, "The URL allows a PUT and nothing else.")
            }
            try Self.check(request, is: [.get, .head])
            return try await status(of: key, context)
        }
    }

    private func status(of key: UploadKey, _ context: GantryContext) async throws -> Response {
        guard let session = try await table.session(key), session.owner.isVisible(to: context.principal) else {
            throw Self.unknown
        }
        return .uploadAnswer(UploadStatus(session: session).json)
    }

    private static let largestNotification = 2 << 20

    /// What a bucket tells; the answer is the same whether it was believed or not.
    private func notify(_ request: Request, _ context: GantryContext) async throws -> Response {
        try request.checkExpectation()
        try await context.askForBody(of: request.head)
        var bytes: [UInt8] = []
        for try await chunk in LimitedBody(request.body, limit: Self.largestNotification, coding: .identity) {
            bytes += Array(chunk.readableBytesView)
        }
        do {
            try await notifications.receive(bytes)
        } catch is UploadNotifications.Malformed {
            throw Problem(.invalidBody, "The body is not an event message of a bucket.")
        }
        return Response(status: .noContent)
    }

    private static func check(_ request: Request, is methods: [HTTPRequest.Method]) throws {
        guard methods.contains(request.method) else { throw Routes.methodNotAllowed(methods) }
    }

    /// What is not there, and what belongs to others.
    static var unknown: Problem { Problem(.noSuchUpload, "There is no such upload.") }
}
