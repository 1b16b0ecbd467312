import Audit
import BlobStorage
import DICOMWeb
import HTTPTypes
import Hummingbird
import Ingestion
import NIOCore
import Workflows

/// `PUT` and `GET /results`: an order's reports (uploads.md 3).
struct ReportRoutes: Sendable {
    let orders: Orders
    let blobs: any BlobStore
    let room: StorageRoom
    /// Bytes of one report.
    let limit: Int

    func answer(_ request: Request, by requester: OrderRequester, context: GantryContext) async throws -> Response {
        request.method == .put
            ? try await store(request, by: requester, context: context) : try await report(request, for: requester)
    }

    // MARK: - Storing

    private func store(
        _ request: Request, by requester: OrderRequester, context: GantryContext
    ) async throws -> Response {
        // 1. What needs no body.
        guard case .id(let id) = try request.orderReference else {
            throw Problem(.invalidQuery, "The parameter order_id names the order of a report.")
        }
        guard let type = try request.reportType else {
            throw Problem(.invalidQuery, "The parameter report_type names the report.")
        }
        let isFinal = try request.isFinalReport
        guard let mediaType = request.headers[.contentType], MediaType(mediaType) != nil, mediaType.utf8.count <= 255
        else { throw Problem(.unsupportedMediaType, "The Content-Type names what the report is.") }
        let coding = try ContentCoding(request.headers[.contentEncoding])
        let length = try request.declaredLength
        if let length, length > limit { throw LimitedBody.tooLarge(limit: limit) }
        try request.checkExpectation()
        try await orders.checkTakesReport(id, isFinal: isFinal, for: requester)
        guard !room.isFull else {
            throw Problem(.insufficientStorage, "The server's disk is filled beyond what its configuration allows.")
        }
        try await context.askForBody(of: request.head)

        // 2. The bytes, durable before any row names them.
        let (location, digest) = try await keep(
            LimitedBody(request.body, limit: limit, coding: coding), length: coding == .identity ? length : nil)

        // 3. The row.
        let report = OrderReport(
            type: type, mediaType: mediaType, location: location, digest: digest, isFinal: isFinal, storedAt: 0)
        let stored: (order: Order, previous: BlobLocation?)
        do {
            stored = try await orders.addReport(report, to: id, by: requester)
        } catch let error as OrderError {
            // Nothing names it. Of other errors it is not known whether they came after the commit: the sweep decides.
            try? await blobs.delete([location])
            throw error
        }
        if let previous = stored.previous { try? await blobs.delete([previous]) }
        let answer: OrderedJSON = [
            "order_id": .string(id.rawValue), "state": .string(stored.order.state.rawValue),
            "report_type": .string(type), "bytes": OrderedJSON(location.length),
            "sha256": .string(Hexadecimal.text(digest)),
        ]
        return OperationsRoutes.json(stored.previous == nil ? .created : .ok, answer.bytes + Array("\n".utf8))
    }

    private func keep(_ body: LimitedBody, length: Int?) async throws -> (BlobLocation, digest: [UInt8]) {
        let writer = try await blobs.stage(expectedLength: length)
        let staged: StagedBlob
        do {
            for try await chunk in body { try await writer.write(chunk) }
            guard writer.length > 0 else { throw Problem(.invalidBody, "A report has at least one byte.") }
            staged = try await writer.finish()
        } catch {
            await writer.abort()
            throw error
        }
        guard let location = try await blobs.makeDurable([staged]).first?.get() else {
            throw Problem(.internalError, "The report could not be kept.")
        }
        return (location, staged.digest)
    }

    // MARK: - Sending

    private func report(_ request: Request, for requester: OrderRequester) async throws -> Response {
        let (order, report) = try await orders.report(
            type: try request.reportType, of: try request.orderReference, for: requester)
        // A report is what somebody sent: it is never shown as a page of this server.
        let headers: HTTPFields = [
            .contentType: report.mediaType, .cacheControl: "private, no-cache",
            .eTag: "\"\(Hexadecimal.text(report.digest.prefix(16)))\"",
            .contentDisposition: "attachment; filename=\"\(order.id)-\(report.type)\"",
            .contentSecurityPolicy: "sandbox",
        ]
        let blob = RangedBlob(location: report.location, range: 0..<report.location.length, blobs: blobs)
        return try await blob.response(request, headers: headers)
    }
}

extension Request {
    /// The kind of report, a name of letters, digits, dots, dashes and underscores.
    fileprivate var reportType: String? {
        get throws {
            guard let text = uri.queryParameters["report_type"] else { return nil }
            guard (1...64).contains(text.utf8.count),
                text.utf8.allSatisfy({
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                        || "._-".utf8.contains($0)
                })
            else {
                throw Problem(.invalidQuery, "The parameter report_type has 1 to 64 letters, digits and . _ -.")
            }
            return String(text)
        }
    }

    fileprivate var isFinalReport: Bool {
        get throws {
            switch uri.queryParameters["final"] {
            case nil, "false": return false
            case "true": return true
            default: throw Problem(.invalidQuery, "The parameter final is true or false.")
            }
        }
    }
}
