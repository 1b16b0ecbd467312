import DICOMCore
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

/// The rows of dicomweb.md 1.9, top to bottom: the first that applies decides.
@Suite struct StatusOrderTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var status: Int
        var method = HTTPRequest.Method.get
        var path: String
        var headers: HTTPFields = [:]
        var body: String?
        var kind: ProblemKind?

        var testDescription: String { "\(status) \(method) \(path.prefix(60))" }
    }

    private static let dicom: HTTPFields = [.contentType: "application/dicom"]
    private static let long = String(repeating: "1", count: 20_000)

    static let rows: [Row] = [
        // 414 and 431 before anything is looked at.
        Row(status: 414, path: "/nowhere?\(long)", kind: .uriTooLong),
        Row(status: 414, method: .patch, path: "studies?\(long)", kind: .uriTooLong),
        Row(status: 431, path: "/nowhere", headers: [.userAgent: long + long], kind: .headerTooLarge),
        // 404 for a path without a route, whatever the method.
        Row(status: 404, path: "/nowhere", kind: .notFound), Row(status: 404, method: .post, path: "patients"),
        Row(status: 404, path: "/dicomwebs/studies"), Row(status: 404, path: "studies/1.2/series/1.3/frames/1"),
        // 405 before what is wrong with the request.
        Row(status: 405, method: .patch, path: "studies", kind: .methodNotAllowed),
        Row(status: 405, method: .put, path: "studies"), Row(status: 405, method: .post, path: "studies/1.2/metadata"),
        Row(status: 405, method: .delete, path: "studies/1.2/metadata"),
        Row(status: 405, method: .post, path: "/metrics"),
        // 400 for what cannot be read.
        Row(status: 400, path: "studies/1..2", kind: .invalidPath), Row(status: 400, path: "studies/1.2a/metadata"),
        Row(status: 400, path: "studies/1/series/2/instances/3/frames/0", kind: .invalidFrameList),
        Row(status: 400, path: "studies?limit=-1", kind: .invalidQuery), Row(status: 400, path: "studies?StudyDate=x"),
        Row(status: 400, path: "studies?fuzzymatching=yes"), Row(status: 400, path: "studies?orderby=NoSuchThing"),
        Row(status: 400, path: "/changes?after=x", kind: .invalidQuery), Row(status: 400, path: "/changes?limit=0"),
        Row(status: 400, method: .post, path: "studies", headers: [.contentType: "multipart/related"], body: "x"),
        // 415 before 406.
        Row(
            status: 415, method: .post, path: "studies", headers: [.contentType: "text/plain", .accept: "image/png"],
            body: "x", kind: .unsupportedMediaType),
        Row(status: 415, method: .post, path: "studies", body: "x"),
        Row(
            status: 415, method: .post, path: "studies",
            headers: [.contentType: "application/dicom", .contentEncoding: "br"], body: "x"),
        // 406 before 413.
        Row(
            status: 406, method: .post, path: "studies",
            headers: [.contentType: "application/dicom", .accept: "image/png"], body: long, kind: .notAcceptable),
        Row(status: 406, path: "studies", headers: [.accept: "text/csv"]),
        Row(status: 406, path: "studies/1.2/metadata", headers: [.accept: "image/jpeg"]),
        // 413 before 417.
        Row(
            status: 413, method: .post, path: "studies",
            headers: [.contentType: "application/dicom", .expect: "miracles"], body: long, kind: .tooLarge),
        Row(
            status: 417, method: .post, path: "studies",
            headers: [.contentType: "application/dicom", .expect: "miracles"], body: "x", kind: .expectationFailed),
        // 404 for what is not there comes last.
        Row(status: 404, path: "studies/1.2", kind: .noSuchResource), Row(status: 404, path: "studies/1.2/metadata"),
        Row(status: 404, path: "studies/1/series/2/instances/3/frames/1"),
        Row(status: 404, method: .delete, path: "studies/1.2", kind: .noSuchResource),
        // What goes well.
        Row(status: 204, path: "studies"), Row(status: 204, path: "studies/1.2/series"),
        Row(status: 204, method: .post, path: "studies", headers: dicom, body: ""),
        Row(status: 400, method: .post, path: "studies", headers: dicom, body: "not DICOM at all"),
        Row(status: 200, method: .options, path: "/dicomweb/"), Row(status: 200, path: "/health/live"),
        Row(status: 200, path: "/health/ready"), Row(status: 200, path: "/metrics"), Row(status: 200, path: "/"),
    ]

    @Test func `the first row that applies decides, and a failure says which`() async throws {
        var configuration = GantryConfiguration()
        configuration.limits.bytesPerRequest = 16_000
        try await ServerHarness.run(configuration) { (server) async throws in
            for row in Self.rows {
                let answer = try await server.send(
                    row.method, row.path, row.headers, body: row.body.map { Array($0.utf8) })
                #expect(answer.status == row.status, "\(row.testDescription): \(answer.body.prefix(200))")
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                let requestID = try #require(answer.headers[.xRequestID])
                guard row.status >= 400, !answer.body.isEmpty, answer.headers[.contentType] != "application/dicom+json"
                else { continue }
                let problem = try #require(answer.problem, "\(row.testDescription): \(answer.body.prefix(200))")
                #expect(problem.status == row.status && problem.instance == "urn:gantry:request:\(requestID)")
                if let kind = row.kind { #expect(problem.type == "urn:gantry:problem:\(kind.rawValue)") }
                if row.status == 405 { #expect(answer.headers[.allow] != nil) }
                if row.status == 415 {
                    #expect(answer.headers[.acceptPost] != nil || row.headers[.contentEncoding] != nil)
                }
                if row.status == 413 { #expect(answer.headers[.connection] == "close") }
            }
        }
    }

    @Test func `a full server answers 503 before it reads`() async throws {
        var configuration = GantryConfiguration()
        configuration.limits.concurrentBytes = 1
        try await ServerHarness.run(configuration) { (server) async throws in
            let answer = try await server.store(TestInstance().part10())
            #expect(answer.status == 503 && answer.headers[.retryAfter] != nil)
            #expect(answer.problem?.type == "urn:gantry:problem:unavailable")
        }
    }

    @Test func `strict mode asks for an Accept field and known parameters`() async throws {
        var configuration = GantryConfiguration()
        configuration.strict.accept = true
        configuration.strict.query = true
        configuration.delete.isOffered = false
        try await ServerHarness.run(configuration) { (server) async throws in
            #expect(try await server.send(path: "studies").status == 406)
            #expect(try await server.send(.get, "studies", [.accept: "*/*"]).status == 204)
            #expect(try await server.send(.get, "studies?foo=1", [.accept: "*/*"]).status == 400)
            let refused = try await server.send(.delete, "studies/1.2")
            #expect(refused.status == 405 && refused.headers[.allow]?.contains("DELETE") == false)
        }
    }

    @Test func `the life of an instance, by status`() async throws {
        try await ServerHarness.run { (server) async throws in
            let instance = TestInstance()
            let study = "studies/\(instance.studyUID)"
            let path = "\(study)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
            #expect(try await server.store(instance.part10()).status == 200)
            #expect(try await server.store(instance.part10(), to: "studies/1.2.3").status == 202)
            var other = instance
            other.studyUID = "2.25.9"
            #expect(try await server.store(other.part10()).status == 409)
            #expect(try await server.store(Array(instance.part10().prefix(300))).status == 400)

            #expect(try await server.send(path: "studies").status == 200)
            #expect(try await server.send(path: "studies?PatientID=nobody").status == 204)
            let metadata = try await server.send(path: path + "/metadata")
            #expect(metadata.status == 200)
            let tag = try #require(metadata.headers[.eTag])
            #expect(try await server.send(.get, path + "/metadata", [.ifNoneMatch: tag]).status == 304)
            #expect(try await server.send(.get, path + "/metadata", [.ifNoneMatch: "\"x\""]).status == 200)

            let whole: HTTPFields = [.accept: "application/dicom; transfer-syntax=*"]
            let file = try await server.send(.get, path, whole)
            #expect(file.status == 200 && file.byteCount == instance.part10().count)
            let part = try await server.send(
                .get, path, [.accept: "application/dicom; transfer-syntax=*", .range: "bytes=0-9"])
            #expect(part.status == 206 && part.byteCount == 10)
            let beyond = try await server.send(
                .get, path, [.accept: "application/dicom; transfer-syntax=*", .range: "bytes=999999-"])
            #expect(beyond.status == 416 && beyond.headers[.contentRange]?.hasPrefix("bytes */") == true)
            let head = try await server.send(.head, path, whole)
            #expect(head.status == 200 && head.byteCount == 0 && head.headers[.eTag] == file.headers[.eTag])
            #expect(try await server.send(path: path + "/frames/1").status == 200)
            #expect(try await server.send(path: path + "/frames/2").status == 404)
            #expect(try await server.send(path: "studies/2.25.77/series/\(instance.seriesUID)").status == 404)
            #expect(try await server.send(path: path + "/rendered").status == 200)

            #expect(try await server.send(.delete, path).status == 204)
            #expect(try await server.send(path: path + "/metadata").status == 410)
            #expect(try await server.send(path: "studies").status == 204)
        }
    }

    @Test func `the verdict alone changes nothing`() async throws {
        try await ServerHarness.run { (server) async throws in
            #expect(try await server.store(TestInstance().part10(), to: "studies?dry-run=true").status == 200)
            #expect(try await server.send(path: "studies").status == 204)
            #expect(try await server.store(TestInstance().part10(), to: "studies?dry-run=maybe").status == 400)
        }
    }
}

extension ServerHarness {
    func send(path: String) async throws -> Answer { try await send(.get, path) }
}
