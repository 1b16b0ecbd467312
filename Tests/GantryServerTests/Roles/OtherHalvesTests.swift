import AsyncHTTPClient
import BlobStorage
import CoreWire
import DICOMCore
import FoundationEssentials
import GantryTesting
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import GantryServer

/// Our roles beside those of somebody else, who knows the wire and none of our members.
@Suite struct OtherHalvesTests {
    /// An event processor that takes one event at a time and keeps what it got.
    private final class OtherProcessor: Sendable {
        struct Taken: Sendable {
            var headers: HTTPFields
            var body: [UInt8]
        }

        private let events = Mutex<[Taken]>([])
        private let batches = Atomic(0)

        var taken: [Taken] { events.withLock { $0 } }
        var refusedBatches: Int { batches.load(ordering: .relaxed) }

        func answer(_ request: Request) async throws -> Response {
            var body = ByteBuffer()
            for try await var chunk in request.body { body.writeBuffer(&chunk) }
            if request.headers[.contentType]?.contains("batch") == true {
                batches.add(1, ordering: .relaxed)
                return Response(status: .notAcceptable)
            }
            events.withLock {
                $0.append(Taken(headers: request.headers, body: Array(body.readableBytesView)))
            }
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: #"{"provider":"default","endpoint":"http://x"}"#)))
        }
    }

    @Test func `another event processor gets events one by one, in its own form`() async throws {
        let processor = OtherProcessor()
        let other = try await RunningRole.start { try await processor.answer($0) }
        try await RolesHarness.run(sink: other.address) { (roles) async throws in
            var file = TestInstance()
            file.patientName = "Émile^Zola"
            file.elements = [
                DataElement(Tag(0x0008, 0x1140), .SQ, .items([DataSet()])),
                DataElement(Tag(0x0008, 0x0008), .CS, .bytes(Array("DERIVED\\SECONDARY ".utf8)[...])),
                DataElement(Tag(0x0009, 0x0010), .LO, .bytes(Array("OURS".utf8)[...])),
                DataElement(Tag(0x0009, 0x1001), .OB, .bytes([0xFE, 1][...])),
                DataElement(Tag(0x0018, 0x9087), .FD, .bytes([0, 0, 0, 0, 0, 0, 0xF8, 0x3F][...])),
                DataElement(Tag(0x0020, 0x4000), .LT, .bytes([][...])),
                DataElement(Tag(0x0028, 0x0009), .AT, .bytes([0x18, 0, 0x63, 0x10][...])),
                DataElement(Tag(0x0010, 0x0010), .PN, .bytes([0xC9] + Array("mile^Zola".utf8))),
            ]
            #expect(try await roles.store([file.part10(), TestInstance(instance: 2).part10()]).status == 200)
            #expect(processor.taken.count == 2 && processor.refusedBatches == 1)
            // It is asked no more, for a while.
            #expect(try await roles.store([TestInstance(instance: 3).part10()]).status == 200)
            #expect(processor.taken.count == 3 && processor.refusedBatches == 1)
            #expect(try await roles.objectCount() == 3)

            let event = try #require(processor.taken.first)
            #expect(event.headers[.contentType] == "application/json")
            #expect(event.headers[.ceType] == "ImageStoredEvent" && event.headers[.ceSpecversion] == "1.0")
            #expect(event.headers[.ceSource] == "stow.test")
            #expect(event.headers[.ceID].flatMap { UUID(uuidString: $0) } != nil)
            var body = try AnswerValue(event.body)
            #expect(body["gantry"] != nil)
            body["gantry"] = nil
            let location = try #require(body[["store", "objectName"]]?.text)
            #expect(BlobLocation(rawValue: location) != nil)
            body[["store", "objectName"]] = .text("OBJECT")
            #expect(try body == AnswerValue(Array(Self.golden.utf8)))
        }
        await other.stop()
    }

