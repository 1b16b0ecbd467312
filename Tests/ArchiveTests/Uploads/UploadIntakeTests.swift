import Access
import Archive
import Audit
import BlobStorage
import DICOMCore
import GantryTesting
import Ingestion
import Messaging
import NIOCore
import SQLStorage
import Synchronization
import Testing

struct UploadIntakeTests {
    @Test(arguments: [6, 1500])
    func `an instance is stored as it was put, and what landed goes`(rows: Int) async throws {
        try await UploadHarness.run { harness in
            var instance = TestInstance()
            (instance.rows, instance.columns) = (rows, rows)
            let bytes = instance.part10()
            let session = try await harness.upload(bytes)
            #expect(session.state == .stored)
            #expect(session.result.instances == 1)
            #expect(session.result.studies == [instance.studyUID])
            #expect(try await harness.keys(in: .incoming).isEmpty)
            #expect(try await harness.events().map(\.type) == [.instanceStored])
            let page = try await harness.blobs.storedBlobs(olderThan: .max, after: nil, limit: 10)
            let location = try #require(page.blobs.first)
            #expect(try await Array(harness.blobs.read(location).readableBytesView) == bytes)
            let audit = try await harness.audit()
            #expect(audit.map(\.kind) == [.urlIssued, .urlIssued, .instancesTransferred])
            #expect(audit.allSatisfy { $0.actor.client == "sender" && $0.door == "upload" && $0.requestID == "r1" })
        }
    }

    @Test
    func `an archive's instances are stored, other files are told, clutter is not`() async throws {
        try await UploadHarness.run { harness in
            let archive = TestArchive([
                .init("study/", []),
                .init("study/a.dcm", TestInstance(instance: 1).part10(), isDeflated: true),
                .init("study/deep/b", TestInstance(instance: 2).part10()),
                .init("study/readme.txt", Array("hello".utf8)),
                .init("__MACOSX/._a.dcm", [1, 2, 3]), .init("study/DICOMDIR", [1]), .init(".DS_Store", [1]),
                .init("metadata.json", Array(#"{"PatientAge":"030Y"}"#.utf8)),
            ])
            let session = try await harness.upload(archive.bytes, .init(orderID: "o1"))
            #expect(session.state == .stored)
            #expect(session.result.instances == 2)
            #expect(session.result.failures.map(\.file) == ["study/readme.txt"])
            let sidecar = try #require(harness.orders.sidecars.first)
            #expect(sidecar.json == Array(#"{"PatientAge":"030Y"}"#.utf8))
            #expect(sidecar.orderID == "o1" && sidecar.studies == ["2.25.10001"] && sidecar.upload == session.key)
            #expect(sidecar.principal.client == "sender")
        }
    }

    @Test
    func `metadata that cannot be used are told, and the images stay`() async throws {
        try await UploadHarness.run { harness in
            harness.orders.refusal = "PatientAge is not an age."
            let archive = TestArchive([
                .init("a.dcm", TestInstance().part10()), .init("order.json", Array("{}".utf8)),
            ])
            let session = try await harness.upload(archive.bytes)
            #expect(session.state == .stored)
            #expect(session.result.failures.map(\.reason) == ["PatientAge is not an age."])
        }
    }

    @Test
    func `of several JSON files the one called metadata is taken, and the others are told`() async throws {
        try await UploadHarness.run { harness in
            let archive = TestArchive([
                .init("x/other.json", Array("{}".utf8)), .init("x/y/Metadata.JSON", Array("[2]".utf8)),
                .init("x/Metadata.json", Array("[1]".utf8)), .init("a.dcm", TestInstance().part10()),
            ])
            let session = try await harness.upload(archive.bytes)
            #expect(harness.orders.sidecars.map(\.json) == [Array("[1]".utf8)])
            #expect(session.result.failures.compactMap(\.file).sorted() == ["x/other.json", "x/y/Metadata.JSON"])
        }
    }

    @Test
    func `what is not DICOM is rejected with the reason, and kept in quarantine for its time`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.upload(Array("hello".utf8))
            #expect(session.state == .rejected)
            #expect(session.result.failures.map(\.code) == ["not-dicom"])
            #expect(try await harness.keys(in: .incoming).isEmpty)
            #expect(try await harness.keys(in: .quarantine) == [session.key])
            #expect(try await harness.audit().last?.kind == .requestRefused)
            // The file's own time is the machine's; the sweep's clock goes on from there.
            harness.clock.advance(by: 100_000_000_000)
            try await harness.sweep.sweep()
            #expect(try await harness.keys(in: .quarantine).isEmpty)
        }
    }

