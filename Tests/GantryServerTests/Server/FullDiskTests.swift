import BlobStorage
import GantryTesting
import HTTPTypes
import Ingestion
import Metrics
import Observability
import Synchronization
import Testing

@testable import GantryServer

@Suite struct FullDiskTests {
    /// reliability.md REL-07.
    @Test func `a full disk refuses stores before their body, lets the rest go on, and recovers`() async throws {
        let free = Mutex<Int64>(1 << 30)
        let room = StorageRoom(GantryConfiguration().watermarks) {
            BlobSpace(total: 100 << 30, available: free.withLock { $0 })
        }
        try await ServerHarness.run(room: room) { server in
            let instance = TestInstance()
            #expect(try await server.store(instance.part10()).status == 200)
            let watch = StorageWatch(room, metrics: server.registry, logger: server.logger)
            var isFull = await watch.look(wasFull: false)
            #expect(isFull)

            let refused = try await server.store(TestInstance(instance: 2).part10())
            #expect(refused.status == 507 && refused.headers[.retryAfter] != nil)
            #expect(refused.problem?.type == "urn:gantry:problem:insufficient-storage")
            #expect(refused.problem?.advice.contains("disk.highWatermark") == true)
            #expect(try await server.send(.get, "studies").status == 200)
            let ready = try await server.send(.get, "/health/ready")
            #expect(ready.status == 200 && ready.body.contains("degraded") && ready.body.contains("refused"))
            let metrics = try await server.send(.get, "/metrics").body
            #expect(metrics.contains("gantry_disk_refusing 1"))
            #expect(server.logs.lines.filter { $0.contains("instances are refused") }.count == 1)

            free.withLock { $0 = 90 << 30 }
            isFull = await watch.look(wasFull: isFull)
            #expect(!isFull)
            #expect(try await server.store(TestInstance(instance: 2).part10()).status == 200)
            #expect(try await server.send(.get, "/metrics").body.contains("gantry_disk_refusing 0"))
            #expect(try await server.send(.get, "/health/ready").body.contains("degraded") == false)
        }
    }

    @Test func `the marks have to be in their order`() throws {
        var configuration = GantryConfiguration()
        configuration.disk.lowWatermark = 90
        #expect(configuration.contradictions { _ in .builtIn }.map(\.key) == ["disk.lowWatermark"])
    }
}