    /// The data of the event of the first file above.
    private static let golden = """
        {"image":{"transferSyntaxUID":"1.2.840.10008.1.2.1","elements":[
        {"group":"0008","element":"0005","vr":"CS","value":"ISO_IR 100"},
        {"group":"0008","element":"0008","vr":"CS","value":"DERIVED"},
        {"group":"0008","element":"0016","vr":"UI","value":"1.2.840.10008.5.1.4.1.1.7"},
        {"group":"0008","element":"0018","vr":"UI","value":"2.25.10001.1.1"},
        {"group":"0008","element":"0020","vr":"DA","value":"20240115"},
        {"group":"0008","element":"0030","vr":"TM","value":"101112"},
        {"group":"0008","element":"0050","vr":"SH","value":"A1"},
        {"group":"0008","element":"0060","vr":"CS","value":"OT"},
        {"group":"0008","element":"0090","vr":"PN","value":"Ref^Erring"},
        {"group":"0008","element":"1140","vr":"SQ","value":null},
        {"group":"0009","element":"0010","vr":"LO","value":"OURS"},
        {"group":"0009","element":"1001","vr":"OB","value":"-2"},
        {"group":"0010","element":"0010","vr":"PN","value":"Émile^Zola"},
        {"group":"0010","element":"0020","vr":"LO","value":"P1"},
        {"group":"0010","element":"0030","vr":"DA","value":"19700102"},
        {"group":"0010","element":"0040","vr":"CS","value":"M"},
        {"group":"0018","element":"9087","vr":"FD","value":"1.5"},
        {"group":"0020","element":"000D","vr":"UI","value":"2.25.10001"},
        {"group":"0020","element":"000E","vr":"UI","value":"2.25.10001.1"},
        {"group":"0020","element":"0010","vr":"SH","value":"S1"},
        {"group":"0020","element":"0011","vr":"IS","value":"1"},
        {"group":"0020","element":"0013","vr":"IS","value":"1"},
        {"group":"0020","element":"4000","vr":"LT","value":null},
        {"group":"0028","element":"0002","vr":"US","value":"1"},
        {"group":"0028","element":"0004","vr":"CS","value":"MONOCHROME2"},
        {"group":"0028","element":"0009","vr":"AT","value":"00181063"},
        {"group":"0028","element":"0010","vr":"US","value":"6"},
        {"group":"0028","element":"0011","vr":"US","value":"6"},
        {"group":"0028","element":"0100","vr":"US","value":"8"},
        {"group":"0028","element":"0101","vr":"US","value":"8"},
        {"group":"0028","element":"0102","vr":"US","value":"7"},
        {"group":"0028","element":"0103","vr":"US","value":"0"}]},
        "store":{"provider":"default","bucketName":"images","objectName":"OBJECT",
        "wadoInternalEndpoint":"http://wado.internal/wado-rs","wadoExternalEndpoint":"https://wado.example/wado-rs"}}
        """

    @Test func `what a sink that is not ours refuses is not stored, and what it may have taken stays`() async throws {
        for (status, kept, answers) in [(400, 0, 400..<600), (503, 0, 503..<504), (500, 1, 503..<504)] {
            let other = try await RunningRole.start { request in
                for try await _ in request.body {}
                return Response(
                    status: request.headers[.contentType]?.contains("batch") == true
                        ? .notAcceptable : .init(code: status))
            }
            try await RolesHarness.run(sink: other.address) { (roles) async throws in
                let answer = try await roles.store([TestInstance().part10()])
                #expect(answers.contains(answer.status), "\(status) \(answer.status)")
                #expect(try await roles.objectCount() == kept, "\(status)")
            }
            await other.stop()
        }
    }

