import GantryTesting
import Glibc
import NIOHTTP1
import Testing

@Suite("Graceful stop")
struct GracefulStopTests {
    /// Waits until the server has seen that many stores: something of each is on disk. What is on its way to a bucket is
    /// in memory yet and cannot be seen, but a second is long.
    private static func begun(_ count: Int, in folder: TemporaryFolder) async throws {
        guard !TestStorage.isOnServers else { return try await Task.sleep(for: .seconds(1)) }
        try await eventually("the stores did not begin") { RunningServer.temporaryFiles(in: folder).count == count }
    }

    /// REL-35.
    @Test(.timeLimit(.minutes(3)))
    func `requests in flight finish, new ones are refused, the process ends with 0`() async throws {
        let folder = try TemporaryFolder()
        let server = try await RunningServer.start(in: folder)
        let images = (1...20).map { SampleImage(instance: $0, rows: 1400, columns: 1400) }
        // 1. Twenty stores stand half-way; one connection is idle.
        let idle = try await RawConnection.open(server)
        try await idle.send("GET /health/ready HTTP/1.1\r\nHost: gantry\r\n\r\n")
        #expect(await idle.answer()?.status == 200)
        var stores: [(RawConnection, [UInt8])] = []
        for image in images {
            let connection = try await RawConnection.open(server)
            let body = StoreBody.multipart([image.bytes])
            try await connection.send(
                "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Type: \(StoreBody.contentType)\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n")
            try await connection.send(Array(body.prefix(body.count / 2)))
            stores.append((connection, Array(body.dropFirst(body.count / 2))))
        }
        try await Self.begun(20, in: folder)

        // 2. The signal.
        server.process.signal(SIGTERM)
        #expect(await idle.isClosedByPeer())
        try await eventually("new connections are still taken") {
            guard let late = try? await RawConnection.open(server) else { return true }
            await late.sendAnyway(Array("GET /health/live HTTP/1.1\r\nHost: gantry\r\n\r\n".utf8))
            let isRefused = await late.answer() == nil
            await late.close()
            return isRefused
        }

        // 3. They finish.
        for (connection, rest) in stores { try await connection.send(rest) }
        for (connection, _) in stores {
            #expect(await connection.answer()?.status == 200)
            #expect(await connection.isClosedByPeer())
        }
        #expect(try await server.process.end() == .exit(0))
        try await server.disconnect()
        try await RunningServer.verify(folder)

        // 4. And all is there.
        let again = try await RunningServer.start(in: folder)
        for image in images { #expect(try await again.stored(image.path).body == image.bytes) }
        #expect(try await again.stop() == .exit(0))
    }

    @Test(.timeLimit(.minutes(3)))
    func `a client that never finishes is given up after the configured time`() async throws {
        let folder = try TemporaryFolder()
        let server = try await RunningServer.start(in: folder, settings: ["server.gracefulStop": "1s"])
        _ = try await server.store([SampleImage(study: 2).bytes])
        let connection = try await RawConnection.open(server)
        let body = StoreBody.multipart([SampleImage(rows: 1000, columns: 1000).bytes])
        try await connection.send(
            "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Type: \(StoreBody.contentType)\r\n"
                + "Content-Length: \(body.count)\r\n\r\n")
        try await connection.send(Array(body.dropLast(1000)))
        try await Self.begun(1, in: folder)
        let begin = ContinuousClock.now
        #expect(try await server.stop() == .exit(0))
        #expect(ContinuousClock.now - begin < .seconds(10))
        await connection.close()
        // The next start removes what the client left.
        let again = try await RunningServer.start(in: folder)
        #expect(try await again.count("instances") == 1)
        #expect(try await again.stop() == .exit(0))
        try await RunningServer.verify(folder)
    }
}
