import AsyncHTTPClient
import CoreWire
import DICOMCore
import FoundationEssentials
import GantryTesting
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GantryServer

/// What the core makes of what strangers send it.
@Suite struct CoreRoutesTests {
    /// An event as our own STOW service sends it, in the structured mode.
    private static func event() async throws -> AnswerValue {
        let taken = Mutex<[UInt8]>([])
        let sink = try await RunningRole.start { request in
            var body = ByteBuffer()
            for try await var chunk in request.body { body.writeBuffer(&chunk) }
            let bytes = Array(body.readableBytesView)
            taken.withLock { $0 = bytes }
            return Response(status: .serviceUnavailable)
        }
        try await RolesHarness.run(sink: sink.address) { (roles) async throws in
            #expect(try await roles.store([TestInstance().part10()]).status == 503)
        }
        await sink.stop()
        let events = try AnswerValue(taken.withLock { $0 })
        return try #require(events.list.first)
    }

    private static let entry = ["data", "gantry", "entry"]

    @Test func `what our own service sends is taken, alone and with others`() async throws {
        let event = try await Self.event()
        try await RolesHarness.run { (roles) async throws in
            let alone = try await roles.post(try event.bytes, type: "application/cloudevents+json")
            #expect(alone.status == 200 && alone.field("ce-type") == "DicomAvailableEvent")
            #expect(try AnswerValue(alone.bytes)[["gantry", "outcome"]] == .text("stored"))
            let together = try await roles.post(
                try AnswerValue.list([event, event]).bytes, type: "application/cloudevents-batch+json")
            let decisions = try AnswerValue(together.bytes)["decisions"]?.list ?? []
            #expect(decisions.map { $0["outcome"] } == [.text("identical"), .text("identical")])
        }
    }

    @Test func `a changed event is refused, and nothing of it is kept`() async throws {
        let event = try await Self.event()
        let document = try #require(event[Self.entry + ["document"]]?.text.flatMap { Data(base64Encoded: $0) })
        func broken(_ change: (inout [UInt8]) -> Void) -> AnswerValue {
            var bytes = Array(document)
            change(&bytes)
            return .text(Data(bytes).base64EncodedString())
        }
        let changes: [([String], AnswerValue?)] = [
            (["data", "gantry", "version"], .number(2)), (["data", "gantry", "entry"], nil),
            (["data", "gantry", "byteCount"], .number(-1)), (["data", "gantry", "origin", "door"], .text("window")),
            (["data", "gantry", "origin", "requestID"], .text("a\nb")),
            (["data", "gantry", "origin", "remoteAddress"], .text(String(repeating: "a", count: 300))),
            (["data", "gantry", "isRehearsal"], .bool(true)),
            (["data", "gantry", "comparison"], .object(["storedDigest": .text("AAAA"), "isSame": .bool(true)])),
            (["data", "store", "provider"], .text("other")), (["data"], nil), (["type"], .text("SomethingElse")),
            (["specversion"], .text("0.3")),
            (Self.entry + ["identity", "study"], .text("1..2")),
            (Self.entry + ["identity", "instance"], .text("1.2'; DROP TABLE studies; --")),
            (Self.entry + ["identity", "series"], .text(String(repeating: "1", count: 65))),
            (Self.entry + ["location"], .text("o/../../etc/passwd/5")), (Self.entry + ["location"], .text("m/01/5")),
            (Self.entry + ["location"], .text("n/5/../x")), (Self.entry + ["location"], .text("m/1/7")),
            (Self.entry + ["length"], .number(-1)), (Self.entry + ["length"], .number(1e300)),
            (Self.entry + ["length"], .number(0.5)), (Self.entry + ["digest"], .text("AAAA")),
            (Self.entry + ["dataSetOffset"], .number(1e9)), (Self.entry + ["dataSetOffset"], .number(-1)),
            (Self.entry + ["transferSyntaxUID"], .text(String(repeating: "1", count: 65))),
            (Self.entry + ["transferSyntaxUID"], .text("1.2\u{0}")), (Self.entry + ["frameLayout"], .text("////")),
            (Self.entry + ["receivedAt"], .number(-1)), (Self.entry + ["receivedAt"], .number(9e18)),
            (Self.entry + ["study", "patientID"], .text("a\u{0}b")),
            (Self.entry + ["study", "description"], .text(String(repeating: "a", count: 300_000))),
            (Self.entry + ["series", "modality"], .number(1)),
            (Self.entry + ["document"], .text("")), (Self.entry + ["document"], .text("%%%")),
            // Cut off, with more behind, with tags out of order, with no JSON in it.
            (Self.entry + ["document"], broken { $0.removeLast() }),
            (Self.entry + ["document"], broken { $0.append(0) }),
            (Self.entry + ["document"], broken { $0[1] = 0xFF }),
            (Self.entry + ["document"], broken { $0[6] = UInt8(ascii: "}") }),
            (Self.entry + ["document"], broken { $0[7] = 0x01 }),
            (Self.entry + ["document"], broken { $0[7] = 0xC0 }),
            (Self.entry + ["document"], .text(Data([0, 8, 0, 5, 0, 0]).base64EncodedString())),
        ]
        try await RolesHarness.run { (roles) async throws in
            for (path, value) in changes {
                var changed = event
                changed[path] = value
                let alone = try await roles.post(try changed.bytes, type: "application/cloudevents+json")
                #expect((400..<500).contains(alone.status), "\(path) \(alone.status)")
                #expect(alone.field("content-type") == "application/problem+json" && alone.field("gantry-wire") == "1")
                let together = try await roles.post(
                    try AnswerValue.list([event, changed]).bytes, type: "application/cloudevents-batch+json")
                #expect((400..<500).contains(together.status), "\(path)")
            }
            #expect(try await roles.get("studies").status == 204)
            // It still works.
            #expect(try await roles.post(try event.bytes, type: "application/cloudevents+json").status == 200)
            #expect(try await roles.get("studies").status == 200)
        }
    }