    @Test
    func `an instance that the pipeline refuses is rejected with its reason`() async throws {
        try await UploadHarness.run { harness in
            var bytes = TestInstance().part10()
            bytes.removeLast(10)
            let session = try await harness.upload(bytes)
            #expect(session.state == .rejected)
            #expect(session.result.failures.map(\.code) == ["C000"])
        }
    }

    private static let bombs: [(String, TestArchive, ArchiveLimits)] = {
        let instance = TestInstance().part10()
        let good = TestArchive.Entry("good.dcm", instance)
        var encrypted = TestArchive.Entry("secret.dcm", instance)
        encrypted.flags = 1
        var lying = TestArchive.Entry("lying.dcm", instance)
        lying.saidChecksum = 1
        var longer = TestArchive.Entry("longer.dcm", [UInt8](repeating: 0, count: 100_000), isDeflated: true)
        longer.saidLength = 10
        var few = ArchiveLimits()
        few.entries = 2
        var small = ArchiveLimits()
        small.expandedBytes = 50_000
        var dense = ArchiveLimits()
        (dense.ratioFreeBytes, dense.ratio) = (200_000, 10)
        var shortNames = ArchiveLimits()
        shortNames.nameBytes = 10
        let zeros = TestArchive.Entry("zeros.dcm", [UInt8](repeating: 0, count: 1 << 20), isDeflated: true)
        return [
            ("zip-entries", TestArchive([good, good, good]), few),
            ("zip-size", TestArchive([good, zeros]), small),
            ("zip-ratio", TestArchive([good, zeros]), dense),
            ("zip-nested", TestArchive([good, .init("inner.zip", TestArchive([good]).bytes)]), .init()),
            ("zip-nested", TestArchive([good, .init("inner.dcm", [0x1F, 0x8B, 8, 0])]), .init()),
            ("zip-path", TestArchive([good, .init("../up.dcm", instance)]), .init()),
            ("zip-path", TestArchive([good, .init("/etc/passwd", instance)]), .init()),
            ("zip-path", TestArchive([good, .init("a\\..\\..\\up.dcm", instance)]), .init()),
            ("zip-path", TestArchive([good, .init("C:\\up.dcm", instance)]), .init()),
            ("zip-name", TestArchive([good, .init("a-long-name.dcm", instance)]), shortNames),
            ("zip-encrypted", TestArchive([good, encrypted]), .init()),
            ("zip-damaged", TestArchive([good, lying]), .init()),
            ("zip-damaged", TestArchive([good, longer]), .init()),
            ("zip-empty", TestArchive([]), .init()),
        ]
    }()

    @Test(arguments: 0..<bombs.count)
    func `an archive that breaks a limit is rejected as a whole, with the figure`(number: Int) async throws {
        let (code, archive, limits) = Self.bombs[number]
        var configuration = UploadConfiguration()
        configuration.archives = limits
        try await UploadHarness.run(configuration) { harness in
            let session = try await harness.upload(archive.bytes)
            #expect(session.state == .rejected)
            #expect(session.result.failures.map(\.code) == [code])
            #expect(session.result.instances == 0)
            #expect(try await harness.events().isEmpty)
            #expect(try await harness.blobs.storedBlobs(olderThan: .max, after: nil, limit: 10).blobs.isEmpty)
            #expect(try await harness.keys(in: .quarantine) == [session.key])
        }
    }

    @Test
    func `an archive cut off anywhere is rejected and leaves nothing`() async throws {
        let archive = TestArchive([
            .init("a.dcm", TestInstance(instance: 1).part10(), isDeflated: true),
            .init("b.dcm", TestInstance(instance: 2).part10()),
        ]).bytes
        try await UploadHarness.run { harness in
            for length in stride(from: 4, to: archive.count - 1, by: 61) {
                let session = try await harness.upload(Array(archive.prefix(length)))
                #expect(session.state == .rejected, "cut at \(length)")
            }
            #expect(try await harness.events().isEmpty)
        }
    }

    @Test
    func `a link in an archive is told and not followed`() async throws {
        try await UploadHarness.run { harness in
            var link = TestArchive.Entry("link.dcm", Array("/etc/passwd".utf8))
            link.mode = 0o120777
            let session = try await harness.upload(TestArchive([link, .init("a.dcm", TestInstance().part10())]).bytes)
            #expect(session.state == .stored)
            #expect(session.result.failures.map(\.file) == ["link.dcm"])
        }
    }

    @Test
    func `the signature of an archive in a preamble makes no archive of an instance`() async throws {
        try await UploadHarness.run { harness in
            var bytes = TestInstance().part10()
            bytes.replaceSubrange(0..<4, with: [0x50, 0x4B, 0x03, 0x04])
            let session = try await harness.upload(bytes)
            #expect(session.state == .stored)
        }
    }

