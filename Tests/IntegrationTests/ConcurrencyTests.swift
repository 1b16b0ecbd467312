import DICOMCore
import GantryTesting
import NIOHTTP1
import Testing

@Suite("Many clients at once")
struct ConcurrencyTests {
    /// REL-28.
    @Test(.timeLimit(.minutes(3)))
    func `64 clients that store the same instance get equal answers and make one instance`() async throws {
        try await RunningServer.run { server in
            for side in [16, 1000] {
                let image = SampleImage(study: side, rows: side, columns: side)
                let file = image.bytes
                let answers = try await withThrowingTaskGroup(of: StoreAnswer.self) { group in
                    for _ in 0..<64 { group.addTask { try await server.store([file]) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.count == 64)
                #expect(Set(answers.map(\.status)) == [200])
                #expect(Set(answers.map(\.answer.body)).count == 1)
                #expect(try await server.count("instances?StudyInstanceUID=\(image.instance.studyUID)") == 1)
                #expect(try await server.stored(image.path).body == file)
            }
            #expect(try await server.changes().count == 2)
            // On disk small ones lie together in a pack. What a busy bucket did not delete at once is the sweep's.
            let objects = try await TestStorage.objects(of: server.folder)
            #expect(TestStorage.isOnServers ? (2...8).contains(objects.count) : objects.count == 1)
            #expect(RunningServer.temporaryFiles(in: server.folder) == [])
        }
    }

    /// REL-28: different bytes under one UID.
    @Test(.timeLimit(.minutes(3)))
    func `64 clients with different versions of an instance leave one of them whole`() async throws {
        try await RunningServer.run { server in
            let files = (0..<64).map { number in
                var image = SampleImage()
                image.instance.patientName = "Version^\(number)"
                return image.bytes
            }
            let answers = try await withThrowingTaskGroup(of: StoreAnswer.self) { group in
                for file in files { group.addTask { try await server.store([file]) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 200 })
            let kept = try await server.stored(SampleImage().path).body
            #expect(files.contains(kept))
            let name = try await server.get("\(SampleImage().path)/metadata").dataSets.first?.string(for: .patientName)
            #expect(String(decoding: kept, as: UTF8.self).contains(name ?? "none"))
            #expect(try await server.get("studies").dataSets.first?.string(for: .patientName) == name)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `what was deleted is gone with 410 until it is stored again`() async throws {
        try await RunningServer.run { (server) async throws in
            let images = (1...3).map { SampleImage(instance: $0) }
            let study = "studies/\(images[0].instance.studyUID)"
            #expect(try await server.store(images.map(\.bytes)).status == 200)
            #expect(try await server.send(.DELETE, images[0].path).status == 204)
            #expect(try await server.stored(images[0].path).status == 410)
            #expect(try await server.get(images[0].path + "/metadata").status == 410)
            #expect(try await server.send(.DELETE, images[0].path).status == 410)
            #expect(try await server.count("\(study)/instances") == 2)
            #expect(try await server.get("studies").dataSets.first?.int(for: .numberOfStudyRelatedInstances) == 2)
            #expect(try await server.store([images[0].bytes]).status == 200)
            #expect(try await server.stored(images[0].path).body == images[0].bytes)
            #expect(try await server.count("\(study)/instances") == 3)

            #expect(try await server.send(.DELETE, study).status == 204)
            for path in [study, study + "/metadata", images[1].path] {
                #expect(try await server.get(path, ["Accept": "*/*"]).status == 410, "\(path)")
            }
            #expect(try await server.count("studies") == 0)
            #expect(try await server.store(images.map(\.bytes)).status == 200)
            #expect(try await server.get("\(study)/metadata").dataSets.count == 3)
            #expect(try await server.send(.DELETE, "studies/1.2.3").status == 404)
        }
    }

    /// REL-12.
    @Test(.timeLimit(.minutes(3)))
    func `every reader of the change feed sees the same sequence without gaps`() async throws {
        try await RunningServer.run { server in
            let (writers, requests) = (8, 12)
            let total = writers * requests * 2 + writers
            let feeds = try await withThrowingTaskGroup(of: [FeedEntry].self) { group in
                for writer in 1...writers {
                    group.addTask {
                        for request in 0..<requests {
                            let files = [1, 2].map { SampleImage(study: writer, instance: 2 * request + $0).bytes }
                            let answer = try await server.store(files)
                            #expect(answer.status == 200)
                        }
                        let deleted = try await server.send(.DELETE, SampleImage(study: writer).path)
                        #expect(deleted.status == 204)
                        return []
                    }
                }
                for _ in 0..<4 {
                    group.addTask {
                        var seen: [FeedEntry] = []
                        var cursor = ""
                        while seen.count < total {
                            let page = try await server.changePage(
                                after: cursor, limit: Int.random(in: 1...20), wait: 5)
                            seen += page.changes
                            cursor = page.next
                        }
                        return seen
                    }
                }
                var feeds: [[FeedEntry]] = []
                for try await feed in group where !feed.isEmpty { feeds.append(feed) }
                return feeds
            }
            #expect(feeds.count == 4)
            #expect(feeds.allSatisfy { $0 == feeds[0] })
            let sequence = (1...total).map { Int64($0) }
            #expect(feeds.first?.map(\.sequence) == sequence)
            #expect(try await server.changes() == feeds.first)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `paging through 200 instances shows each once`() async throws {
        try await RunningServer.run { server in
            let images = (1...200).map { SampleImage(series: 1 + $0 % 7, instance: $0) }.shuffled()
            for start in stride(from: 0, to: 200, by: 40) {
                #expect(try await server.store(images[start..<start + 40].map(\.bytes)).status == 200)
            }
            for limit in [7, 50, 200] {
                var seen: [String] = []
                while true {
                    let page = try await server.get("instances?limit=\(limit)&offset=\(seen.count)&includefield=all")
                    guard page.status == 200 else {
                        #expect(page.status == 204)
                        break
                    }
                    seen += try page.dataSets.compactMap { $0.string(for: .sopInstanceUID) }
                }
                #expect(seen.count == 200)
                #expect(Set(seen) == Set(images.map(\.instance.sopInstanceUID)))
            }
        }
    }
}
