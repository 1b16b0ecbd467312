import Archive
import DICOMCore
import DICOMWeb
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Observability
import Testing

@testable import GantryServer

@Suite struct TextBodyTests {
    @Test(arguments: [
        ([], false), (["gzip"], true), (["GZIP"], true), (["x-gzip"], true), (["br, gzip"], true),
        (["br", "gzip"], true),
        (["*"], true), (["br"], false), (["identity"], false), (["gzip;q=0"], false), (["gzip; q=0.000"], false),
        (["gzip;Q=0.0"], false), (["gzip;q=0.001"], true), (["gzip;q=1.0"], true), (["*;q=0"], false),
        (["*;q=0, gzip"], true), (["*, gzip;q=0"], false), (["gzipped"], false), ([""], false), ([",;,"], false),
    ])
    func `compresses for those who take gzip`(fields: [String], isTaken: Bool) {
        var headers: HTTPFields = [:]
        headers[values: .acceptEncoding] = fields
        #expect(TextBody.acceptsGzip(request(.get, "/", headers)) == isTaken)
    }

    @Test func `says what it did, and leaves small bodies alone`() {
        let long = [UInt8](repeating: 0x20, count: 4000)
        let coded = TextBody.response(long, contentType: "text/plain", gzip: true)
        #expect(coded.headers[.contentEncoding] == "gzip" && (coded.body.contentLength ?? 4000) < 100)
        #expect(TextBody.response(long, contentType: "text/plain", gzip: false).headers[.contentEncoding] == nil)
        #expect(TextBody.response([1], contentType: "text/plain", gzip: true).headers[.contentEncoding] == nil)
        #expect(coded.headers[.vary] == "Accept, Accept-Encoding" && coded.headers[.contentType] == "text/plain")
    }
}

@Suite struct ConditionalTests {
    private static func version(_ number: Int64, modifiedAt: Int64? = nil) -> ResourceVersion {
        ResourceVersion(number: number, modifiedAt: modifiedAt)
    }
    private let conditional = Conditional(version: version(77), representation: "j")
    /// Changed within the second after 8:49:36.
    private let dated = Conditional(version: version(77, modifiedAt: 784_111_776_001), representation: "j")

    @Test func `tells versions and representations apart`() {
        let tags = [
            conditional, Conditional(version: Self.version(78), representation: "j"),
            Conditional(version: Self.version(77), representation: "x"),
        ].map(\.tag.description)
        #expect(Set(tags).count == 3 && tags.allSatisfy { $0.hasPrefix("\"") && $0.hasSuffix("\"") })
    }

    @Test func `answers 304 to those who have it`() throws {
        let tag = conditional.tag.description
        for field in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
            let response = try #require(conditional.notModified(request(.get, "/", [.ifNoneMatch: field])), "\(field)")
            #expect(response.status == .notModified && response.headers[.eTag] == tag)
            #expect(response.headers[.vary] == "Accept, Accept-Encoding" && response.headers[.cacheControl] != nil)
        }
        for field in ["\"other\"", "", "x"] {
            #expect(conditional.notModified(request(.get, "/", [.ifNoneMatch: field])) == nil)
        }
        #expect(conditional.notModified(request()) == nil)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", true), ("Mon, 07 Nov 1994 00:00:00 GMT", true),
        ("Sunday, 06-Nov-94 08:49:37 GMT", true), ("Sun Nov  6 08:49:37 1994", true),
        ("Sun, 06 Nov 1994 08:49:36 GMT", false), ("yesterday", false), ("", false),
    ])
    func `answers 304 to those who asked since the change`(date: String, isKnown: Bool) {
        let response = dated.notModified(request(.get, "/", [.ifModifiedSince: date]))
        #expect((response?.status == .notModified) == isKnown)
        #expect(response == nil || response?.headers[.eTag] == dated.tag.description)
        #expect(conditional.notModified(request(.get, "/", [.ifModifiedSince: date])) == nil, "no time is known")
    }

    /// RFC 9110 13.2.2.
    @Test func `the entity tag decides where both are given`() {
        let late = "Mon, 07 Nov 1994 00:00:00 GMT"
        let early = "Sat, 05 Nov 1994 00:00:00 GMT"
        func answer(_ tag: String, _ date: String) -> Response? {
            dated.notModified(request(.get, "/", [.ifNoneMatch: tag, .ifModifiedSince: date]))
        }
        #expect(answer("\"other\"", late) == nil)
        #expect(answer(dated.tag.description, early)?.status == .notModified)
        var twice: HTTPFields = [:]
        twice[values: .ifModifiedSince] = [late, late]
        #expect(dated.notModified(request(.get, "/", twice)) == nil)
    }

    @Test func `tells when it changed, once that second is over`() {
        func lastModified(now: Int64) -> String? {
            var response = Response(status: .ok)
            dated.apply(to: &response, now: now)
            return response.headers[.lastModified]
        }
        #expect(lastModified(now: 784_111_776_999) == nil)
        #expect(lastModified(now: 784_111_777_000) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test func `marks an answer for caches`() {
        var response = Response(status: .ok, headers: [.vary: "Origin"])
        conditional.apply(to: &response, cacheControl: "private, max-age=1")
        #expect(response.headers[.eTag] == conditional.tag.description)
        #expect(response.headers[.cacheControl] == "private, max-age=1")
        #expect(response.headers[.vary] == "Origin, Accept, Accept-Encoding")
    }
}