    @Test
    func `another length than announced is rejected`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.upload(TestInstance().part10(), .init(contentLength: 10))
            #expect(session.state == .rejected)
            #expect(session.result.failures.map(\.code) == ["wrong-length"])
        }
    }

    @Test
    func `an object replaced behind our back is rejected`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.issue()
            try await harness.put(TestInstance().part10(), for: session)
            var object = try #require(try await harness.landing.head(session.key))
            object.etag = "another"
            try await harness.table.receive(object, of: session, at: harness.clock.now)
            // A folder has no entity tags, so nothing is compared; a gone object is told.
            try await harness.landing.delete([session.key], from: .incoming)
            try await harness.intake.ingestSome()
            let ended = try await harness.current(session)
            #expect(ended.state == .rejected)
            #expect(ended.result.failures.map(\.code) == ["gone"])
        }
    }

    @Test
    func `notified twice, swept while handled: registered and ingested once`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.issue()
            try await harness.put(TestInstance().part10(), for: session)
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<32 {
                    group.addTask { try await harness.register(session) }
                    group.addTask { try await harness.sweep.sweep().found > 0 }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == 1)
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 { group.addTask { try await harness.intake.ingestSome() } }
                let count = try await group.reduce(0, +)
                #expect(count == 1)
            }
            #expect(try await harness.current(session).state == .stored)
            #expect(try await harness.events().count == 1)
            #expect(try await harness.audit().map(\.kind) == [.urlIssued, .urlIssued, .instancesTransferred])
        }
    }

    @Test
    func `a worker that dies is followed by another, to the same effect`() async throws {
        let held = HeldSteps()
        try await UploadHarness.run(steps: [held]) { harness in
            let session = try await harness.issue(.init(orderID: "o1"))
            try await harness.put(TestInstance().part10(), for: session)
            try await harness.register(session)
            // The first one stores the instance, and dies before it can end the row: its lease is gone.
            try await harness.intake.ingestSome()
            let key = session.key.description
            try await harness.database.write { [now = harness.clock.now] transaction in
                _ = try transaction.execute(
                    """
                    UPDATE uploads SET state = 'ingesting', ended_at = NULL, lease = 'dead', due_at = \(now + 60_000)
                    WHERE key = \(key)
                    """)
            }
            try await harness.put(TestInstance().part10(), for: session)
            #expect(try await harness.intake.ingestSome() == 0)
            harness.clock.advance(by: 60_000)
            #expect(try await harness.intake.ingestSome() == 1)
            let ended = try await harness.current(session)
            #expect(ended.state == .stored && ended.result.instances == 1 && ended.attempts == 2)
            #expect(try await harness.events().count == 1)
            #expect(held.orders == ["stored o1", "held o1"])
        }
    }

    /// Remembers which instances were stored, and which were held before.
    private final class HeldSteps: IngestionStep {
        private let kept = Mutex<[String]>([])

        var orders: [String] { kept.withLock { $0 } }

        func examine(_ instance: CheckedInstance) async throws -> RefusalCause? { nil }

        func record(_ instances: [RecordedInstance], in transaction: any SQLTransaction) throws {
            kept.withLock { kept in
                kept += instances.map { recorded in
                    let fate = recorded.fate == .identical ? "held" : "stored"
                    return "\(fate) \(recorded.instance.origin.orderID ?? "")"
                }
            }
        }
    }

    @Test
    func `while the database refuses, an upload waits, ever longer, and is stored in the end`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.issue()
            try await harness.put(TestInstance().part10(), for: session)
            try await harness.register(session)
            harness.database.failure = SQLError(.full, "no space")
            await #expect(throws: SQLError.self) { try await harness.intake.ingestSome() }
            harness.database.failure = nil
            #expect(try await harness.intake.ingestSome() == 1)
            #expect(try await harness.current(session).state == .stored)
        }
    }

    @Test
    func `many small uploads of several workers end once each`() async throws {
        try await UploadHarness.run { harness in
            var sessions: [UploadSession] = []
            for number in 1...100 {
                let session = try await harness.issue()
                try await harness.put(TestInstance(instance: number).part10(), for: session)
                try await harness.register(session)
                sessions.append(session)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { while try await harness.intake.ingestSome() > 0 {} }
                }
                try await group.waitForAll()
            }
            for session in sessions {
                let ended = try await harness.current(session)
                #expect(ended.state == .stored && ended.attempts == 1)
            }
            #expect(try await harness.events().count == 100)
            #expect(try await harness.keys(in: .incoming).isEmpty)
        }
    }
}
