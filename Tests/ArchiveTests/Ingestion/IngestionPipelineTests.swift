import Archive
import Audit
import BlobStorage
import DICOMCore
import GantryTesting
import Ingestion
import Messaging
import NIOCore
import SQLStorage
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct IngestionPipelineTests {
    @Test func `stores an instance with one event and one audit record`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let bytes = TestInstance().part10()
            let outcome = await harness.store(bytes, pieceLength: 97)
            #expect(outcome.isStored)
            #expect(outcome.warning == nil)
            let location = try #require(harness.blobs.stored.first)
            #expect(Array(try await harness.blobs.read(location).readableBytesView) == bytes)
            #expect(harness.blobs.staged == 0)

            let events = try await harness.events()
            #expect(events.map(\.type) == [.instanceStored])
            let text = String(decoding: try #require(events.first).structuredJSON, as: UTF8.self)
            #expect(text.contains(TestInstance().sopInstanceUID))
            #expect(!text.contains("Smith"))

            let audit = try await harness.audit()
            #expect(audit.map(\.action) == [.create])
            #expect(audit.first?.objects.map(\.instance) == [TestInstance().sopInstanceUID])
            #expect(audit.first?.actor.client == "tester")
        }
    }

    @Test func `the same bytes again are a success without an event`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let bytes = TestInstance().part10()
            #expect(await harness.store(bytes).isStored)
            #expect(await harness.store(bytes, request: "r2").isDuplicate)
            #expect(harness.blobs.stored.count == 1)
            #expect(try await harness.events().count == 1)
            #expect(try await harness.audit().map(\.action) == [.create, .read])
        }
    }

    @Test func `the same data set behind other file meta information is a duplicate`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let instance = TestInstance()
            let other =
                [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + instance.fileMeta(dropping: [0x0013])
                + TestBytes.encode(instance.dataSet())
            #expect(await harness.store(instance.part10()).isStored)
            #expect(await harness.store(other).isDuplicate)
            #expect(harness.blobs.stored.count == 1)
            #expect(try await harness.events().count == 1)
        }
    }

    @Test func `other content replaces within the window and is refused behind it`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            var instance = TestInstance()
            #expect(await harness.store(instance.part10()).isStored)
            let first = harness.blobs.stored
            instance.patientName = "Other^Name"
            harness.clock.advance(by: 300_000)
            #expect(await harness.store(instance.part10()).isStored)
            #expect(harness.blobs.stored.count == 1)
            #expect(harness.blobs.stored != first)
            #expect(try await harness.events().map(\.type) == [.instanceStored, .instanceReplaced])

            instance.patientName = "Third^Name"
            harness.clock.advance(by: 1)
            let kept = harness.blobs.stored
            let outcome = await harness.store(instance.part10())
            #expect(outcome.code == 0x0111)
            #expect(outcome.refusedIdentity != nil)
            #expect(harness.blobs.stored == kept)
            #expect(try await harness.events().count == 2)
            #expect(try await harness.audit().map(\.action) == [.create, .update, .create])
        }
    }

    @Test func `an instance UID under another series is refused, with another class it replaces within the window`()
        async throws
    {
        try await IngestionHarness.run { (harness) async throws in
            var instance = TestInstance()
            #expect(await harness.store(instance.part10()).isStored)
            instance.seriesUID = "2.25.77"
            #expect(await harness.store(instance.part10()).code == 0x0111)
            instance = TestInstance()
            instance.sopClassUID = "1.2.840.10008.5.1.4.1.1.2"
            #expect(await harness.store(instance.part10()).isStored)
            #expect(harness.blobs.stored.count == 1)
        }
    }

    @Test(arguments: IngestionConfiguration.StudyMismatch.allCases)
    func `a data set of another study is stored with a warning or refused`(
        policy: IngestionConfiguration.StudyMismatch
    ) async throws {
        var configuration = IngestionConfiguration()
        configuration.studyMismatch = policy
        try await IngestionHarness.run(configuration) { (harness) async throws in
            let outcome = await harness.store(TestInstance().part10(), targetStudy: "2.25.1")
            switch policy {
            case .warn: #expect(outcome.warning == .studyMismatch)
            case .reject: #expect(outcome.code == 0xA901)
            }
            #expect(outcome.isStored == (policy == .warn))
            #expect(harness.blobs.staged == 0)
        }
    }

    @Test func `another Patient ID in the same study is stored with a warning`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            var instance = TestInstance()
            #expect(await harness.store(instance.part10()).warning == nil)
            instance = TestInstance(instance: 2)
            instance.patientID = "P2"
            let outcome = await harness.store(instance.part10())
            #expect(outcome.warning == .patientDiffers)
            #expect(outcome.warning?.code == 0xB007)
        }
    }

    @Test func `a dry run gives the verdict and stores nothing`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            var instance = TestInstance()
            #expect(await harness.store(instance.part10(), dryRun: true).isStored)
            #expect(await harness.store(Array("text".utf8), dryRun: true).code == 0xC000)
            #expect(harness.blobs.stored.isEmpty)
            #expect(try await harness.events().isEmpty)
            #expect(try await harness.audit().isEmpty)

            #expect(await harness.store(instance.part10()).isStored)
            #expect(await harness.store(instance.part10(), dryRun: true).isDuplicate)
            instance.patientName = "Other^Name"
            harness.clock.advance(by: 300_001)
            #expect(await harness.store(instance.part10(), dryRun: true).code == 0x0111)
            #expect(harness.blobs.stored.count == 1)
            #expect(harness.blobs.staged == 0)
        }
    }

    @Test func `many concurrent instances are committed in few transactions`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let before = harness.database.writes
            let stored = await withTaskGroup(of: Bool.self) { group in
                for number in 1...200 {
                    let bytes = TestInstance(instance: number).part10()
                    group.addTask { await harness.store(bytes, request: "r\(number % 4)").isStored }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(stored == 200)
            #expect(harness.database.writes - before < 100)
            let events = try await harness.events()
            #expect(Set(events.map(\.id)).count == 200)
            #expect(Set(events.map(\.subject)).count == 200)
            let audit = try await harness.audit()
            #expect(audit.reduce(0) { $0 + $1.objects.count } == 200)
            guard case .intact = try await AuditTable(database: harness.database).verify() else {
                Issue.record("the audit chain is broken")
                return
            }
        }
    }

    @Test func `of the same instance at the same time one is stored and the others are duplicates`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let bytes = TestInstance().part10()
            let outcomes = await withTaskGroup(of: IngestionOutcome.self) { group in
                for _ in 0..<32 { group.addTask { await harness.store(bytes) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0.isStored } == 1)
            #expect(outcomes.count { $0.isDuplicate } == 31)
            #expect(harness.blobs.stored.count == 1)
            #expect(try await harness.events().count == 1)
        }
    }

    @Test func `an abandoned receiver leaves nothing`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let origin = IngestionOrigin(door: .stow, requestID: "r1")
            var receiver = await harness.pipeline.receive(expectedLength: nil, origin: origin)
            await receiver.write(ByteBuffer(bytes: TestInstance().part10().prefix(400)))
            #expect(harness.blobs.staged == 1)
            await receiver.abandon()
            #expect(harness.blobs.staged == 0)

            let received = await harness.receive(TestInstance().part10())
            await harness.pipeline.discard(received)
            #expect(harness.blobs.staged == 0)
            #expect(harness.blobs.stored.isEmpty)
        }
    }

    @Test func `a preamble is kept, or zeroed when so configured`() async throws {
        let bytes = Array("MZ".utf8) + TestInstance().part10().dropFirst(2)
        for policy in IngestionConfiguration.Preamble.allCases {
            var configuration = IngestionConfiguration()
            configuration.preamble = policy
            try await IngestionHarness.run(configuration) { (harness) async throws in
                #expect(await harness.store(bytes, pieceLength: 50).isStored)
                let location = try #require(harness.blobs.stored.first)
                let stored = Array(try await harness.blobs.read(location).readableBytesView)
                #expect(stored == (policy == .keep ? bytes : TestInstance().part10()))
            }
        }
    }

    @Test func `an instance beyond the limit is refused, and its rest is drained`() async throws {
        var configuration = IngestionConfiguration()
        configuration.maximumInstanceBytes = 300
        try await IngestionHarness.run(configuration) { (harness) async throws in
            #expect(await harness.store(TestInstance().part10(), pieceLength: 100).code == 0xA701)
            #expect(harness.blobs.staged == 0)
        }
    }

    @Test func `small and large instances survive on disk and come back as they were sent`() async throws {
        try await IngestionHarness.run(isOnDisk: true) { (harness) async throws in
            var large = TestInstance(instance: 2)
            large.rows = 1500
            large.columns = 1500
            for bytes in [TestInstance().part10(), large.part10()] {
                let before = harness.blobs.stored
                #expect(await harness.store(bytes, pieceLength: 70_000).isStored)
                let location = try #require(harness.blobs.stored.subtracting(before).first)
                let stored = try await harness.blobs.read(location, 0..<location.length)
                #expect(Array(stored.readableBytesView) == bytes)
                #expect(await harness.store(bytes).isDuplicate)
            }
            #expect(harness.blobs.stored.count == 2)
        }
    }

    @Test func `after the shutdown instances are refused and nothing waits for ever`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let received = await harness.receive(TestInstance().part10())
            harness.pipeline.shutDown()
            #expect(await harness.pipeline.ingest(received).cause?.isBackendDown == true)
            #expect(harness.blobs.staged == 0)
        }
    }
}
