import DICOMCore
import GantryTesting
import Glibc
import NIOHTTP1
import Testing

/// Images for viewing, made by worker processes.
@Suite("Rendered images")
struct RenderedTests {
    private static var python: String {
        let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
        let cache = getenv("XDG_CACHE_HOME").map { String(cString: $0) } ?? home + "/.cache"
        return cache + "/gantry/venv/bin/python"
    }

    @Test(.timeLimit(.minutes(2)))
    func `samples look as numpy says they should`() async throws {
        try await RunningServer.run { server in
            let script =
                #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Clients/rendered.py"
            try #require(
                access(Self.python, X_OK) == 0, "what the tests need is installed by: Scripts/setup test")
            let result = try await IntegrationTests.run(Self.python, [script, server.service], in: server.folder)
            #expect(
                result.ending == .exit(0) && result.output.hasSuffix("all well\n"), "\(result.output)\(result.errors)")
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `a worker that is killed costs no more than the requests that it had`() async throws {
        try await RunningServer.run(settings: ["pixels.workers": "1"]) { server in
            // 1. A worker that waits.
            let small = SampleImage(instance: 1, rows: 64, columns: 64)
            #expect(try await server.store([small.bytes]).status == 200)
            #expect(try await server.get(small.path + "/rendered").status == 200)
            let first = try #require(Self.workers(of: server).first)
            kill(first, SIGKILL)
            try await eventually("the worker ends") { !Self.isAlive(first) }
            #expect([200, 422].contains(try await server.get(small.path + "/frames/1/rendered").status))
            #expect(try await server.get(small.path + "/frames/1/rendered").status == 200)

            // 2. One in the midst of a frame: it is held, so that it cannot be ready before it is killed.
            let large = SampleImage(instance: 2, rows: 600, columns: 600)
            #expect(try await server.store([large.bytes]).status == 200)
            let second = try #require(Self.workers(of: server).first)
            #expect(second != first)
            kill(second, SIGSTOP)
            async let answer = server.get(large.path + "/rendered")
            try await eventually("the frame is handed over") {
                Self.sharedBytes(of: second) >= large.frameLength
            }
            kill(second, SIGKILL)
            let status = try await answer.status
            #expect(status == 422)
            #expect(try await server.get(large.path + "/rendered").status == 200)
            #expect(try await server.get("/health/ready").status == 200)
            #expect(Self.workers(of: server).count == 1)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `a codestream that lies costs its frame`() async throws {
        try await RunningServer.run { server in
            let good = SampleImage(instance: 1)
            #expect(try await server.store([good.bytes]).status == 200)
            for (number, syntax) in ["4.50", "4.70", "4.80", "4.90", "4.201", "5"].enumerated() {
                var instance = TestInstance(series: 2, instance: number + 1)
                (instance.rows, instance.columns) = (64, 64)
                var set = instance.dataSet()
                set.remove(Tag(0x7FE0, 0x0010))
                // The start of a codestream, then noise.
                let start: [UInt8] =
                    syntax == "4.90" || syntax == "4.201" ? [0xFF, 0x4F, 0xFF, 0x51] : [0xFF, 0xD8, 0xFF, 0xF7]
                let noise = (0..<500).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
                let file = instance.part10(
                    dataSet: TestBytes.encode(set)
                        + TestBytes.element(Tag(0x7FE0, 0x0010), .OB, length: TestBytes.undefined) + TestBytes.item()
                        + TestBytes.item(start + noise) + TestBytes.sequenceEnd,
                    transferSyntaxUID: "1.2.840.10008.1.2.\(syntax)")
                #expect(try await server.store([file]).status == 200, "\(syntax)")
                let path =
                    "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
                let answer = try await server.get(path + "/rendered", ["Accept": "image/jpeg"])
                #expect(answer.status == 422, "\(syntax): \(answer.text.prefix(200))")
                #expect(try await server.get(good.path + "/rendered").status == 200)
            }
        }
    }

    /// The processes of the server that work on pixels.
    private static func workers(of server: RunningServer) -> [pid_t] {
        let own = server.process.identifier
        let text = TemporaryFolder.text(of: "/proc/\(own)/task/\(own)/children") ?? ""
        let children = text.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
        guard children.isEmpty else { return children.filter(isAlive) }
        // The children of other threads than the first are listed with those.
        return TemporaryFolder.names(in: "/proc/\(own)/task").flatMap { thread in
            (TemporaryFolder.text(of: "/proc/\(own)/task/\(thread)/children") ?? "").split(
                whereSeparator: \.isWhitespace
            )
            .compactMap { pid_t($0) }
        }.filter(isAlive)
    }

    /// The length of the memory that a worker shares with the server.
    private static func sharedBytes(of process: pid_t) -> Int {
        var status = stat()
        return stat("/proc/\(process)/fd/4", &status) == 0 ? Int(status.st_size) : 0
    }

    /// Whether it runs; one that has ended and was not waited for yet does not.
    private static func isAlive(_ process: pid_t) -> Bool {
        guard let state = TemporaryFolder.text(of: "/proc/\(process)/stat"), let name = state.lastIndex(of: ")") else {
            return false
        }
        return !state[name...].hasPrefix(") Z")
    }
}
