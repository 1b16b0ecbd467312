import Access
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Fetches the key sets of trusted issuers. Redirects are not followed: keys come from the address that is configured.
enum KeySetClient {
    private static let largest = 1 << 20

    /// Gets the document at an address.
    static func fetch(_ url: String) async throws -> KeySetDocument {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(5))
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let document = try await fetch(url, client)
            try await client.shutdown()
            return document
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private static func fetch(_ url: String, _ client: HTTPClient) async throws -> KeySetDocument {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "accept", value: "application/jwk-set+json, application/json")
        let response = try await client.execute(request, timeout: .seconds(10))
        guard response.status == .ok else {
            throw AccessError(.unavailable, "the issuer answered with status \(response.status.code)")
        }
        let body = try await response.body.collect(upTo: largest)
        return KeySetDocument(
            bytes: Array(body.readableBytesView), lifetime: lifetime(response.headers["cache-control"]))
    }

    /// `max-age` in seconds (RFC 9111 5.2.2.1).
    private static func lifetime(_ fields: [String]) -> Int64? {
        for directive in fields.flatMap({ $0.split(separator: ",") }) {
            let parts = directive.split(separator: "=").map { $0.filter { $0 != " " && $0 != "\"" } }
            if parts.count == 2, parts[0].lowercased() == "max-age" { return Int64(parts[1]) }
        }
        return nil
    }
}
