import DICOMCore
import DICOMWeb
import GantryTesting
import Glibc
import NIOHTTP1
import Testing

@Suite("kill -9 during ingest")
struct CrashTests {
    /// REL-01. On servers two gateways share one database and one bucket.
    @Test(.timeLimit(.minutes(4)))
    func `loses nothing that was acknowledged, in a hundred cycles`() async throws {
        let folder = try TemporaryFolder()
        var ledger = Ledger()
        var slowestStart = Duration.zero
        for cycle in 1...100 {
            let begin = ContinuousClock.now
            var servers = [try await RunningServer.start(in: folder)]
            slowestStart = max(slowestStart, ContinuousClock.now - begin)
            if TestStorage.isOnServers { servers.append(try await RunningServer.start(in: folder)) }
            if cycle > 1 { try await ledger.check(cycle - 1, on: servers[cycle % servers.count]) }
            ledger.sent[cycle] = try await Self.ingest(cycle, into: servers)
            for server in servers {
                try await server.disconnect()
                guard try await server.process.end() == .signal(SIGKILL) else {
                    Issue.record("the gateway ended by itself in cycle \(cycle)")
                    return
                }
            }
        }
        // Everything once more, at the end of all.
        let server = try await RunningServer.start(in: folder)
        for cycle in 1...100 { try await ledger.check(cycle, on: server) }
        try await ledger.checkChanges(on: server)
        #expect(try await server.stop() == .exit(0))
        try await RunningServer.verify(folder)
        #expect(slowestStart < .seconds(TestStorage.isOnServers ? 30 : 10))
        #expect(ledger.acknowledged > 300, "the cycles are too short to prove anything")
    }

    /// Stores on several connections until each process is killed at a moment that nobody knows.
    private static func ingest(_ cycle: Int, into servers: [RunningServer]) async throws -> [Sent] {
        try await withThrowingTaskGroup(of: [Sent].self) { group in
            for connection in 1...4 {
                group.addTask { await store(cycle, connection, to: servers[connection % servers.count]) }
            }
            for server in servers {
                group.addTask {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 60...260)))
                    server.kill()
                    return []
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func store(_ cycle: Int, _ connection: Int, to server: RunningServer) async -> [Sent] {
        var sent: [Sent] = []
        var number = 0
        while true {
            // One connection sends instances of 2 MB, alone, the others small ones, several in a request.
            let side = connection == 1 ? 1000 : 24
            let count = connection == 1 ? 1 : Int.random(in: 1...6)
            let images = (1...count).map { index in
                SampleImage(study: cycle, series: connection, instance: number + index, rows: side, columns: side)
            }
            number += count
            let files = images.map(\.bytes)
            let first = sent.count
            sent += zip(images, files).map { Sent(image: $0, digest: SampleImage.digest($1)) }
            guard let answer = try? await server.store(files) else { return sent }
            guard answer.status == 200 else {
                Issue.record("stored with \(answer.status): \(answer.answer.text)")
                return sent
            }
            let stored = Set(answer.stored.compactMap(\.instance))
            for index in first..<sent.count where stored.contains(sent[index].image.instance.sopInstanceUID) {
                sent[index].isAcknowledged = true
            }
        }
    }
}

/// An instance that was sent, and whether the sender was told that it is stored.
private struct Sent: Sendable {
    var image: SampleImage
    var digest: [UInt8]
    var isAcknowledged = false
}

/// What was sent in each cycle.
private struct Ledger {
    var sent: [Int: [Sent]] = [:]

    var acknowledged: Int { sent.values.reduce(0) { $0 + $1.count(where: \.isAcknowledged) } }

    /// What was acknowledged is there; what is there is what was sent; searches count it.
    func check(_ cycle: Int, on server: RunningServer) async throws {
        let sent = Dictionary(grouping: sent[cycle] ?? [], by: \.image.instance.seriesUID)
        let study = SampleImage(study: cycle).instance.studyUID
        for (series, instances) in sent {
            let path = "studies/\(study)/series/\(series)"
            let acknowledged = Set(instances.filter(\.isAcknowledged).map(\.image.instance.sopInstanceUID))
            let answer = try await server.get(
                path, ["Accept": #"multipart/related; type="application/dicom"; transfer-syntax=*"#])
            if answer.status == 404, acknowledged.isEmpty { continue }
            #expect(answer.status == 200, "cycle \(cycle), \(path)")
            let present = try parts(of: answer)
            let digests = Dictionary(
                instances.map { ($0.image.instance.sopInstanceUID, $0.digest) }, uniquingKeysWith: { $1 })
            for (instance, bytes) in present {
                #expect(
                    digests[instance] == SampleImage.digest(bytes), "cycle \(cycle): \(instance) is not what was sent")
            }
            #expect(acknowledged.subtracting(present.keys).isEmpty, "cycle \(cycle): an acknowledged instance is lost")

            let found = try await server.get("\(path)/instances?limit=10000").dataSets
            #expect(Set(found.compactMap { $0.string(for: .sopInstanceUID) }) == Set(present.keys))
            let row = try await server.get("studies/\(study)/series?SeriesInstanceUID=\(series)").dataSets.first
            #expect(row?.int(for: .numberOfSeriesRelatedInstances) == present.count)
        }
    }

    /// Each acknowledged instance was announced once.
    func checkChanges(on server: RunningServer) async throws {
        let changes = try await server.changes()
        #expect(changes.map(\.sequence) == Array(1...Int64(max(1, changes.count))))
        var announced: [String: Int] = [:]
        for change in changes { announced[change.instance ?? "", default: 0] += 1 }
        for sent in sent.values.joined() where sent.isAcknowledged {
            #expect(announced[sent.image.instance.sopInstanceUID] == 1)
        }
    }

    /// The parts of an answer by the instance that their Content-Location names.
    private func parts(of answer: Answer) throws -> [String: [UInt8]] {
        let boundary = try #require(
            answer["content-type"]?.firstMatch(of: /boundary="?([^";]+)/)?.output.1)
        var parser = MultipartRelatedParser(boundary: try #require(MultipartBoundary(String(boundary))))
        var parts: [String: [UInt8]] = [:]
        var name = ""
        try answer.body.withUnsafeBytes { bytes in
            var offset = 0
            while let event = try parser.next(in: bytes, from: &offset) {
                switch event {
                case .partBegins(let header):
                    let location = header.fields.first { $0.name.lowercased() == "content-location" }?.value ?? ""
                    name = String(location.split(separator: "/").last ?? "")
                    parts[name] = []
                case .bytes(let range): parts[name]?.append(contentsOf: bytes[range])
                case .heldBytes(let bytes): parts[name]?.append(contentsOf: bytes)
                case .partEnds: break
                }
            }
        }
        return parts
    }
}