@Suite struct ProblemTests {
    @Test(arguments: ProblemKind.allCases)
    func `is written as RFC 9457 has it`(kind: ProblemKind) async throws {
        var problem = Problem(kind, "a \"b\" \\ \n\u{1} ü", headers: [.allow: "GET"])
        problem.closesConnection = true
        let response = problem.response(requestID: "r1")
        let body = try JSONDecoder().decode(ProblemBody.self, from: Data(try await text(of: response).utf8))
        #expect(body.type == "urn:gantry:problem:\(kind.rawValue)" && body.status == kind.status)
        #expect(body.title == kind.title && body.advice == kind.advice && body.detail == problem.detail)
        #expect(body.instance == "urn:gantry:request:r1" && response.status.code == kind.status)
        #expect(response.headers[.contentType] == "application/problem+json" && response.headers[.allow] == "GET")
        #expect(response.headers[.cacheControl] == "no-store" && response.headers[.connection] == "close")
        #expect((response.headers[.retryAfter] != nil) == [503, 507].contains(kind.status))
    }

    private func text(of response: Response) async throws -> String {
        let writer = CollectedBody()
        try await response.body.write(writer)
        return writer.text
    }

    @Test func `an error of no known kind tells nothing of itself`() {
        struct Secret: Error { var text = "s3cret" }
        let problem = ErrorResponses.problem(for: Secret())
        #expect(problem.kind == .internalError && !problem.detail.contains("s3cret"))
        #expect(ErrorResponses.problem(for: CancellationError()).kind == .unavailable)
    }
}

/// Takes the body of an answer.
private final class CollectedBody: ResponseBodyWriter, @unchecked Sendable {
    // One task writes, and reads afterwards.
    private(set) var text = ""

    func write(_ buffer: ByteBuffer) async throws { text += String(buffer: buffer) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

@Suite struct GeneratedPagesTests {
    @Test(arguments: ["errors", "search-attributes"])
    func `the committed page is current`(name: String) throws {
        let page = name == "errors" ? ErrorsPage().render() : SearchAttributesPage().render()
        #expect(try Self.committed(name) == page, "run: gantry documentation \(name) > docs/\(name).md")
    }

    @Test func `every key of the log, and every route, is explained`() throws {
        let page = try Self.committed("logging")
        for name in LogKey.allCases.map(\.rawValue) + RouteName.allCases.map(\.rawValue) {
            #expect(page.contains("`\(name)`"), "\(name)")
        }
    }

    private static func committed(_ name: String) throws -> String {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
        return String(decoding: try Data(contentsOf: URL(filePath: "\(root)/docs/\(name).md")), as: UTF8.self)
    }

    @Test func `every reason that can be given is on the page`() {
        let page = ErrorsPage().render()
        for kind in ProblemKind.allCases { #expect(page.contains("`\(kind.rawValue)`")) }
        for code in [
            "0106H", "0110H", "0111H", "0119H", "0120H", "0121H", "0122H", "0124H", "A700H", "A701H", "A900H",
            "A901H", "C000H", "C001H", "C002H", "C003H", "C122H", "B007H",
        ] { #expect(page.contains(code), "\(code)") }
    }
}
