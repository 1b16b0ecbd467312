import Archive
import BlobStorage
import DICOMCore
import GantryTesting
import SQLStorage
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct ArchiveIndexTests {
    @Test func `ten instances of one series in one transaction are counted once each`() async throws {
        let fixture = try await ArchiveFixture()
        let decisions = try await fixture.store((1...10).map { TestInstance(instance: $0) })
        for decision in decisions {
            guard case .stored(let notes) = decision else {
                Issue.record("not stored: \(decision)")
                continue
            }
            #expect(!notes.patientDiffers)
        }
        let result = try await fixture.archive.search(InstanceQuery(level: .study), maximum: 10)
        let study = try result.dataSet(match: 0, base: "http://h")
        #expect(study.int(for: .numberOfStudyRelatedInstances) == 10)
        #expect(study.int(for: .numberOfStudyRelatedSeries) == 1)
        #expect(try await fixture.verify().problems == [])
    }

    @Test func `the same bytes again are identical and change nothing`() async throws {
        let fixture = try await ArchiveFixture()
        _ = try await fixture.store(TestInstance())
        guard case .identical = try await fixture.store(TestInstance()) else {
            Issue.record("not identical")
            return
        }
        #expect(try await fixture.archive.changes(after: 0, limit: 10).latest == 1)
    }

    @Test func `an instance twice in one batch is stored once`() async throws {
        let fixture = try await ArchiveFixture()
        let decisions = try await fixture.store([TestInstance(), TestInstance()])
        guard case .identical = decisions[1] else {
            Issue.record("not identical")
            return
        }
        #expect(try await fixture.verify().instances == 1)
    }

    @Test func `another file with the same data set is identical`() async throws {
        let fixture = try await ArchiveFixture()
        _ = try await fixture.store(TestInstance())
        var other = TestInstance()
        other.patientName = "Other^Name"
        guard case .identical = try await fixture.store(other, isSame: true) else {
            Issue.record("not identical")
            return
        }
    }

    @Test(arguments: [(299_900, true), (300_000, true), (300_100, false)])
    func `other content replaces within five minutes of the study's first instance`(
        age: Int64, isReplaced: Bool
    ) async throws {
        let fixture = try await ArchiveFixture()
        _ = try await fixture.store(TestInstance())
        var other = TestInstance()
        other.patientName = "Other^Name"
        other.modality = "MR"
        let decision = try await fixture.store(other, at: ArchiveFixture.start + age)
        let names = try await fixture.search(.study, [match(.patientName, .personName("other^*", fuzzy: false))])
        switch decision {
        case .replaced:
            #expect(isReplaced)
            #expect(names.count == 1)
            #expect(try await fixture.search(.study, [match(.modalitiesInStudy, .single("MR"))]).count == 1)
        case .conflict(.otherContent):
            #expect(!isReplaced)
            #expect(names.isEmpty)
        default: Issue.record("\(decision)")
        }
        #expect(try await fixture.verify().problems == [])
    }

    @Test func `a study has the modalities of its series, whatever single instances say`() async throws {
        let fixture = try await ArchiveFixture()
        var first = TestInstance(instance: 1)
        first.modality = ""
        var second = TestInstance(instance: 2)
        second.modality = "CT"
        var third = TestInstance(instance: 3)
        third.modality = "MR"
        var otherSeries = TestInstance(series: 2, instance: 4)
        otherSeries.modality = "US"
        for instance in [first, second, third, otherSeries] { _ = try await fixture.store(instance) }
        for (modality, count) in [("CT", 1), ("MR", 0), ("US", 1)] {
            #expect(try await fixture.search(.study, [match(.modalitiesInStudy, .single(modality))]).count == count)
        }
        #expect(try await fixture.verify().problems == [])
    }

    @Test func `the policy can always replace and always keep`() async throws {
        let fixture = try await ArchiveFixture()
        _ = try await fixture.store(TestInstance())
        var other = TestInstance()
        other.patientName = "Other^Name"
        let late = ArchiveFixture.start + 86_400_000
        guard case .conflict(.otherContent) = try await fixture.store(other, duplicates: .keepFirst) else {
            Issue.record("not kept")
            return
        }
        guard case .replaced = try await fixture.store(other, duplicates: .replace, at: late) else {
            Issue.record("not replaced")
            return
        }
    }

    @Test func `an instance of another study or series is a conflict, of another class once the window is over`()
        async throws
    {
        let fixture = try await ArchiveFixture()
        _ = try await fixture.store(TestInstance())
        var other = TestInstance(study: 2)
        other.sopInstanceUID = TestInstance().sopInstanceUID
        guard case .conflict(.otherParent) = try await fixture.store(other) else {
            Issue.record("no conflict of parents")
            return
        }
        var classed = TestInstance()
        classed.sopClassUID = "1.2.840.10008.5.1.4.1.1.2"
        guard case .replaced = try await fixture.store(classed) else {
            Issue.record("not replaced within the window")
            return
        }
        let later = ArchiveFixture.start + 300_001
        guard case .conflict(.otherClass) = try await fixture.store(TestInstance(), at: later) else {
            Issue.record("no conflict of classes")
            return
        }
    }

    @Test func `another Patient ID in the same study is noted and the first one stays`() async throws {
        let fixture = try await ArchiveFixture()
        _ = try await fixture.store(TestInstance())
        var other = TestInstance(instance: 2)
        other.patientID = "P2"
        guard case .stored(let notes) = try await fixture.store(other) else {
            Issue.record("not stored")
            return
        }
        #expect(notes.patientDiffers)
        #expect(try await fixture.search(.study, [match(.patientID, .single("P1"))]).count == 1)
        #expect(try await fixture.search(.study, [match(.patientID, .single("P2"))]).isEmpty)
    }

    @Test func `later instances add attributes that the first one lacks`() async throws {
        let fixture = try await ArchiveFixture()
        _ = try await fixture.store(TestInstance())
        var other = TestInstance(instance: 2)
        other.elements = [element(.studyDescription, .LO, "Head"), element(.seriesDescription, .LO, "Axial")]
        _ = try await fixture.store(other)
        #expect(try await fixture.search(.study, [match(.studyDescription, .single("Head"))]).count == 1)
        #expect(try await fixture.search(.series, [match(.seriesDescription, .wildcard("Ax*"))]).count == 1)
        #expect(try await fixture.search(.study, [match(.patientID, .single("P1"))]).count == 1)
    }

    @Test func `sixty-four tasks that store the same instance make one row`() async throws {
        let fixture = try await ArchiveFixture()
        let stored = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    if case .stored = try await fixture.store(TestInstance()) { true } else { false }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(stored == 1)
        let report = try await fixture.verify()
        #expect(report.problems == [])
        #expect((report.studies, report.series, report.instances) == (1, 1, 1))
        #expect(report.changes == 1)
    }
}