    @Test func `what is no event is refused`() async throws {
        let deep = String(repeating: "[", count: 100_000)
        let cases: [(String, String, [(String, String)], Int)] = [
            ("", "application/json", [], 400), ("{}", "application/json", [], 400), ("{}", "text/plain", [], 415),
            ("{}", "application/xml", [], 415), ("[]", "application/cloudevents-batch+json", [], 400),
            ("{}", "application/cloudevents-batch+json", [], 400), ("{", "application/cloudevents+json", [], 400),
            (deep, "application/cloudevents+json", [], 400), (deep, "application/cloudevents-batch+json", [], 400),
            (
                #"{"specversion":"1.0","id":"1","type":"ImageStoredEvent","data":{}}"#, "application/cloudevents+json",
                [], 400
            ),
            ("{}", "application/json", [("ce-type", "ImageStoredEvent")], 400),
            (
                #"{"store":{"provider":"default"}}"#, "application/json",
                [("ce-type", "StudyRevisionEvent"), ("ce-id", "1"), ("ce-specversion", "1.0")], 404
            ),
            (
                #"{"store":{"provider":"default"}}"#, "application/json",
                [("ce-type", "gantry.dicom.instance.refused.v1"), ("ce-id", "1"), ("ce-specversion", "1.0")], 404
            ),
            (
                "{", "application/json",
                [("ce-type", "ImageStoredEvent"), ("ce-id", "1"), ("ce-specversion", "1.0")], 400
            ),
        ]
        try await RolesHarness.run { (roles) async throws in
            for (body, type, fields, status) in cases {
                let answer = try await roles.post(Array(body.utf8), type: type, fields)
                #expect(answer.status == status, "\(type) \(body.prefix(40))")
            }
            let many = "[" + (0...EventEnvelope.mostInBatch).map { _ in "{}" }.joined(separator: ",") + "]"
            #expect(try await roles.post(Array(many.utf8), type: "application/cloudevents-batch+json").status == 400)
            #expect(try await roles.get("studies").status == 204)
        }
    }

    @Test func `bodies that are held as a whole share a limit`() async throws {
        var configuration = GantryConfiguration()
        configuration.limits.concurrentBytes = 1 << 20
        try await RolesHarness.run(configuration) { (roles) async throws in
            let body = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
            #expect(try await roles.post(body, type: "application/json").status == 503)
            // What was refused is not counted any more.
            #expect(try await roles.post(Array("{}".utf8), type: "application/json").status == 400)
        }
    }

    // MARK: - The query endpoint