    /// What another STOW service sends of a file in the bucket.
    private static func event(_ instance: TestInstance, _ objectName: String) -> AnswerValue {
        func element(_ tag: String, _ vr: String, _ value: AnswerValue) -> AnswerValue {
            .object([
                "group": .text(String(tag.prefix(4))), "element": .text(String(tag.suffix(4))), "vr": .text(vr),
                "value": value,
            ])
        }
        return .object([
            "image": .object([
                "transferSyntaxUID": .text("1.2.840.10008.1.2.1"),
                "elements": .list([
                    element("00080016", "UI", .text(instance.sopClassUID)),
                    element("00080018", "UI", .text(instance.sopInstanceUID)),
                    element("00080020", "DA", .text("20240115")), element("00080060", "CS", .text("OT")),
                    element("00081140", "SQ", .null), element("00100010", "PN", .text("Zola^Émile")),
                    element("00100020", "LO", .text("P1")), element("0020000D", "UI", .text(instance.studyUID)),
                    element("0020000E", "UI", .text(instance.seriesUID)), element("00200013", "IS", .text("1")),
                    element("00280010", "US", .text("6")), element("00280011", "US", .text("6")),
                ]),
            ]),
            "store": .object([
                "provider": .text("default"), "bucketName": .null, "objectName": .text(objectName),
                "wadoInternalEndpoint": .text("http://other/wado-rs"),
                "wadoExternalEndpoint": .text("http://outside/wado-rs"),
            ]),
        ])
    }

