import Access
import BlobStorage
import HTTPTypes
import Hummingbird
import Ingestion
import NIOCore
import ServiceLifecycle

/// `GET /uploads/events?since=`: the states of one's uploads as they change (server-sent events of the HTML standard).
///
/// It begins with what changed since a time in milliseconds, without one with the last changes; a browser that comes back says where it was by `Last-Event-ID`.
struct UploadEvents: Sendable {
    let table: UploadTable

    func answer(_ request: Request, context: GantryContext) async throws -> Response {
        let query = try UploadQuery(request, known: ["since"])
        let since =
            try query.number("since", in: 0...Int.max).map { Int64($0) }
            ?? request.headers[.lastEventID].flatMap { Int64($0) }
        let stream = UploadEventStream(table: table, client: context.principal.client, since: since ?? 0)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .referrerPolicy: "no-referrer",
            ], body: ResponseBody(asyncSequence: stream))
    }
}

/// The text of the events, in pieces; it ends with the server, or after an hour, when browsers ask again by themselves.
private struct UploadEventStream: AsyncSequence, Sendable {
    let table: UploadTable
    let client: String?
    let since: Int64

    func makeAsyncIterator() -> Iterator { Iterator(table: table, client: client, last: since) }

    struct Iterator: AsyncIteratorProtocol {
        let table: UploadTable
        let client: String?
        /// When the last change was that was told.
        var last: Int64
        /// What was told of uploads that changed within the overlap.
        private var told: [UploadKey: Int64] = [:]
        private var hasBegun = false
        private let end = ContinuousClock.now + .seconds(3600)

        private static let pause = Duration.milliseconds(500)
        /// How many pauses without a change there may be before something is said, so that nobody closes the connection.
        private static let mostPauses = 40
        private static let mostAtOnce = 1000
        /// Rows become visible a moment after their time.
        private static let overlap: Int64 = 2000

        fileprivate init(table: UploadTable, client: String?, last: Int64) {
            self.table = table
            self.client = client
            self.last = last
        }

        @concurrent
        mutating func next() async throws -> ByteBuffer? {
            guard hasBegun else {
                // How long a browser waits before it asks again.
                hasBegun = true
                return ByteBuffer(string: "retry: 2000\n\n")
            }
            for _ in 0..<Self.mostPauses {
                guard !Task.isCancelled, !Task.isShuttingDownGracefully, ContinuousClock.now < end else { return nil }
                let text = try await news()
                if text.readableBytes > 0 { return text }
                try await Task.sleep(for: Self.pause)
            }
            return ByteBuffer(string: ":\n\n")
        }

        private mutating func news() async throws -> ByteBuffer {
            let sessions = try await table.changed(
                client, since: Swift.max(0, last - Self.overlap), limit: Self.mostAtOnce)
            var text = ByteBuffer()
            for session in sessions where told[session.key] != session.changedAt {
                last = Swift.max(last, session.changedAt)
                told[session.key] = session.changedAt
                text.writeString("event: upload\nid: \(session.changedAt)\ndata: ")
                text.writeImmutableBuffer(UploadStatus(session: session).json)
                text.writeString("\n\n")
            }
            let oldest = last - Self.overlap
            told = told.filter { $0.value >= oldest }
            return text
        }
    }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
    static let contentDigest = HTTPField.Name("Content-Digest")!
}
