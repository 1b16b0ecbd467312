import BlobStorage
import DICOMCore
import FoundationEssentials
import GantryTesting
import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import GantryServer

/// `stow`, `wado` and `core` as three servers that talk over HTTP.
@Suite struct RolesTests {
    /// Resources that tell all there is to tell of the instances that are stored.
    private static let paths: [(path: String, accept: String?)] = {
        let one = TestInstance(study: 1, series: 2, instance: 1)
        let series = "studies/\(one.studyUID)/series/\(one.seriesUID)"
        let instance = "\(series)/instances/\(one.sopInstanceUID)"
        var paths: [(String, String?)] = [
            ("studies", nil), ("studies?includefield=all", nil), ("series", nil), ("instances?includefield=all", nil),
            ("studies?PatientName=smith*&fuzzymatching=true", nil), ("studies?StudyDate=20240101-20240201", nil),
            ("studies?StudyDate=20240115&StudyTime=1000-1100", nil), ("studies?ModalitiesInStudy=OT", nil),
            ("instances?limit=2&offset=1", nil), ("instances?limit=0", nil), ("instances?offset=100", nil),
            ("studies?PatientID=none", nil), ("studies?PatientName=Ç*", nil), ("studies?StudyDate=never", nil),
            ("instances?SOPInstanceUID=\(one.sopInstanceUID)", "application/dicom+xml"),
            ("studies/\(one.studyUID)/series", nil), ("studies/\(one.studyUID)/instances", nil),
            ("studies/9.9/metadata", nil), ("studies/9.9", nil), ("\(instance)/frames/9", nil),
        ]
        for level in ["studies/\(one.studyUID)", series, instance] {
            paths += [("\(level)/metadata", nil), ("\(level)/bulkdata", "*/*"), (level, "*/*")]
        }
        paths += [
            (instance, "application/dicom"), ("\(instance)/frames/1", "application/octet-stream"),
            ("\(instance)/frames/1,2", #"multipart/related; type="application/octet-stream""#),
            ("\(instance)/rendered", "image/png"), ("\(series)/metadata", "application/dicom+xml"),
        ]
        return paths
    }()

    private static let files: [[UInt8]] = {
        var frames = TestInstance(study: 1, series: 2, instance: 1)
        frames.frames = 2
        var other = TestInstance(study: 2, series: 1, instance: 1)
        other.patientName = "Çelik^Ğ=李^四"
        other.characterSet = "ISO_IR 192"
        return [
            TestInstance(study: 1, series: 1, instance: 1), TestInstance(study: 1, series: 1, instance: 2), frames,
            other,
        ].map { $0.part10() }
    }()

    @Test func `three processes answer as one does`() async throws {
        var configuration = GantryConfiguration()
        configuration.server.publicURL = "http://gantry.test"
        try await ServerHarness.run(configuration) { (one) async throws in
            for file in Self.files { #expect(try await one.store(file).status == 200) }
            try await RolesHarness.run { (roles) async throws in
                for file in Self.files { #expect(try await roles.store([file]).status == 200) }
                for (path, accept) in Self.paths {
                    let alone = try await one.send(
                        .get, "/wado-rs/\(path)", accept.map { [.accept: $0] } ?? [:])
                    let together = try await roles.get(path, accept: accept)
                    #expect(together.status == alone.status, "\(path)")
                    for (name, value) in [
                        ("etag", alone.headers[.eTag]), ("warning", alone.headers[.warning]),
                    ] { #expect(together.field(name) == value, "\(name) of \(path)") }
                    guard alone.status == 200 else { continue }
                    #expect(
                        Self.withoutBoundary(together.bytes, together.field("content-type"))
                            == Self.withoutBoundary(alone.bytes, alone.headers[.contentType]), "\(path)")
                }
            }
        }
    }

    /// The body with a multipart's boundary taken out, which is another each time.
    private static func withoutBoundary(_ bytes: [UInt8], _ contentType: String?) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let mark = contentType?.firstRange(of: "boundary="), let contentType else { return text }
        let boundary = contentType[mark.upperBound...].prefix { $0 != ";" }.filter { $0 != "\"" }
        return text.replacing(boundary, with: "")
    }

    @Test func `what went in comes out byte for byte`() async throws {
        try await RolesHarness.run { (roles) async throws in
            let answer = try await roles.store(Self.files)
            #expect(answer.status == 200)
            for (number, file) in zip([(1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1)], Self.files) {
                let instance = TestInstance(study: number.0, series: number.1, instance: number.2)
                let path =
                    "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
                let whole = try await roles.get(path, accept: "application/dicom; transfer-syntax=*")
                #expect(whole.status == 200 && whole.bytes == file)
            }
            #expect(try await roles.objectCount() == 4)
        }
    }

    @Test func `what is there already is not stored again, and other content takes its place while the study is young`()
        async throws
    {
        try await RolesHarness.run { (roles) async throws in
            let first = TestInstance()
            var second = first
            second.modality = "CT"
            #expect(try await roles.store([first.part10()]).status == 200)
            let changes = try await roles.http.send(.GET, "\(roles.core.address)/changes").text
            #expect(try await roles.store([first.part10(), first.part10()]).status == 200)
            #expect(try await roles.http.send(.GET, "\(roles.core.address)/changes").text == changes)
            #expect(try await roles.objectCount() == 1)
            #expect(try await roles.store([second.part10()]).status == 200)
            #expect(try await roles.objectCount() == 1)
            let path = "studies/\(first.studyUID)"
            #expect(try await roles.get("\(path)/metadata").text.contains(#""Value":["CT"]"#))
            let whole = try await roles.get(
                "\(path)/series/\(first.seriesUID)/instances/\(first.sopInstanceUID)",
                accept: "application/dicom; transfer-syntax=*")
            #expect(whole.bytes == second.part10())
        }
    }

    @Test func `what the first keeps is told as a conflict, and leaves nothing in the bucket`() async throws {
        var configuration = GantryConfiguration()
        configuration.store.onConflict = .keepFirst
        try await RolesHarness.run(configuration) { (roles) async throws in
            let first = TestInstance()
            var second = first
            second.modality = "CT"
            var moved = first
            moved.seriesUID = "2.25.77"
            #expect(try await roles.store([first.part10()]).status == 200)
            let answer = try await roles.store([second.part10(), moved.part10()])
            #expect(answer.status == 409 && answer.text.contains("273"))
            #expect(try await roles.objectCount() == 1)
        }
    }

    @Test func `a dry run gives the verdict and keeps nothing`() async throws {
        var configuration = GantryConfiguration()
        configuration.store.onConflict = .keepFirst
        try await RolesHarness.run(configuration) { (roles) async throws in
            let first = TestInstance()
            var second = first
            second.modality = "CT"
            #expect(try await roles.store([first.part10()], query: "?dry-run=true").status == 200)
            #expect(try await roles.objectCount() == 0)
            #expect(try await roles.get("studies").status == 204)
            #expect(try await roles.store([first.part10()]).status == 200)
            #expect(try await roles.store([second.part10()], query: "?dry-run=true").status == 409)
            #expect(try await roles.store([first.part10()], query: "?dry-run=true").status == 200)
            #expect(try await roles.objectCount() == 1)
        }
    }

    @Test func `while the core is down nothing is taken, and nothing stays in the bucket; then all goes on`()
        async throws
    {
        try await RolesHarness.run { (roles) async throws in
            let (first, second) = (TestInstance(), TestInstance(instance: 2))
            #expect(try await roles.store([first.part10()]).status == 200)
            await roles.core.stop()
            // Asking, each has noticed that its connections are closed: now nothing can have got through.
            for role in [roles.stow, roles.wado] {
                #expect(try await roles.http.send(.GET, "\(role.address)/health/ready").status == 503)
                #expect(try await roles.http.send(.GET, "\(role.address)/health/live").status == 200)
            }
            let refused = try await roles.store([second.part10()])
            #expect(refused.status == 503 && refused.field("retry-after") != nil)
            #expect(try await roles.store([second.part10()], query: "?dry-run=true").status == 503)
            #expect(try await roles.objectCount() == 1)
            for path in ["studies", "studies/\(first.studyUID)", "studies/\(first.studyUID)/metadata"] {
                let answer = try await roles.get(path)
                #expect(answer.status == 503 && answer.field("retry-after") != nil, "\(path)")
            }
            let core = try await roles.startCoreAgain()
            #expect(try await roles.store([second.part10()]).status == 200)
            #expect(try await roles.get("studies/\(first.studyUID)/instances").text.contains(second.sopInstanceUID))
            for role in [roles.stow, roles.wado, core] {
                #expect(try await roles.http.send(.GET, "\(role.address)/health/ready").status == 200)
            }
            await core.stop()
        }
    }

    @Test func `many at a time are all there, once`() async throws {
        try await RolesHarness.run { (roles) async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        // Two senders each have the same instances.
                        let files = (1...20).map { TestInstance(series: sender / 2 + 1, instance: $0).part10() }
                        let answer = try await roles.store(files)
                        #expect(answer.status == 200)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await roles.objectCount() == 80)
            let found = try AnswerValue(try await roles.get("instances?limit=1000").bytes)
            #expect(found.list.count == 80)
            let changes = try AnswerValue(
                try await roles.http.send(.GET, "\(roles.core.address)/changes?limit=1000").bytes)
            #expect(changes["changes"]?.list.count == 80)
        }
    }

    @Test func `a role has no paths of the others`() async throws {
        try await RolesHarness.run { (roles) async throws in
            let study = "studies/2.25.1"
            let cases: [(RunningRole, HTTPRequest.Method, String, Int)] = [
                (roles.stow, .get, "/wado-rs/studies", 405), (roles.stow, .get, "/wado-rs/\(study)", 405),
                (roles.stow, .get, "/wado-rs/\(study)/metadata", 404), (roles.stow, .delete, "/dicomweb/\(study)", 405),
                (roles.stow, .get, "/query/\(study)?source=default", 404), (roles.stow, .get, "/", 404),
                (roles.stow, .post, "/", 404), (roles.stow, .get, "/changes", 404),
                (roles.wado, .post, "/stow-rs/studies", 405), (roles.wado, .post, "/stow-rs/\(study)", 405),
                (roles.wado, .delete, "/wado-rs/\(study)", 405), (roles.wado, .post, "/", 404),
                (roles.wado, .get, "/changes", 404), (roles.wado, .get, "/query/\(study)?source=default", 404),
                (roles.core, .get, "/dicomweb/studies", 404), (roles.core, .post, "/stow-rs/studies", 404),
                (roles.core, .get, "/", 405), (roles.core, .get, "/page/app.js", 404),
                (roles.core, .get, "/changes", 200),
            ]
            for (role, method, path, status) in cases {
                let answer = try await roles.http.send(.init(rawValue: method.rawValue), role.address + path)
                #expect(answer.status == status, "\(method) \(path)")
                if status == 405 { #expect(answer.field("allow")?.isEmpty == false, "\(method) \(path)") }
            }
        }
    }
}
