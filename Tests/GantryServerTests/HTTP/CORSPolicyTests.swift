import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import GantryServer

/// A request without a body.
func request(
    _ method: HTTPRequest.Method = .get, _ path: String = "/", _ fields: HTTPFields = [:], body: [UInt8] = []
) -> Request {
    Request(
        head: HTTPRequest(method: method, scheme: "http", authority: "gw", path: path, headerFields: fields),
        body: RequestBody(buffer: ByteBuffer(bytes: body)))
}

@Suite struct CORSPolicyTests {
    private let policy = CORSPolicy(origins: ["https://viewer.example"])

    @Test func `a preflight of an allowed origin is told what it may do`() throws {
        let response = try #require(
            policy.preflight(
                request(
                    .options, "/dicomweb/", [.origin: "https://viewer.example", .accessControlRequestMethod: "GET"])))
        #expect(response.status == .noContent)
        #expect(response.headers[.accessControlAllowOrigin] == "https://viewer.example")
        #expect(response.headers[.accessControlAllowMethods]?.contains("GET") == true)
        #expect(response.headers[.accessControlAllowHeaders]?.contains("if-none-match") == true)
        #expect(response.headers[.vary] == "Origin")
    }

    @Test func `another origin is told nothing`() throws {
        let response = try #require(
            policy.preflight(
                request(.options, "/", [.origin: "https://evil.example", .accessControlRequestMethod: "GET"])))
        #expect(response.status == .noContent && response.headers[.accessControlAllowOrigin] == nil)
    }

    @Test func `a request for the capabilities is no preflight`() {
        #expect(policy.preflight(request(.options)) == nil)
        #expect(policy.preflight(request(.options, "/", [.origin: "https://viewer.example"])) == nil)
        #expect(policy.preflight(request(.get, "/", [.origin: "x", .accessControlRequestMethod: "GET"])) == nil)
    }

    @Test func `an answer is readable by allowed origins only, and says that it depends on them`() {
        for (origin, allowed) in [
            ("https://viewer.example", true), ("https://viewer.example:8443", false), ("null", false),
        ] {
            var response = Response(status: .ok, headers: [.vary: "Accept, Accept-Encoding"])
            policy.apply(to: &response, for: request(.get, "/", [.origin: origin]))
            #expect((response.headers[.accessControlAllowOrigin] == origin) == allowed)
            #expect(response.headers[.vary] == "Accept, Accept-Encoding, Origin")
        }
        var response = Response(status: .ok)
        policy.apply(to: &response, for: request())
        #expect(response.headers[.accessControlAllowOrigin] == nil && response.headers[.vary] == "Origin")
    }

    @Test func `a field is named once in Vary`() {
        var fields: HTTPFields = [:]
        for name in ["Accept", "Accept-Encoding", "accept", "Origin"] { fields.addVary(name) }
        #expect(fields[.vary] == "Accept, Accept-Encoding, Origin")
    }
}
