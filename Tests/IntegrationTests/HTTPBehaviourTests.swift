import GantryTesting
import NIOHTTP1
import Testing

@Suite("HTTP as clients use it")
struct HTTPBehaviourTests {
    private static func post(_ length: Int, _ fields: String) -> String {
        "POST /dicomweb/studies HTTP/1.1\r\nHost: gantry\r\nContent-Length: \(length)\r\n\(fields)\r\n"
    }

    /// dicomweb.md 1.10.
    @Test(.timeLimit(.minutes(3)))
    func `100 Continue comes after the checks, and not when they fail`() async throws {
        try await RunningServer.run(settings: ["limits.bytesPerRequest": "1MiB", "limits.bytesPerPart": "1MiB"]) {
            server in
            let body = StoreBody.multipart([SampleImage().bytes])
            let type = "Content-Type: \(StoreBody.contentType)\r\n"
            // 1. Asked for, and then stored.
            let good = try await RawConnection.open(server)
            try await good.send(Self.post(body.count, type + "Expect: 100-continue\r\n"))
            #expect(await good.answer()?.status == 100)
            try await good.send(body)
            #expect(await good.answer()?.status == 200)
            // The connection can be used again.
            try await good.send(Self.post(body.count, type + "Expect: 100-continue\r\n"))
            #expect(await good.answer()?.status == 100)
            try await good.send(body)
            #expect(await good.answer()?.status == 200)
            await good.close()

            // 2. Refused without it: the body is not wanted, and the connection ends.
            let refusals: [(Int, String, Int)] = [
                (body.count, "Content-Type: text/plain\r\nExpect: 100-continue\r\n", 415),
                (body.count, "Expect: 100-continue\r\n", 415),
                (body.count, type + "Accept: image/png\r\nExpect: 100-continue\r\n", 406),
                (2 << 20, type + "Expect: 100-continue\r\n", 413),
                (body.count, type + "Expect: 200-ok\r\n", 417),
                (body.count, "Content-Type: multipart/related\r\nExpect: 100-continue\r\n", 400),
                (body.count, type + "Content-Encoding: br\r\nExpect: 100-continue\r\n", 415),
            ]
            for (length, fields, status) in refusals {
                let connection = try await RawConnection.open(server)
                try await connection.send(Self.post(length, fields))
                let answer = await connection.answer()
                #expect(answer?.status == status, "\(fields)")
                #expect(answer?.fields["content-type"] == "application/problem+json")
                #expect(answer?.fields["connection"] == "close", "\(fields)")
                #expect(await connection.isClosedByPeer(), "\(fields)")
                await connection.close()
            }
            #expect(try await server.count("instances") == 1)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `a body that is refused does not have to be sent to its end`() async throws {
        try await RunningServer.run(settings: ["limits.bytesPerRequest": "64MiB", "limits.bytesPerPart": "64MiB"]) {
            server in
            for (fields, status) in [
                ("Content-Type: text/plain\r\n", 415), ("Content-Type: application/dicom\r\n", 413),
            ] {
                let connection = try await RawConnection.open(server)
                try await connection.send(Self.post(65 << 20, fields))
                try await connection.send([UInt8](repeating: 0, count: 1 << 16))
                #expect(await connection.answer()?.status == status)
                #expect(await connection.isClosedByPeer())
                await connection.close()
            }
            // A small one is read, so that the connection can go on.
            let connection = try await RawConnection.open(server)
            try await connection.send(Self.post(100, "Content-Type: text/plain\r\n"))
            try await connection.send([UInt8](repeating: 0, count: 100))
            #expect(await connection.answer()?.status == 415)
            try await connection.send("GET /health/live HTTP/1.1\r\nHost: gantry\r\n\r\n")
            #expect(await connection.answer()?.status == 200)
            await connection.close()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `requests sent ahead are answered in their order`() async throws {
        try await RunningServer.run { server in
            let connection = try await RawConnection.open(server)
            var all: [UInt8] = []
            for number in 1...5 {
                let image = SampleImage(instance: number)
                let body = StoreBody.multipart([image.bytes])
                all += Array(Self.post(body.count, "Content-Type: \(StoreBody.contentType)\r\n").utf8) + body
                all += Array("GET /dicomweb/\(image.path)/metadata HTTP/1.1\r\nHost: gantry\r\n\r\n".utf8)
            }
            all += Array("GET /dicomweb/instances HTTP/1.1\r\nHost: gantry\r\nConnection: close\r\n\r\n".utf8)
            try await connection.send(all)
            for number in 1...5 {
                let stored = await connection.answer()
                #expect(stored?.status == 200)
                let instance = SampleImage(instance: number).instance.sopInstanceUID
                #expect(stored?.text.contains(instance) == true)
                let metadata = await connection.answer()
                #expect(metadata?.status == 200)
                #expect(metadata?.text.contains(instance) == true)
            }
            #expect(await connection.answer()?.status == 200)
            #expect(await connection.isClosedByPeer())
            await connection.close()
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `HEAD has the fields of GET and no body`() async throws {
        try await RunningServer.run { server in
            let image = SampleImage()
            _ = try await server.store([image.bytes])
            for path in [image.path, image.path + "/metadata", "studies", "studies/1.2.3", image.path + "/frames/1"] {
                let accept = path.contains("frames") ? "application/octet-stream" : "*/*"
                let get = try await server.get(path, ["Accept": accept])
                let connection = try await RawConnection.open(server)
                try await connection.send(
                    "HEAD /dicomweb/\(path) HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nAccept: \(accept)\r\n\r\n"
                        + "GET /health/live HTTP/1.1\r\nHost: gantry\r\n\r\n")
                let head = await connection.answer(to: "HEAD")
                #expect(head?.status == get.status, "\(path)")
                for name in ["content-length", "etag"] {
                    #expect(head?.fields[name] == get[name], "\(name) of \(path)")
                }
                #expect(
                    head?.fields["content-type"]?.prefix { $0 != ";" } == get["content-type"]?.prefix { $0 != ";" },
                    "\(path)")
                // Whatever comes next on the connection is the next answer, not a body.
                #expect(await connection.answer()?.status == 200, "\(path)")
                await connection.close()
            }
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `a dry run gives the verdict and stores nothing`() async throws {
        try await RunningServer.run { server in
            let images = [SampleImage(instance: 1), SampleImage(instance: 2, rows: 1024, columns: 1024)]
            let answer = try await server.store(
                images.map(\.bytes) + [[UInt8](repeating: 1, count: 500)], query: "?dry-run=true")
            #expect(answer.status == 202)
            #expect(answer.stored.count == 2)
            #expect(answer.others.map(\.reason) == [0xC000])
            #expect(answer.answer["location"] == nil)
            #expect(try await server.count("instances") == 0)
            #expect(try await server.changes() == [])
            #expect(RunningServer.temporaryFiles(in: server.folder) == [])
            #expect(try await TestStorage.objects(of: server.folder) == [])
            #expect(try await server.store(images.map(\.bytes)).status == 200)
            #expect(try await server.count("instances") == 2)
            #expect(try await server.store([images[0].bytes], query: "?dry-run=maybe").status == 400)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `an entity tag is good until the resource changes`() async throws {
        try await RunningServer.run(settings: ["store.onConflict": "replace"]) { server in
            var image = SampleImage()
            _ = try await server.store([image.bytes])
            let study = "studies/\(image.instance.studyUID)"
            for path in [image.path, image.path + "/metadata", study + "/metadata", image.path + "/frames/1"] {
                let accept = path.hasSuffix("frames/1") ? "application/octet-stream" : "*/*"
                func ask(_ tag: String) async throws -> Answer {
                    try await server.get(path, ["Accept": accept, "If-None-Match": tag])
                }
                let tag = try #require(try await server.get(path, ["Accept": accept])["etag"], "\(path)")
                let same = try await ask(tag)
                #expect(same.status == 304, "\(path)")
                #expect(same["etag"] == tag)
                #expect(same.body == [])
                #expect(try await ask("*").status == 304)
                #expect(try await ask("\"other\", W/\(tag)").status == 304)
                #expect(try await ask("\"other\"").status == 200)

                image.instance.patientName = "Name^\(path.utf8.count)"
                #expect(try await server.store([image.bytes]).status == 200)
                let changed = try await ask(tag)
                #expect(changed.status == 200, "\(path)")
                #expect(changed["etag"] != tag)
                if path == image.path { #expect(try await server.stored(path).body == image.bytes) }
            }
            // A study's metadata change when an instance is added.
            let tag = try #require(try await server.get(study + "/metadata")["etag"])
            _ = try await server.store([SampleImage(instance: 2).bytes])
            #expect(try await server.get(study + "/metadata", ["If-None-Match": tag]).status == 200)
        }
    }

    /// The time has full seconds only, so the server keeps it to itself until the second of the change is over.
    @Test(.timeLimit(.minutes(3)))
    func `Last-Modified is good until the resource changes`() async throws {
        try await RunningServer.run(settings: ["store.onConflict": "replace"]) { server in
            var image = SampleImage()
            _ = try await server.store([image.bytes])
            let study = "studies/\(image.instance.studyUID)"
            let paths = [image.path, image.path + "/metadata", study + "/metadata", image.path + "/frames/1", study]
            var dates: [String: String] = [:]
            for path in paths {
                let accept = path.hasSuffix("frames/1") ? "application/octet-stream" : "*/*"
                var date = ""
                try await eventually("Last-Modified comes") {
                    date = try await server.get(path, ["Accept": accept])["last-modified"] ?? ""
                    return !date.isEmpty
                }
                func status(_ since: String, _ tag: String? = nil) async throws -> Int {
                    guard let tag else {
                        return try await server.get(path, ["Accept": accept, "If-Modified-Since": since]).status
                    }
                    return try await server.get(
                        path, ["Accept": accept, "If-Modified-Since": since, "If-None-Match": tag]
                    ).status
                }
                #expect(try await status(date) == 304, "\(path)")
                #expect(try await status("x") == 200, "\(path)")
                #expect(try await status(date, "\"other\"") == 200, "\(path)")
                dates[path] = date
            }
            image.instance.patientName = "Other^Name"
            _ = try await server.store([image.bytes])
            for path in paths {
                let date = try #require(dates[path])
                let accept = path.hasSuffix("frames/1") ? "application/octet-stream" : "*/*"
                let answer = try await server.get(path, ["Accept": accept, "If-Modified-Since": date])
                #expect(answer.status == 200, "\(path)")
            }
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `pages of allowed origins can read every answer, errors included`() async throws {
        let origin = "https://viewer.example"
        try await RunningServer.run(settings: ["cors.origins": origin]) { server in
            let image = SampleImage()
            #expect(try await server.store([image.bytes]).answer["access-control-allow-origin"] == nil)
            for (path, status) in [
                (image.path, 200), ("studies", 200), ("studies/9.9", 404), ("studies/1..2", 400), ("/nowhere", 404),
            ] {
                let answer = try await server.get(path, ["Origin": origin])
                #expect(answer.status == status)
                #expect(answer["access-control-allow-origin"] == origin, "\(path)")
                #expect(answer["access-control-expose-headers"]?.contains("ETag") == true)
                #expect(answer["vary"]?.contains("Origin") == true)
                let other = try await server.get(path, ["Origin": "https://viewer.example.org"])
                #expect(other["access-control-allow-origin"] == nil)
                #expect(other["vary"]?.contains("Origin") == true, "a cache must not mix them: \(path)")
            }
            let preflight = try await server.send(
                .OPTIONS, "studies",
                [
                    "Origin": origin, "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "content-type",
                ])
            #expect(preflight.status == 204)
            #expect(preflight["access-control-allow-methods"]?.contains("POST") == true)
            #expect(preflight["access-control-allow-headers"]?.contains("content-type") == true)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `methods that a resource does not offer are answered with 405 and Allow`() async throws {
        try await RunningServer.run { server in
            for (method, path) in [
                (HTTPMethod.PUT, "studies"), (.PATCH, "studies/1.2"), (.DELETE, "series"), (.POST, "/health/live"),
            ] {
                let answer = try await server.send(method, path)
                #expect(answer.status == 405, "\(method) \(path)")
                #expect(answer["allow"]?.contains("GET") == true, "\(method) \(path)")
            }
        }
    }

    /// RFC 9112 9.3 and 6.3.
    @Test(.timeLimit(.minutes(3)))
    func `a connection of HTTP 1_0 ends with the answer unless it is to be kept`() async throws {
        try await RunningServer.run { server in
            let image = SampleImage()
            _ = try await server.store([image.bytes, SampleImage(instance: 2).bytes])
            let study = "/dicomweb/studies/\(image.instance.studyUID)"

            for fields in ["", "Connection: close\r\n", "Expect: 100-continue\r\n"] {
                let connection = try await RawConnection.open(server)
                try await connection.send("GET /dicomweb/studies HTTP/1.0\r\n\(fields)\r\n")
                let answer = await connection.answer()
                #expect(answer?.status == 200 && answer?.body.isEmpty == false)
                #expect(answer?.fields["connection"] == "close")
                #expect(await connection.isClosedByPeer(), "\(fields)")
                await connection.close()
            }

            let kept = try await RawConnection.open(server)
            for _ in 1...2 {
                try await kept.send("GET /dicomweb/studies HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                let answer = await kept.answer()
                #expect(answer?.status == 200 && answer?.fields["connection"] == "keep-alive")
            }
            // A body of unknown length ends with the connection, and has no chunks.
            try await kept.send("GET \(study) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let answer = await kept.answer()
            #expect(answer?.status == 200 && answer?.fields["transfer-encoding"] == nil)
            #expect(answer?.fields["connection"] == "close")
            let body = await kept.rest()
            let boundary = answer?.fields["content-type"]?.split(separator: "boundary=\"").last?.prefix { $0 != "\"" }
            #expect(String(decoding: body.suffix(200), as: UTF8.self).hasSuffix("--\(boundary ?? "none")--\r\n"))
            await kept.close()
        }
    }
}
