import DICOMCore
import FoundationEssentials
import GantryTesting
import HTTPTypes
import Observability
import SQLStorage
import SQLiteStorage
import Testing

@testable import GantryServer

// Testing has a Tag, too.
private typealias Tag = DICOMCore.Tag

/// SEC-55: what a data set, a query or a header says about a person shows up in no log line, metric, problem or event.
@Suite struct PrivacyTests {
    private static let canary = "CANARY"

    /// An instance that has the canary in a value of every VR of text, at the top, in a sequence, and in a private block.
    private static func instance(_ number: Int) -> TestInstance {
        var instance = TestInstance(instance: number)
        instance.patientName = "CANARY^NAME"
        instance.patientID = "CANARYID"
        let texts: [(Tag, VR)] = [
            (.retrieveAETitle, .AE), (.patientAge, .AS), (.imageType, .CS), (.acquisitionDate, .DA),
            (.patientWeight, .DS),
            (.acquisitionDateTime, .DT), (.acquisitionNumber, .IS), (.studyDescription, .LO), (.patientComments, .LT),
            (.operatorsName, .PN), (.accessionNumber, .SH), (.institutionAddress, .ST), (.acquisitionTime, .TM),
            (.longCodeValue, .UC), (.frameOfReferenceUID, .UI), (.urnCodeValue, .UR), (.textValue, .UT),
        ]
        func element(_ tag: Tag, _ vr: VR) -> DataElement {
            DataElement(tag, vr, .bytes(Array("\(canary)\(vr.letters)".utf8)[...]))
        }
        instance.elements = texts.map { element($0.0, $0.1) }
        instance.elements.append(
            DataElement(.requestAttributesSequence, .SQ, .items([DataSet([element(.requestedProcedureID, .SH)])])))
        instance.elements.append(DataElement(Tag(0x0029, 0x0010), .LO, .bytes(Array("CANARYCREATOR ".utf8)[...])))
        instance.elements.append(element(Tag(0x0029, 0x1001), .LO))
        return instance
    }

    @Test func `every VR of text is seeded`() {
        let seeded = Set(Self.instance(1).dataSet().map(\.vr))
        #expect(VR.allCases.filter { $0.isText && !seeded.contains($0) } == [])
    }

    @Test func `nothing of a person gets out of the answers that are for them`() async throws {
        try await ServerHarness.run { (server) async throws in
            let refusals = try await Self.provoke(server)
            #expect(refusals.count > 15)
            for answer in refusals { #expect(!answer.body.contains(Self.canary), "\(answer.status) \(answer.body)") }

            // Events and the change feed name UIDs only.
            #expect(try await !server.send(path: "/changes").body.contains(Self.canary))
            let events = try await server.database.read { transaction in
                try transaction.rows("SELECT data FROM outbox_events") { String(decoding: $0.bytes(0), as: UTF8.self) }
            }
            #expect(events.count >= 2 && !events.contains { $0.contains(Self.canary) })

            // What fails inside is logged by its kind alone.
            try await server.database.close()
            let broken = try await server.send(path: "studies?PatientName=CANARY")
            #expect(broken.status >= 500 && !broken.body.contains(Self.canary))

            let logs = server.logs.lines
            #expect(logs.count > refusals.count && logs.contains { $0.contains("\"route\":\"search\"") })
            for line in logs { #expect(!line.contains(Self.canary), "\(line)") }
            let metrics = PrometheusText.render(server.registry)
            #expect(metrics.contains("gantry_requests_total") && !metrics.contains(Self.canary))
        }
    }

    /// Stores, searches and fails in many ways, and returns the answers that say no.
    private static func provoke(_ server: ServerHarness) async throws -> [ServerHarness.Answer] {
        let good = instance(1)
        #expect(try await server.store(good.part10()).status == 200)
        #expect(try await server.store(instance(2).part10()).status == 200)
        #expect(try await server.send(path: "studies?PatientName=CANARY*&includefield=all").body.contains("CANARY"))
        let study = "studies/\(good.studyUID)"
        #expect(try await server.send(path: study + "/metadata").body.contains("CANARYUT"))

        var refusals: [ServerHarness.Answer] = []
        // Files that are refused at each stage.
        for tag in [Tag.studyInstanceUID, .seriesInstanceUID, .sopInstanceUID, .sopClassUID] {
            var dataSet = instance(3).dataSet()
            dataSet.set(DataElement(tag, .UI, .bytes(Array("CANARY".utf8)[...])))
            refusals.append(try await server.store(good.part10(dataSet: TestBytes.encode(dataSet))))
            dataSet.remove(tag)
            refusals.append(try await server.store(good.part10(dataSet: TestBytes.encode(dataSet))))
        }
        refusals.append(try await server.store(Array(instance(4).part10().prefix(700))))
        refusals.append(try await server.store(Array("CANARY CANARY".utf8)))
        var moved = good
        moved.studyUID = "2.25.9"
        refusals.append(try await server.store(moved.part10()))
        // Metadata that cannot be read.
        for (type, text) in [
            ("json", #"[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"CANARY"}]}"#), ("json", #"["CANARY"]"#),
            ("json", #"[{"00100010":{"vr":"CANARY"}}]"#), ("xml", "<NativeDicomModel><CANARY>"), ("xml", "<CANARY/>"),
            ("json", #"[{"7FE00010":{"vr":"OW","BulkDataURI":"CANARY"}}]"#),
        ] {
            let body =
                "--b\r\nContent-Type: application/dicom+\(type)\r\n\r\n\(text)\r\n--b--\r\n"
            refusals.append(
                try await server.send(
                    .post, "studies",
                    [.contentType: "multipart/related; type=\"application/dicom+\(type)\"; boundary=b"],
                    body: Array(body.utf8)))
        }
        // Queries and paths.
        for path in [
            "studies?StudyDate=CANARY", "studies?limit=CANARY", "studies?StudyInstanceUID=CANARY", "studies/CANARY",
            "studies?SeriesNumber=CANARY&PatientName=CANARY&PatientName=CANARY", "series?SeriesNumber=CANARY",
            "studies?fuzzymatching=CANARY", "studies?TimezoneOffsetFromUTC=CANARY", "/CANARY", "CANARY/studies",
            "studies/1/series/2/instances/3/frames/CANARY", "studies/1/series/2/instances/3/bulkdata/CANARY",
            "/changes?after=CANARY", "wado?requestType=CANARY", "wado?requestType=WADO&studyUID=CANARY",
            "studies?%FFCANARY=%FF",
        ] {
            let answer = try await server.send(path: path)
            #expect(answer.status >= 400, "\(path)")
            refusals.append(answer)
        }
        // Header fields; the sender may see their own in the answer, nobody else may.
        _ = try await server.send(
            .get, "studies", [.accept: "CANARY/CANARY", .userAgent: "CANARY", .authorization: "Bearer CANARY"])
        _ = try await server.send(.post, "studies", [.contentType: "CANARY/CANARY"], body: [0])
        _ = try await server.send(.get, "studies?CANARYKEY=CANARY", [.referer: "https://CANARY/"])
        return refusals
    }
}
