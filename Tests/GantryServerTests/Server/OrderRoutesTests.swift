import Crypto
import DICOMCore
import FoundationEssentials
import GantryTesting
import HTTPTypes
import SQLStorage
import Testing
import Workflows

@testable import GantryServer

@Suite struct OrderRoutesTests {
    private static func json(_ answer: ServerHarness.Answer) throws -> OrderedJSON {
        try OrderedJSON(parsing: answer.bytes)
    }

    private static let isJSON: HTTPFields = [.contentType: "application/json"]

    /// Makes an order; its id.
    private static func create(_ server: ServerHarness, _ body: String = "") async throws -> String {
        let answer = try await server.send(.post, "/new-order", isJSON, body: Array(body.utf8))
        #expect(answer.status == 201)
        return try #require(try json(answer)["order_id"]?.text)
    }

    private static var bare: TestInstance {
        var instance = TestInstance()
        instance.elements = [.init(.patientBirthDate, .DA, .bytes([])), .init(.patientSex, .CS, .bytes([]))]
        return instance
    }

    // MARK: - Making and asking

    @Test func `an order is made with nothing, with metadata, and with what is expected`() async throws {
        try await ServerHarness.run { server in
            let plain = try await server.send(.post, "/new-order", [:])
            #expect(plain.status == 201)
            let order = try Self.json(plain)
            #expect(order["state"] == "created" && order["missing"] == ["PatientAge", "PatientSex"])
            #expect(order["deadline"]?.text != nil && order["deadline_reason"] == "abandoned")
            #expect(plain.headers[.location] == "/status?order_id=\(order["order_id"]?.text ?? "")")

            let id = try await Self.create(
                server,
                #"{"metadata":{"PatientAge":"045Y","site":7},"study_uid":"1.2.3","expected_instances":2}"#)
            let status = try Self.json(try await server.send(.get, "/status?order_id=\(id)"))
            #expect(status["missing"] == ["PatientSex"] && status["study_uid"] == "1.2.3")
            #expect(status["expected_instances"] == 2 && status["revision"] == 1)
            let metadata = try Self.json(try await server.send(.get, "/metadata?order_id=\(id)"))
            #expect(metadata["metadata"] == ["PatientAge": "045Y", "custom": ["site": 7]])
            #expect(metadata["sources"] == ["PatientAge": "patch", "custom": ["site": "patch"]])
        }
    }

    @Test func `a slash at the end changes nothing, and other methods are told which there are`() async throws {
        try await ServerHarness.run { server in
            let id = try await Self.create(server)
            for path in [
                "/status/?order_id=\(id)", "/list-orders/", "/metadata/?order_id=\(id)", "/orders/\(id)/timeline/",
            ] {
                #expect(try await server.send(.get, path).status == 200, "\(path)")
            }
            for (path, allowed) in [
                ("/new-order", "POST"), ("/add-metadata", "PATCH"), ("/cancel-order", "PATCH"),
                ("/results", "GET, HEAD, PUT"), ("/status", "GET, HEAD"), ("/orders/\(id)/receipt", "GET, HEAD"),
            ] {
                let answer = try await server.send(.delete, path)
                #expect(answer.status == 405 && answer.headers[.allow] == allowed, "\(path)")
            }
            #expect(try await server.send(.get, "/orders/\(id)/other").status == 404)
        }
    }

    @Test func `the newest order of a study is meant by its UID`() async throws {
        try await ServerHarness.run { server in
            let body = #"{"study_uid":"1.2.3"}"#
            _ = try await Self.create(server, body)
            let second = try await Self.create(server, body)
            let status = try Self.json(try await server.send(.get, "/status?study_uid=1.2.3"))
            #expect(status["order_id"]?.text == second && status["revision"] == 2)
        }
    }

    @Test(arguments: [
        "/status", "/status?order_id=1", "/status?study_uid=1..2", "/metadata?order_id=x&study_uid=1.2",
        "/list-orders?state=lost", "/list-orders?limit=0", "/list-orders?limit=1001", "/list-orders?cursor=1",
        "/list-orders?since=yesterday",
    ])
    func `a question that cannot be read is 400`(path: String) async throws {
        try await ServerHarness.run { server in
            let answer = try await server.send(.get, path)
            #expect(answer.status == 400 && answer.problem?.type == "urn:gantry:problem:invalid-query")
        }
    }

    @Test func `an order that is not there is 404`() async throws {
        try await ServerHarness.run { server in
            let query = "order_id=123e4567-e89b-42d3-a456-426614174000"
            for path in ["/status?\(query)", "/metadata?\(query)", "/results?\(query)", "/status?study_uid=1.2"] {
                let answer = try await server.send(.get, path)
                #expect(answer.status == 404 && answer.problem?.type == "urn:gantry:problem:no-such-order", "\(path)")
            }
            #expect(try await server.send(.patch, "/cancel-order?\(query)").status == 404)
        }
    }

    @Test func `orders are listed page by page, newest first`() async throws {
        try await ServerHarness.run { server in
            var made: [String] = []
            for _ in 0..<5 { made.append(try await Self.create(server)) }
            _ = try await server.send(.patch, "/cancel-order?order_id=\(made[1])")
            func page(_ query: String) async throws -> (ids: [String], next: String?) {
                let list = try Self.json(try await server.send(.get, "/list-orders?\(query)"))
                let ids = try #require(list["orders"]?.elements).compactMap { $0["order_id"]?.text }
                return (ids, list["next"]?.text)
            }
            let first = try await page("limit=3")
            #expect(first.ids == made[2...].reversed())
            let second = try await page("limit=3&cursor=\(try #require(first.next))")
            #expect(second.ids == made[..<2].reversed() && second.next == nil)
            #expect(try await page("state=cancelled").ids == [made[1]])
            #expect(try await page("since=2099-01-01T00:00:00Z").ids.isEmpty)
            #expect(try await page("since=2020-01-01").ids.count == 5)
        }
    }

    // MARK: - Metadata

    @Test func `metadata are added, and the order moves on`() async throws {
        var configuration = GantryConfiguration()
        configuration.orders.quietPeriod = .zero
        try await ServerHarness.run(configuration) { server in
            try await server.store(Self.bare.part10())
            let study = Self.bare.studyUID
            let answer = try await server.send(
                .patch, "/add-metadata?study_uid=\(study)", Self.isJSON,
                body: Array(#"{"patientAge":"045Y","patient_sex":"F","trial":"X1"}"#.utf8))
            let order = try Self.json(answer)
            #expect(answer.status == 200 && order["state"] == "processing" && order["missing"] == [])
            #expect(order["metadata"] == ["PatientAge": "045Y", "PatientSex": "F", "custom": ["trial": "X1"]])
        }
    }

    @Test func `each bad key has its entry, and nothing is changed`() async throws {
        try await ServerHarness.run { server in
            let id = try await Self.create(server)
            let answer = try await server.send(
                .patch, "/add-metadata?order_id=\(id)", Self.isJSON,
                body: Array(#"{"PatientAge":45,"PatientSex":"F","StudyDate":"today","PixelData":"x"}"#.utf8))
            #expect(answer.status == 422 && answer.problem?.type == "urn:gantry:problem:invalid-metadata")
            let errors = try #require(try Self.json(answer)["errors"]?.elements)
            #expect(errors.map { $0["pointer"]?.text } == ["/PatientAge", "/StudyDate", "/PixelData"])
            #expect(errors.allSatisfy { $0["detail"]?.text?.isEmpty == false })
            let metadata = try Self.json(try await server.send(.get, "/metadata?order_id=\(id)"))
            #expect(metadata["metadata"] == [:])
        }
    }

    @Test(arguments: [
        ("[1]", "application/json", 400), ("{", "application/json", 400), ("", "application/json", 400),
        (#"{"a":1,"a":2}"#, "application/json", 400), ("a=1", "application/x-www-form-urlencoded", 415),
        (#"{"a":1}"#, "application/json; charset=utf-8", 200), (#"{"a":1}"#, "application/merge-patch+json", 200),
    ])
    func `a body that is no JSON object is refused`(body: String, type: String, status: Int) async throws {
        try await ServerHarness.run { server in
            let id = try await Self.create(server)
            let answer = try await server.send(
                .patch, "/add-metadata?order_id=\(id)", [.contentType: type], body: Array(body.utf8))
            #expect(answer.status == status)
        }
    }

    @Test func `a body beyond measure is 413`() async throws {
        try await ServerHarness.run { server in
            let id = try await Self.create(server)
            let body = #"{"a":""# + String(repeating: "x", count: 300_000) + #""}"#
            let answer = try await server.send(
                .patch, "/add-metadata?order_id=\(id)", Self.isJSON, body: Array(body.utf8))
            #expect(answer.status == 413)
        }
    }

    @Test(arguments: [
        (#"{"metadata":{"PatientAge":1}}"#, "/metadata/PatientAge"), (#"{"metadata":3}"#, "/metadata"),
        (#"{"study_uid":"x"}"#, "/study_uid"), (#"{"expected_instances":0}"#, "/expected_instances"),
        (#"{"PatientAge":"045Y"}"#, "/PatientAge"),
    ])
    func `an order that is described wrongly is not made`(body: String, pointer: String) async throws {
        try await ServerHarness.run { server in
            let answer = try await server.send(.post, "/new-order", Self.isJSON, body: Array(body.utf8))
            #expect(answer.status == 422)
            #expect(try Self.json(answer)["errors"]?.elements?.map { $0["pointer"]?.text } == [pointer])
            #expect(try Self.json(try await server.send(.get, "/list-orders"))["orders"] == [])
        }
    }

    @Test func `an order that has ended takes no metadata and is not cancelled again`() async throws {
        try await ServerHarness.run { server in
            let id = try await Self.create(server)
            #expect(try await server.send(.patch, "/cancel-order?order_id=\(id)").status == 200)
            let cancel = try await server.send(.patch, "/cancel-order?order_id=\(id)")
            let patch = try await server.send(
                .patch, "/add-metadata?order_id=\(id)", Self.isJSON, body: Array("{}".utf8))
            for answer in [cancel, patch] {
                #expect(answer.status == 409 && answer.problem?.type == "urn:gantry:problem:order-state")
                #expect(try Self.json(answer)["state"] == "cancelled")
            }
        }
    }

    // MARK: - Results

    /// Runs a test with an order that is processed.
    private static func processing(
        _ body: @Sendable (ServerHarness, _ id: String) async throws -> Void
    ) async throws {
        try await ServerHarness.run { server in
            let id = try await create(
                server, #"{"expected_instances":1,"study_uid":"\#(TestInstance().studyUID)"}"#)
            try await server.store(TestInstance().part10())
            #expect(try json(try await server.send(.get, "/status?order_id=\(id)"))["state"] == "processing")
            try await body(server, id)
        }
    }

    @Test func `a final report completes the order, and is read again byte for byte`() async throws {
        try await Self.processing { server, id in
            let path = "/results?order_id=\(id)&report_type=ai-report"
            #expect(try await server.send(.get, path).problem?.type == "urn:gantry:problem:no-report")
            let pdf = Array("%PDF-1.7 not really".utf8)
            let draft = try await server.send(.put, path, [.contentType: "application/pdf"], body: pdf)
            #expect(try draft.status == 201 && Self.json(draft)["state"] == "processing")
            let final = try await server.send(
                .put, path + "&final=true", [.contentType: "application/pdf"], body: pdf + [0])
            #expect(try final.status == 200 && Self.json(final)["state"] == "completed")

            let read = try await server.send(.get, path)
            #expect(read.status == 200 && read.bytes == pdf + [0])
            #expect(read.headers[.contentType] == "application/pdf" && read.headers[.xContentTypeOptions] == "nosniff")
            #expect(read.headers[.contentDisposition]?.hasPrefix("attachment") == true)
            let part = try await server.send(
                .get, "/results?study_uid=\(TestInstance().studyUID)", [.range: "bytes=0-3"])
            #expect(part.status == 206 && part.body == "%PDF")
            #expect(try await server.send(.patch, "/cancel-order?order_id=\(id)").status == 409)
        }
    }

    @Test func `a report that cannot be taken is refused before it is read`() async throws {
        try await ServerHarness.run { server in
            let id = try await Self.create(server)
            let path = "/results?order_id=\(id)"
            let isPDF: HTTPFields = [.contentType: "application/pdf"]
            #expect(try await server.send(.put, path, isPDF, body: [1]).status == 400)
            #expect(try await server.send(.put, path + "&report_type=a%2Fb", isPDF, body: [1]).status == 400)
            #expect(try await server.send(.put, path + "&report_type=a&final=maybe", isPDF, body: [1]).status == 400)
            #expect(try await server.send(.put, path + "&report_type=a", [:], body: [1]).status == 415)
            #expect(try await server.send(.put, path + "&report_type=a", isPDF, body: []).status == 400)
            // Nothing has arrived: there is nothing to complete.
            #expect(try await server.send(.put, path + "&report_type=a&final=true", isPDF, body: [1]).status == 409)
            #expect(try await server.send(.put, path + "&report_type=a", isPDF, body: [1]).status == 201)
        }
    }

    @Test func `the result of a failed order is its failure`() async throws {
        var configuration = GantryConfiguration()
        configuration.orders.metadataDeadline = .zero
        try await ServerHarness.run(configuration) { server in
            try await server.store(Self.bare.part10())
            let answer = try await server.send(.get, "/results?study_uid=\(Self.bare.studyUID)")
            #expect(answer.status == 409)
            let problem = try Self.json(answer)
            #expect(problem["reason"] == "metadata-missing" && problem["missing"] == ["PatientAge", "PatientSex"])
            // The images stay.
            #expect(try await server.send(.get, "studies/\(Self.bare.studyUID)").status == 200)
        }
    }

    // MARK: - Timeline and receipt

    @Test func `the timeline has the order's story`() async throws {
        try await Self.processing { server, id in
            let answer = try await server.send(.get, "/orders/\(id)/timeline")
            let entries = try #require(try Self.json(answer)["timeline"]?.elements)
            #expect(
                entries.compactMap { $0["event"]?.text } == ["created", "first-instance", "complete", "processing"])
        }
    }

    @Test func `a receipt is signed over exactly what it says`() async throws {
        try await Self.processing { server, id in
            let answer = try Self.json(try await server.send(.get, "/orders/\(id)/receipt"))
            let receipt = try #require(answer["receipt"])
            let digest = SHA256.hash(data: TestInstance().part10()).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            .joined()
            #expect(receipt["order_id"]?.text == id && receipt["count"] == 1)
            #expect(receipt["instances"]?.elements?.first?["sha256"]?.text == digest)

            let parts = try #require(answer["jws"]?.text).split(separator: ".").map(String.init)
            #expect(parts.count == 3 && Self.decoded(parts[1]) == receipt.bytes)
            let header = try OrderedJSON(parsing: Self.decoded(parts[0]))
            #expect(header["alg"] == "EdDSA" && header["kid"] == answer["key"]?["kid"])
            let key = try Curve25519.Signing.PublicKey(
                rawRepresentation: Self.decoded(try #require(answer["key"]?["x"]?.text)))
            #expect(key.isValidSignature(Self.decoded(parts[2]), for: Array("\(parts[0]).\(parts[1])".utf8)))
            #expect(!key.isValidSignature(Self.decoded(parts[2]), for: Array("\(parts[0]).\(parts[1])x".utf8)))

            let compact = try await server.send(.get, "/orders/\(id)/receipt", [.accept: "application/jose"])
            #expect(
                compact.headers[.contentType] == "application/jose" && compact.body.split(separator: ".").count == 3)
        }
    }

    private static func decoded(_ text: String) -> [UInt8] {
        let standard = text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
        let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Array(Data(base64Encoded: String(standard) + padding) ?? Data())
    }

    // MARK: - Times

    @Test(arguments: [
        ("2026-01-31T23:59:59Z", Int64(1_769_903_999_000)), ("2026-01-31T23:59:59.250Z", 1_769_903_999_250),
        ("2026-02-01T00:59:59+01:00", 1_769_903_999_000), ("2026-02-01T00:59:59 01:00", 1_769_903_999_000),
        ("1970-01-01", 0), ("2026-02-30", nil), ("2026-01-31T24:00:00Z", nil), ("2026-01-31T23:59:59", nil), ("", nil),
        ("2026-01-31T23:59:59Zx", nil),
    ])
    func `times are read as RFC 3339 has them`(text: String, milliseconds: Int64?) {
        #expect(TimestampText.milliseconds(text) == milliseconds)
    }
}