    @Test func `every query names its source, and another source has nothing`() async throws {
        try await RolesHarness.run { (roles) async throws in
            let instance = TestInstance()
            try await roles.store([instance.part10(), TestInstance(instance: 2).part10()])
            let study = "/query/studies/\(instance.studyUID)"
            let series = "\(study)/series/\(instance.seriesUID)"
            for (path, count) in [
                (study, 2), (series, 2), ("\(series)/instances/\(instance.sopInstanceUID)", 1),
                ("/query/studies/9.9", 0), ("\(study)/series/9.9", 0), ("\(series)/instances/9.9", 0),
            ] {
                let answer = try await roles.http.send(.GET, "\(roles.core.address)\(path)?source=default")
                let entries = try AnswerValue(answer.bytes).list
                #expect(answer.status == 200 && entries.count == count, "\(path)")
                for entry in entries {
                    #expect(entry["attributes"] == .object([:]))
                    #expect(entry[["resource", "objectName"]]?.text?.isEmpty == false)
                    #expect(WireTime.milliseconds(entry["lastModified"]?.text ?? "") != nil)
                }
                for query in ["", "?source=", "?source=%20", "?other=default"] {
                    let answer = try await roles.http.send(.GET, "\(roles.core.address)\(path)\(query)")
                    #expect(answer.status == 400, "\(path)\(query)")
                }
                let other = try await roles.http.send(.GET, "\(roles.core.address)\(path)?source=other")
                #expect(other.status == 200 && other.text == "[]")
            }
            #expect(
                try await roles.http.send(.GET, "\(roles.core.address)/query/studies/a..b?source=default").status == 400
            )
            #expect(try await roles.http.send(.GET, "\(roles.core.address)/query/nothing?source=default").status == 404)
            #expect(
                try await roles.http.send(.POST, "\(roles.core.address)\(study)?source=default", [], []).status == 405)
            #expect(try await roles.http.send(.GET, "\(roles.core.address)/query/studies?source=default").status == 405)
        }
    }

    @Test func `searches of others get attributes in the DICOM JSON model`() async throws {
        try await RolesHarness.run { (roles) async throws in
            for study in 1...3 { try await roles.store([TestInstance(study: study).part10()]) }
            func search(_ model: String, source: String = "default") async throws -> (Int, [AnswerValue]) {
                let answer = try await roles.post(
                    Array(model.utf8), to: "/query/studies?source=\(source)", type: "application/json")
                return (answer.status, (try? AnswerValue(answer.bytes).list) ?? [])
            }
            let all = try await search(
                #"{"scope":"STUDY","limit":0,"offset":0,"queryAttributes":{"1048592":"smith*"}}"#)
            #expect(all.0 == 200 && all.1.count == 3)
            let first = try #require(all.1.first)
            #expect(first["resource"] == .null && first["lastModified"] == .null && first["gantry"] == nil)
            #expect(
                first[["attributes", "00100010"]]
                    == .object([
                        "vr": .text("PN"), "Value": .list([.object(["Alphabetic": .text("Smith^John")])]),
                    ]))
            #expect(first[["attributes", "00201208"]]?["Value"] == .list([.number(1)]))
            #expect(
                first[["attributes", "00081190"]]?["Value"]?.list.first?.text?.hasPrefix(
                    "https://wado.example/wado-rs/studies/") == true)
            #expect(try await search(#"{"scope":"STUDY","limit":2,"queryAttributes":{}}"#).1.count == 2)
            #expect(try await search(#"{"limit":2,"offset":2}"#).1.count == 1)
            let study = TestInstance(study: 2).studyUID
            #expect(try await search(#"{"scope":"SERIES","studyUid":"\#(study)"}"#).1.count == 1)
            #expect(try await search(#"{"scope":"SERIES","queryAttributes":{"524384":"OT"}}"#).1.count == 3)
            #expect(
                try await search(#"{"scope":"INSTANCE","studyUid":"\#(study)","queryAttributes":{"2097171":"1"}}"#).1
                    .count == 1)
            #expect(try await search(#"{"scope":"INSTANCE","seriesUid":null,"studyUid":null}"#).1.count == 3)
            #expect(try await search(#"{"scope":"STUDY"}"#, source: "other").1.isEmpty)
            for bad in [
                "", "[]", #"{"scope":"PATIENT"}"#, #"{"studyUid":"../..","scope":"SERIES"}"#,
                #"{"queryAttributes":{"PatientID":"1"}}"#, #"{"queryAttributes":{"524320":"never"}}"#,
                #"{"gantry":{"version":9,"resource":"/studies","parameters":"","maximum":1,"timezone":"+0000"}}"#,
                #"{"gantry":{"version":1,"resource":"/../x","parameters":"","maximum":1,"timezone":"+0000"}}"#,
                #"{"gantry":{"version":1,"resource":"/studies","parameters":"limit=-1","maximum":1,"timezone":"+0000"}}"#,
                #"{"gantry":{"version":1,"resource":"/studies","parameters":"","maximum":1,"timezone":"soon"}}"#,
            ] {
                let status = try await search(bad).0
                #expect((400..<405).contains(status), "\(bad) \(status)")
            }
        }
    }
}
