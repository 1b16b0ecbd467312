import Archive
import DICOMCore
import DICOMModels
import GantryTesting
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct ArchiveDocumentsTests {
    @Test func `documents are those that the JSON writer makes, with the instance's URL`() async throws {
        let fixture = try await ArchiveFixture()
        var second = TestInstance(instance: 2)
        second.elements = [element(.patientComments, .LT, "Only here")]
        second.characterSet = nil
        let instances = [TestInstance(instance: 3), second, TestInstance(instance: 1)]
        try await fixture.store(instances)
        let study = try uid(second.studyUID)
        let found = try #require(try await fixture.archive.documents(study: study).value)
        #expect(found.documents.map(\.instance.string) == (1...3).map { TestInstance(instance: $0).sopInstanceUID })
        for document in found.documents {
            let instance = try #require(instances.first { $0.sopInstanceUID == document.instance.string })
            let url = "http://h/studies/\(study)/series/\(document.series)/instances/\(document.instance)"
            var writer = DICOMJSONWriter(bulkData: BulkDataPolicy(base: url))
            var expected: [UInt8] = []
            writer.write(try Part10Reader.read(instance.part10()).dataSet, into: &expected)
            #expect(
                String(decoding: document.json(base: "http://h"), as: UTF8.self)
                    == String(decoding: expected, as: UTF8.self))
        }
        var array: [UInt8] = []
        found.writeJSON(base: "http://h", into: &array)
        #expect(try DICOMJSONReader.dataSets(from: array).count == 3)
    }

    @Test func `versions grow with each change of the resource and of nothing else`() async throws {
        let fixture = try await ArchiveFixture()
        let (study, series) = try (uid(TestInstance().studyUID), uid(TestInstance().seriesUID))
        try await fixture.store([TestInstance(), TestInstance(study: 2)])
        let first = try #require(try await fixture.archive.version(study: study).value)
        try await fixture.store([TestInstance(study: 2, instance: 2)])
        #expect(try await fixture.archive.version(study: study).value == first)
        try await fixture.store([TestInstance(series: 2)])
        let second = try #require(try await fixture.archive.version(study: study).value)
        #expect(second > first)
        #expect(try await fixture.archive.version(study: study, series: series).value == first)
        _ = try await fixture.archive.delete(study: study, now: 0)
        try await fixture.store([TestInstance()])
        #expect(try #require(try await fixture.archive.version(study: study).value) > second)
    }

    @Test func `instances come with what a retrieve needs`() async throws {
        let fixture = try await ArchiveFixture()
        var instance = TestInstance()
        instance.frames = 2
        try await fixture.store([instance])
        let found = try #require(try await fixture.archive.instances(study: uid(instance.studyUID)).value)
        let stored = try #require(found.instances.first)
        #expect(stored.identity.instance.string == instance.sopInstanceUID)
        #expect(stored.length == instance.part10().count)
        #expect(stored.transferSyntaxUID == "1.2.840.10008.1.2.1")
        #expect(stored.isFaithful)
        #expect(!stored.frameLayout.isEmpty)
    }

    @Test func `the feed has every change in order, page by page`() async throws {
        let fixture = try await ArchiveFixture()
        await withTaskGroup { group in
            for number in 1...32 {
                group.addTask { _ = try? await fixture.store(TestInstance(study: number)) }
            }
        }
        var cursor: Int64 = 0
        var seen: [Int64] = []
        while true {
            let page = try await fixture.archive.changes(after: cursor, limit: 5)
            guard let last = page.changes.last else { break }
            #expect(page.latest == 32)
            seen += page.changes.map(\.sequence)
            cursor = last.sequence
        }
        #expect(seen == Array(1...32))
    }
}
