import GantryTesting
import Glibc
import NIOHTTP1
import Testing

/// Clients that go away, stall, trickle or flood.
@Suite("Misbehaving clients")
struct MisbehavingClientTests {
    private static func head(_ length: Int, _ more: String = "") -> String {
        "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Type: \(StoreBody.contentType)\r\n"
            + "Content-Length: \(length)\r\n\(more)\r\n"
    }

    /// REL-27.
    @Test(.timeLimit(.minutes(3)))
    func `a client that stops half-way leaves what was complete and no more`() async throws {
        try await RunningServer.run { server in
            let image = SampleImage(rows: 1200, columns: 1200)
            let body = StoreBody.multipart([image.bytes])
            for tenth in 0..<10 {
                for isReset in [false, true] {
                    let connection = try await RawConnection.open(server)
                    try await connection.send(Self.head(body.count))
                    try await connection.send(Array(body.prefix(body.count * tenth / 10)))
                    if isReset { await connection.reset() } else { await connection.close() }
                }
            }
            try await eventually("what was begun is still there") {
                RunningServer.temporaryFiles(in: server.folder) == []
            }
            #expect(try await server.count("instances") == 0)

            // In chunks, where the end of the body is not known before.
            let connection = try await RawConnection.open(server)
            try await connection.send(
                "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Type: \(StoreBody.contentType)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n")
            try await connection.send(Array(body.prefix(body.count - 100)))
            await connection.close()

            // The first of two parts was whole: it may be there, the second one may not.
            let two = StoreBody.multipart([SampleImage(study: 2).bytes, SampleImage(study: 3).bytes])
            let half = try await RawConnection.open(server)
            try await half.send(Self.head(two.count))
            try await half.send(Array(two.dropLast(60)))
            await half.close()
            try await eventually("what was begun is still there") {
                RunningServer.temporaryFiles(in: server.folder) == []
            }
            #expect(try await server.get("studies/\(image.instance.studyUID)/metadata").status == 404)
            #expect(try await server.get(SampleImage(study: 3).path + "/metadata").status == 404)
            // Sending all again works whatever became of it.
            #expect(
                try await server.store([SampleImage(study: 2).bytes, SampleImage(study: 3).bytes]).status == 200)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `64 stalled clients keep nobody else from being served`() async throws {
        try await RunningServer.run { server in
            let body = StoreBody.multipart([SampleImage(study: 2, rows: 1100, columns: 1100).bytes])
            var stalled: [RawConnection] = []
            for _ in 0..<64 {
                let connection = try await RawConnection.open(server)
                try await connection.send(Self.head(body.count))
                try await connection.send(Array(body.prefix(body.count / 2)))
                stalled.append(connection)
            }
            let begin = ContinuousClock.now
            for number in 1...20 {
                #expect(try await server.store([SampleImage(instance: number).bytes]).status == 200)
                #expect(try await server.count("instances") == number)
            }
            #expect(ContinuousClock.now - begin < .seconds(10))
            // One of them goes on after all.
            try await stalled[0].send(Array(body.dropFirst(body.count / 2)))
            #expect(await stalled[0].answer()?.status == 200)
            for connection in stalled { await connection.close() }
            try await eventually("the stalled clients left files") {
                RunningServer.temporaryFiles(in: server.folder) == []
            }
        }
    }

    /// REL-23.
    @Test(.timeLimit(.minutes(3)))
    func `a flood of header fields is answered with 431 and closed`() async throws {
        try await RunningServer.run { server in
            let long = String(repeating: "x", count: 80 << 10)
            let many = (0..<2_000).map { "X-\($0): y\r\n" }.joined()
            let hundred = (0..<120).map { "X-\($0): y\r\n" }.joined()
            for fields in ["X-Long: \(long)\r\n", many, hundred] {
                let connection = try await RawConnection.open(server)
                await connection.sendAnyway(
                    Array("GET /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\n\(fields)\r\n".utf8))
                #expect(await connection.answer()?.status == 431, "\(fields.prefix(12))… of \(fields.utf8.count) bytes")
                #expect(await connection.isClosedByPeer())
                await connection.close()
            }
            // A part's header has its own limit, and only the part suffers.
            let part = "--\(StoreBody.boundary)\r\nContent-Type: application/dicom\r\nX-Long: \(long)\r\n\r\n"
            let bad = Array(part.utf8) + SampleImage(study: 2).bytes + [0x0D, 0x0A]
            let answer = StoreAnswer(
                try await server.send(
                    .POST, "studies", ["Content-Type": StoreBody.contentType],
                    body: bad + StoreBody.multipart([SampleImage().bytes])))
            #expect(answer.status == 202)
            #expect(answer.others.map(\.reason) == [0xC002])
            #expect(try await server.count("instances") == 1)
        }
    }

    /// REL-22.
    @Test(.timeLimit(.minutes(3)))
    func `a header or body that trickles is cut with 408`() async throws {
        let settings = [
            // The idle time is that of the third client; the others must have begun to send before it is over, however
            // busy the machine is.
            "limits.bodyMinimumWindow": "1s", "limits.headerTimeout": "1s", "limits.idleTimeout": "8s",
        ]
        try await RunningServer.run(settings: settings) { server in
            let body = StoreBody.multipart([SampleImage(rows: 1024, columns: 1024).bytes])
            let slow = try await RawConnection.open(server)
            try await slow.send(Self.head(body.count))
            let header = try await RawConnection.open(server)
            try await header.send("GET /dicomweb/studies HTTP/1.1\r\nX-Slow: ")
            let idle = try await RawConnection.open(server)
            let begin = ContinuousClock.now
            // Eight bytes in each eighth of a second are too few, though the connection is never idle.
            let (slowSender, headerSender) = (slow.sender, header.sender)
            async let trickle: Void = {
                for index in 0..<40 {
                    await slowSender.sendAnyway(Array(body[8 * index..<8 * index + 8]))
                    await headerSender.sendAnyway([0x61])
                    try? await Task.sleep(for: .milliseconds(125))
                }
            }()
            #expect(await slow.answer()?.status == 408)
            #expect(await slow.isClosedByPeer())
            #expect(await header.answer()?.status == 408)
            #expect(await header.isClosedByPeer())
            #expect(await idle.isClosedByPeer())
            #expect(ContinuousClock.now - begin < .seconds(30))
            await trickle
            #expect(try await server.count("instances") == 0)
            try await eventually("the slow client left a file") {
                RunningServer.temporaryFiles(in: server.folder) == []
            }
        }
    }

    /// REL-21, C.4: memory is not taken for what is only announced.
    @Test(.timeLimit(.minutes(3)))
    func `a client that takes nothing of its answer is disconnected`() async throws {
        try await RunningServer.run(settings: ["limits.responseTimeout": "1s"]) { server in
            let image = SampleImage(rows: 4096, columns: 4096)
            #expect(try await server.store([image.bytes]).status == 200)
            let received = try await Self.bytesReceived(
                of: "GET /dicomweb/\(image.path) HTTP/1.1\r\nHost: x\r\n\r\n", port: server.port,
                readingAfter: .seconds(TestStorage.isOnServers ? 10 : 4))
            #expect(received > 0)
            #expect(received < image.bytes.count)
        }
    }

    /// Sends a request, reads nothing for a while, and then all that comes until the connection ends.
    private static func bytesReceived(
        of request: String, port: Int, readingAfter pause: Duration
    ) async throws -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isConnected)
        _ = Array(request.utf8).withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, 0) }
        try await Task.sleep(for: pause)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var count = 0
        while case let read = buffer.withUnsafeMutableBytes({ recv(socket, $0.baseAddress, $0.count, 0) }), read > 0 {
            count += read
        }
        return count
    }

    @Test(.timeLimit(.minutes(3)))
    func `a declared length of 4 GB or more takes no memory`() async throws {
        try await RunningServer.run { server in
            let idle = server.process.memory("VmRSS")
            for length in ["4294967296", "4294967294", "200000000000"] {
                let connection = try await RawConnection.open(server)
                try await connection.send(
                    "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Type: application/dicom\r\n"
                        + "Content-Length: \(length)\r\n\r\n")
                try await connection.send(Array(SampleImage(rows: 30_000, columns: 30_000).head))
                #expect(try await server.count("instances") == 0)
                await connection.close()
            }
            for (length, status) in [("300000000000", 413), ("99999999999999999999", 400), ("-1", 400)] {
                let connection = try await RawConnection.open(server)
                try await connection.send(
                    "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Type: application/dicom\r\n"
                        + "Content-Length: \(length)\r\n\r\n")
                #expect(await connection.answer()?.status == status, "\(length)")
                #expect(await connection.isClosedByPeer(), "\(length)")
            }
            #expect(server.process.memory("VmHWM") - idle < 32 << 10)
            #expect(try await server.count("instances") == 0)
        }
    }

    /// SEC-51.
    @Test(.timeLimit(.minutes(3)))
    func `two framings of one request are refused and the connection closed`() async throws {
        try await RunningServer.run { server in
            for framing in [
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
                "X-A: b\r\n folded\r\nTransfer-Encoding: nonsense\r\n",
            ] {
                let connection = try await RawConnection.open(server)
                try await connection.send(
                    "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Type: application/dicom\r\n\(framing)\r\n"
                        + "0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: gantry\r\n\r\n")
                let answer = await connection.answer()
                #expect(answer?.status == 400, "\(framing)")
                #expect(await connection.isClosedByPeer(), "\(framing)")
            }
        }
    }
}
