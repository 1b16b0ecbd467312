import AsyncHTTPClient
import GantryTesting
import Glibc
import NIOCore
import NIOHTTP1
import Testing

/// `application/zip` from the real server, read by Info-ZIP and Python.
@Suite("Retrieval as zip", .serialized)
struct ZipRetrieveTests {
    @Test(.timeLimit(.minutes(3)))
    func `other programs unpack a study into the files that were stored`() async throws {
        try await RunningServer.run { server in
            // Small ones, and one that is sent in several pieces.
            let images =
                (1...40).map { SampleImage(series: 1 + $0 % 3, instance: $0, rows: 32, columns: 32) }
                + [SampleImage(series: 4, instance: 1, rows: 1500, columns: 1500)]
            #expect(try await server.store(images.map(\.bytes)).status == 200)
            let answer = try await server.get("studies/\(images[0].instance.studyUID)", ["Accept": "application/zip"])
            #expect(answer.status == 200 && answer["content-type"] == "application/zip")
            let archive = try server.folder.write(answer.body, to: "study.zip")

            let tested = try await run("unzip", ["-t", archive], in: server.folder)
            #expect(tested.ending == .exit(0), "\(tested.output)\(tested.errors)")
            let unpacked = server.folder.path + "/unpacked"
            let python = try await run("python3", ["-m", "zipfile", "-e", archive, unpacked], in: server.folder)
            #expect(python.ending == .exit(0), "\(python.errors)")
            #expect(server.folder.files(below: "unpacked").count == images.count)
            for image in images {
                let file = "\(unpacked)/\(image.instance.seriesUID)/\(image.instance.sopInstanceUID).dcm"
                #expect(TemporaryFolder.bytes(of: file) == image.bytes, "\(file)")
            }
        }
    }

    /// REL-21: memory stays within 64 MiB of an idle server.
    @Test(.timeLimit(.minutes(2)))
    func `the reading waits for a slow client, and ends when it goes away`() async throws {
        try await RunningServer.run { server in
            let images = (1...8).map { SampleImage(instance: $0, rows: 4096, columns: 4096) }
            for image in images { #expect(try await server.store([image.bytes]).status == 200) }
            let length = images.reduce(0) { $0 + $1.bytes.count }
            var request = HTTPClientRequest(url: "\(server.service)/studies/\(images[0].instance.studyUID)")
            request.headers.add(name: "accept", value: "application/zip")

            // 1. A client that takes one piece and then nothing.
            let idle = server.process.memory("VmRSS")
            server.process.forgetMostMemory()
            let before = server.process.bytesRead
            var sockets = 0
            do {
                let response = try await server.client.execute(request, timeout: .seconds(60))
                var pieces = response.body.makeAsyncIterator()
                #expect(try await pieces.next() != nil)
                sockets = server.process.sockets
                var last = -1
                try await eventually("it goes on reading") {
                    defer { last = server.process.bytesRead }
                    return last == server.process.bytesRead
                }
                #expect(server.process.bytesRead - before < length / 4)
            }
            // 2. It has gone away: so does the connection, and nothing more is read.
            try await eventually("the connection is still there") { server.process.sockets < sockets }
            #expect(server.process.bytesRead - before < length / 2)

            // 3. One that takes everything.
            let response = try await server.client.execute(request, timeout: .seconds(60))
            var count = 0
            for try await piece in response.body { count += piece.readableBytes }
            #expect(count > length && count < length + 4096)
            let most = server.process.memory("VmHWM")
            #expect(most - idle <= 64 << 10, "\(idle) KiB idle, \(most) KiB at most")
        }
    }
}

extension ChildProcess {
    /// Bytes that the process has read so far, from wherever.
    fileprivate var bytesRead: Int {
        let text = TemporaryFolder.text(of: "/proc/\(identifier)/io") ?? ""
        return text.split(separator: "\n").first.flatMap { Int($0.drop { !$0.isNumber }) } ?? 0
    }

    /// How many sockets the process holds.
    fileprivate var sockets: Int {
        (0..<1024).count { number in
            var target = [CChar](repeating: 0, count: 7)
            return readlink("/proc/\(identifier)/fd/\(number)", &target, 7) == 7
                && target.elementsEqual("socket:".utf8.lazy.map { CChar(bitPattern: $0) })
        }
    }
}