    @Test func `events of another STOW service are indexed, and its files found by their names`() async throws {
        try await RolesHarness.run { (roles) async throws in
            let instance = TestInstance()
            let file = instance.part10()
            let event = Self.event(instance, try await roles.put(file))
            let fields = [
                ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "a"), ("ce-type", "ImageStoredEvent"),
            ]
            for _ in 0..<2 {
                let answer = try await roles.post(try event.bytes, type: "application/json", fields)
                #expect(answer.status == 200 && answer.field("ce-type") == "DicomAvailableEvent")
                #expect(answer.field("ce-specversion") == "1.0" && answer.field("ce-id") != nil)
                let path =
                    "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
                #expect(
                    try AnswerValue(answer.bytes)
                        == .object([
                            "provider": .text("default"), "endpoint": .text("http://other/wado-rs/\(path)"),
                        ]))
            }
            // Structured mode too.
            let structured = AnswerValue.object([
                "specversion": .text("1.0"), "id": .text("2"), "source": .text("a"), "type": .text("ImageStoredEvent"),
                "data": event,
            ])
            #expect(try await roles.post(try structured.bytes, type: "application/cloudevents+json").status == 200)
            let found = try await roles.get("studies?PatientName=zola*")
            #expect(found.text.contains(instance.studyUID) && found.text.contains("Émile"))
            let path = "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
            let whole = try await roles.get(path, accept: "application/dicom; transfer-syntax=*")
            #expect(whole.status == 200 && whole.bytes == file)
            let frame = try await roles.get("\(path)/frames/1", accept: "application/octet-stream")
            #expect(frame.status == 200 && frame.bytes == instance.pixelData)
            #expect(try await roles.get("\(path)/metadata").text.contains("00280010"))
            #expect(try await roles.get("\(path)/rendered", accept: "image/png").status == 200)
        }
    }

    @Test func `an event that cannot be indexed is an error, so that it is sent again`() async throws {
        try await RolesHarness.run { (roles) async throws in
            let instance = TestInstance()
            let event = Self.event(instance, "abc.dcm")
            let fields = [
                ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "a"), ("ce-type", "ImageStoredEvent"),
            ]
            var broken: [AnswerValue] = []
            for path in [
                ["store"], ["image"], ["store", "objectName"], ["image", "transferSyntaxUID"], ["image", "elements"],
            ] {
                var one = event
                one[path] = nil
                broken.append(one)
            }
            for name in ["", "../a", "/a", "a//b", "a\u{0}", String(repeating: "a", count: 1025), "ä"] {
                var one = event
                one[["store", "objectName"]] = .text(name)
                broken.append(one)
            }
            var one = event
            one[["store", "provider"]] = .text("other")
            broken.append(one)
            for index in [0, 1, 7, 8] {
                var elements = event[["image", "elements"]]?.list ?? []
                elements[index]["value"] = .text("not.a.uid")
                one = event
                one[["image", "elements"]] = .list(elements)
                broken.append(one)
            }
            for body in broken {
                let answer = try await roles.post(try body.bytes, type: "application/json", fields)
                #expect(answer.status == 400 && answer.field("content-type") == "application/problem+json")
            }
            #expect(try await roles.get("studies").status == 204)
        }
    }

    @Test func `another event processor's query endpoint tells names, and the files tell the rest`() async throws {
        let instance = TestInstance()
        let file = instance.part10()
        let name = Mutex("")
        let asked = Mutex<[String]>([])
        let other = try await RunningRole.start { request in
            var body = ByteBuffer()
            for try await var chunk in request.body { body.writeBuffer(&chunk) }
            asked.withLock { $0.append("\(request.uri.path) \(String(buffer: body))") }
            let path = request.uri.path
            guard request.uri.queryParameters["source"] == "default" else { return Response(status: .badRequest) }
            let answer: String
            if path == "/query/studies" {
                answer = """
                    [{"attributes":{"0020000D":{"vr":"UI","Value":["\(instance.studyUID)"]},
                    "00100010":{"vr":"PN","Value":["Zola^\\u00c9mile"]},"00080020":{"vr":"DA","Value":["20240115"]},
                    "00200010":{"vr":"SH","Value":[null]},"00201206":{"vr":"IS","Value":["1"]},
                    "00201208":{"vr":"IS","Value":["3"]},"00080061":{"vr":"CS","Value":["CT","PT"]}},
                    "resource":null,"lastModified":null}]
                    """
            } else if path.hasPrefix("/query/studies/\(instance.studyUID)"), !path.hasSuffix("/metadata") {
                answer = """
                    [{"attributes":{},"resource":{"objectName":"\(name.withLock { $0 })"},
                    "lastModified":"2024-01-05T10:11:12.345678Z"}]
                    """
            } else if path.hasSuffix("/metadata") {
                return Response(status: .notFound)
            } else {
                answer = "[]"
            }
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: answer)))
        }
        try await RolesHarness.run(query: "\(other.address)/query") { (roles) async throws in
            let stored = try await roles.put(file)
            name.withLock { $0 = stored }
            let path = "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
            let whole = try await roles.get(path, accept: "application/dicom; transfer-syntax=*")
            #expect(whole.status == 200 && whole.bytes == file)
            let frame = try await roles.get("\(path)/frames/1", accept: "application/octet-stream")
            #expect(frame.bytes == instance.pixelData)
            let metadata = try await roles.get("studies/\(instance.studyUID)/metadata")
            #expect(metadata.status == 200 && metadata.text.contains("Smith^John"))
            #expect(try await roles.get("studies/9.9").status == 404)
            #expect(try await roles.get("studies/9.9/metadata").status == 404)
            let found = try AnswerValue(
                try await roles.get(
                    "studies?PatientName=zola*&StudyDate=20240101-20240201&ModalitiesInStudy=CT&limit=7"
                )
                .bytes)
            let study = try #require(found.list.first)
            #expect(study[["00100010"]]?["Value"]?.list.first?["Alphabetic"]?.text == "Zola^Émile")
            #expect(study[["00201208"]]?["Value"] == .list([.number(3)]))
            #expect(study[["00080061"]]?["Value"] == .list([.text("CT"), .text("PT")]))
            #expect(
                study[["00081190"]]?["Value"]?.list.first?.text
                    == "http://gantry.test/wado-rs/studies/\(instance.studyUID)")
            let question = try #require(asked.withLock { $0.last { $0.hasPrefix("/query/studies {") } })
            let model = try AnswerValue(Array(question.dropFirst("/query/studies ".count).utf8))
            #expect(model["scope"] == .text("STUDY") && model["limit"] == .number(7))
            #expect(
                model["queryAttributes"]
                    == .object([
                        "1048592": .text("zola*"), "524320": .text("20240101-20240201"), "524385": .text("CT"),
                    ]))
        }
        await other.stop()
    }
}
