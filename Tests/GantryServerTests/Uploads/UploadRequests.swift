import Audit
import BlobStorage
import FoundationEssentials
import HTTPTypes
import Ingestion
import SQLStorage
import Testing

@testable import GantryServer

/// Requests of a sender of presigned uploads.
extension ServerHarness {
    /// The answer to `GET /upload`.
    struct Issued: Decodable {
        var url: String
        var key: String
        var method: String
        var headers: [String: String]
        var expires_at: String
        var order_id: String?

        /// Path and query, as a request has them.
        var target: String {
            let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
            return "/" + (parts.count == 4 ? parts[3] : "")
        }
    }

    /// The answer to `GET /uploads/{key}`.
    struct State: Decodable {
        struct Failure: Decodable {
            var code: String
            var reason: String
            var file: String?
        }
        var key: String
        var state: String
        var bytes: Int?
        var instances: Int
        var failures: [Failure]
        var study_uids: [String]
        var order_id: String?
        var filename: String?
        var times: [String: String]
    }

    func issue(_ query: String = "") async throws -> Issued {
        let answer = try await send(.get, "/upload" + query)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(answer.headers[.cacheControl] == "no-store")
        return try JSONDecoder().decode(Issued.self, from: Data(answer.bytes))
    }

    /// PUTs with the fields that a file has.
    func put(
        _ bytes: [UInt8], to target: String, type: String? = "application/dicom", length: String? = nil,
        method: HTTPRequest.Method = .put, fields: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = fields
        if let type { headers[.contentType] = type }
        headers[.contentLength] = length ?? String(bytes.count)
        return try await send(method, target, headers, body: bytes)
    }

    func state(_ key: String) async throws -> State {
        let answer = try await send(.get, "/uploads/" + key)
        #expect(answer.status == 200, "\(answer.body)")
        return try JSONDecoder().decode(State.self, from: Data(answer.bytes))
    }

    /// Ingests all that has come.
    func ingest() async throws {
        while try await uploads.intake.ingestSome() > 0 {}
    }

    func post(_ path: String, _ json: String) async throws -> Answer {
        try await send(.post, path, [.contentType: "application/json"], body: Array(json.utf8))
    }

    func audit() async throws -> [AuditEvent] {
        let refusals = access.take().events
        return try await AuditTable(database: database).records(AuditQuery(limit: 10_000)).map(\.event) + refusals
    }

    /// What is in the landing.
    func landed() async throws -> Int { try await landing.list(.incoming, after: nil, limit: 1000).objects.count }
}
