import Archive
import BlobStorage
import DICOMCore
import GantryTesting
import Logging
import NIOCore
import SQLStorage
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct ArchiveDeletingTests {
    private func filled() async throws -> ArchiveFixture {
        let fixture = try await ArchiveFixture()
        var other = TestInstance(series: 2, instance: 1)
        other.modality = "CT"
        other.sopClassUID = "1.2.840.10008.5.1.4.1.1.2"
        try await fixture.store([TestInstance(), TestInstance(instance: 2), other])
        return fixture
    }

    @Test func `an instance that is deleted is gone, and its study counts one less`() async throws {
        let fixture = try await filled()
        let first = TestInstance()
        let (study, series, instance) = try (uid(first.studyUID), uid(first.seriesUID), uid(first.sopInstanceUID))
        guard
            case .found(let deletion) = try await fixture.archive.delete(
                study: study, series: series, instance: instance, now: 1)
        else {
            Issue.record("not found")
            return
        }
        #expect(deletion.instances.count == 1)
        #expect(deletion.blobs.count == 1)
        guard
            case .gone = try await fixture.archive.instances(study: study, series: series, instance: instance)
        else {
            Issue.record("not gone")
            return
        }
        #expect(try await fixture.archive.instances(study: study).value?.instances.count == 2)
        #expect(try await fixture.verify().problems == [])
    }

    @Test func `deleting a series takes its modality and class away`() async throws {
        let fixture = try await filled()
        let other = TestInstance(series: 2)
        _ = try await fixture.archive.delete(study: uid(other.studyUID), series: uid(other.seriesUID), now: 1)
        #expect(try await fixture.search(.study, [match(.modalitiesInStudy, .single("CT"))]).isEmpty)
        #expect(try await fixture.search(.study, [match(.modalitiesInStudy, .single("OT"))]).count == 1)
        #expect(try await fixture.verify().problems == [])
    }

    @Test func `empty parents go with their last instance, and the feed says so`() async throws {
        let fixture = try await ArchiveFixture()
        try await fixture.store([TestInstance()])
        let only = TestInstance()
        let study = try uid(only.studyUID)
        _ = try await fixture.archive.delete(
            study: study, series: uid(only.seriesUID), instance: uid(only.sopInstanceUID), now: 1)
        guard case .gone = try await fixture.archive.documents(study: study) else {
            Issue.record("not gone")
            return
        }
        let changes = try await fixture.archive.changes(after: 1, limit: 10).changes
        #expect(changes.map(\.kind) == [.deleted, .deleted, .deleted])
        #expect(changes.map(\.level) == [.instance, .series, .study])
        #expect(changes.map(\.sequence) == [2, 3, 4])
        #expect(try await fixture.verify().studies == 0)
    }

    @Test func `a deleted instance that is stored again is found`() async throws {
        let fixture = try await filled()
        let first = TestInstance()
        let study = try uid(first.studyUID)
        _ = try await fixture.archive.delete(study: study, now: 1)
        guard case .stored = try await fixture.store(first) else {
            Issue.record("not stored")
            return
        }
        #expect(try await fixture.archive.instances(study: study).value?.instances.count == 1)
        let second = TestInstance(instance: 2)
        guard
            case .gone = try await fixture.archive.instances(
                study: study, series: uid(second.seriesUID), instance: uid(second.sopInstanceUID))
        else {
            Issue.record("the second one is not remembered")
            return
        }
        #expect(try await fixture.verify().problems == [])
    }

    @Test func `a series under another study is unknown`() async throws {
        let fixture = try await filled()
        try await fixture.store([TestInstance(study: 2)])
        let (first, second) = (TestInstance(), TestInstance(study: 2))
        for lookup in [
            try await fixture.archive.instances(study: uid(second.studyUID), series: uid(first.seriesUID)),
            try await fixture.archive.instances(
                study: uid(first.studyUID), series: uid(TestInstance(series: 2).seriesUID),
                instance: uid(first.sopInstanceUID)),
            try await fixture.archive.instances(study: uid("1.2.3")),
        ] {
            guard case .unknown = lookup else {
                Issue.record("not unknown")
                continue
            }
        }
    }

    @Test func `rows of others go into the same transaction as a deletion`() async throws {
        struct Refusal: Error {}
        let fixture = try await filled()
        let study = try uid(TestInstance().studyUID)
        await #expect(throws: Refusal.self) {
            _ = try await fixture.archive.delete(study: study, now: 1) { _, _ in throw Refusal() }
        }
        #expect(try await fixture.archive.instances(study: study).value?.instances.count == 3)
    }

    @Test func `the sweep deletes old blobs that no row names, and no others`() async throws {
        let fixture = try await ArchiveFixture()
        var locations: [BlobLocation] = []
        for _ in 0..<2 {
            let writer = try await fixture.blobs.stage(expectedLength: nil)
            try await writer.write(ByteBuffer(string: "bytes"))
            let staged = try await writer.finish()
            for result in await fixture.blobs.makeDurable([staged]) { locations.append(try result.get()) }
        }
        let entry = try fixture.entry(TestInstance(), blob: locations[0])
        _ = try await fixture.database.write { transaction in
            try ArchiveIndex().store(entry, now: 1, in: transaction)
        }
        let sweep = IntegritySweep(
            database: fixture.database, blobs: fixture.blobs, logger: Logger(label: "test"), clock: { 0 })
        let far: Int64 = 4_000_000_000_000
        let report = try await sweep.sweep(now: far)
        #expect(report.orphans == 1)
        #expect(try await fixture.blobs.read(locations[0], 0..<5).readableBytes == 5)
        await #expect(throws: (any Error).self) { _ = try await fixture.blobs.read(locations[1], 0..<5) }
        let verification = ArchiveVerification(database: fixture.database, blobs: fixture.blobs)
        #expect(try await verification.run(.blobs).problems == [])
        #expect(
            try await verification.run(.digests).problems == [.otherDigest(instance: TestInstance().sopInstanceUID)])
    }
}
