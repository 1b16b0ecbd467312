import DICOMCore
import GantryTesting
import Glibc
import NIOHTTP1
import Testing

/// `stow`, `wado` and `core` as processes over a real bucket.
@Suite("Roles", .serialized)
struct RolesTests {
    /// The three, and what they work on.
    private struct Roles {
        var store: S3Server
        var core: RunningServer
        var stow: RunningServer
        var wado: RunningServer
    }

    private static func bucket(_ store: S3Server) -> [String: String] {
        [
            "objects.s3.endpoint": store.endpoint, "objects.s3.bucket": S3Server.bucket,
            "objects.s3.accessKeyID": S3Server.accessKeyID,
            "objects.s3.secretAccessKey": S3Server.secretAccessKey, "provider": "clinic-a",
        ]
    }

    private static func run(
        coreEnds ending: ChildProcess.Ending = .exit(0), _ body: (Roles, TemporaryFolder) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let store = try await S3Server.start()
        let bucket = bucket(store)
        let core = try await RunningServer.start(
            in: folder, settings: ["role": "core", "provider": "clinic-a"])
        let stow = try await RunningServer.start(
            in: try TemporaryFolder(), settings: bucket.merging(["role": "stow", "core.sink": core.address]) { $1 })
        let wado = try await RunningServer.start(
            in: try TemporaryFolder(),
            settings: bucket.merging(["role": "wado", "core.query": core.address + "/query"]) { $1 })
        do {
            try await body(Roles(store: store, core: core, stow: stow, wado: wado), folder)
        } catch {
            for server in [core, stow, wado] {
                server.kill()
                try await server.disconnect()
            }
            await store.stop()
            throw error
        }
        for server in [stow, wado] { #expect(try await server.stop() == .exit(0)) }
        #expect(try await core.stop() == ending)
        await store.stop()
    }

    @Test(.timeLimit(.minutes(3)))
    func `dicomweb-client stores at one and reads at the other`() async throws {
        try await Self.run { (roles, folder) async throws in
            let images =
                (1...4).map { SampleImage(series: 1 + $0 % 2, instance: $0, rows: 16, columns: 24) }
                + [SampleImage(study: 2, rows: 16, columns: 24, frames: 5)]
            for (index, image) in images.enumerated() { _ = try folder.write(image.bytes, to: "image\(index).dcm") }
            let script =
                #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Clients/round_trip.py"
            let result = try await IntegrationTests.run(
                RealClientTests.python,
                [script, roles.wado.address + "/wado-rs", folder.path, roles.stow.address + "/stow-rs"], in: folder)
            #expect(
                result.ending == .exit(0) && result.output.hasSuffix("all well\n"), "\(result.output)\(result.errors)")
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `many at a time are there once, and the core may be killed meanwhile`() async throws {
        try await Self.run(coreEnds: .signal(SIGKILL)) { (roles, folder) async throws in
            let images = (1...60).map { SampleImage(series: 1 + $0 % 3, instance: $0, rows: 16, columns: 16) }
            for batch in stride(from: 0, to: 60, by: 20) {
                let (stow, files) = (roles.stow, images[batch..<batch + 20].map(\.bytes))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            let answer = try await stow.store(files)
                            #expect(answer.status == 200)
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await roles.wado.count("instances?limit=1000") == 60)
            for image in images.prefix(3) {
                let whole = try await roles.wado.stored(image.path)
                #expect(whole.status == 200 && whole.body == image.bytes)
            }
            roles.core.kill()
            let answer = try await roles.stow.store([SampleImage(instance: 100).bytes])
            #expect(answer.status == 503 && answer.answer["retry-after"] != nil)
            #expect(try await roles.wado.get("studies").status == 503)
            let again = try await RunningServer.start(
                in: folder, settings: ["role": "core", "provider": "clinic-a"], port: roles.core.port)
            #expect(try await roles.wado.count("instances?limit=1000") == 60)
            #expect(try await roles.stow.store([SampleImage(instance: 100).bytes]).status == 200)
            #expect(try await again.stop() == .exit(0))
        }
    }
}
