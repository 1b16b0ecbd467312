import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// The gateway as a process of its own on a free port of the loopback, with a data folder of its own.
final class RunningServer: Sendable {
    struct StartError: Error, CustomStringConvertible {
        var description: String
    }

    /// The program, which the build puts beside the test bundle.
    static let program: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/gantry"
    }()

    let process: ChildProcess
    let port: Int
    let folder: TemporaryFolder
    let client: HTTPClient

    private init(process: ChildProcess, port: Int, folder: TemporaryFolder) {
        self.process = process
        self.port = port
        self.folder = folder
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 128
        configuration.timeout.connect = .seconds(10)
        configuration.decompression = .disabled
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Starts the gateway on the data in `folder`, and returns when it takes requests.
    static func start(
        in folder: TemporaryFolder, settings: [String: String] = [:], port: Int = 0
    ) async throws -> RunningServer {
        // Tests have to run on a disk that is nearly full, too.
        var arguments = ["serve", "--data", folder.path + "/data", "--port", "\(port)"]
        arguments += ["--set", "disk.highWatermark=100"]
        arguments += ["--set", "disk.lowWatermark=100", "--set", "disk.reserve=0"]
        let storage = settings["role"] == nil ? try await TestStorage.settings(for: folder) : [:]
        for (key, value) in storage.merging(settings, uniquingKeysWith: { $1 }) {
            arguments += ["--set", "\(key)=\(value)"]
        }
        let errors = folder.path + "/server.log"
        let process = try ChildProcess(program, arguments, errors: errors)
        let mark = "/health/ready"
        let text = try await process.output { $0.contains(mark) }
        guard let end = text.range(of: mark), let colon = text[..<end.lowerBound].lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)..<end.lowerBound])
        else {
            throw StartError(
                description: "gantry did not start: \(TemporaryFolder.text(of: errors) ?? "no reason given")")
        }
        return RunningServer(process: process, port: port, folder: folder)
    }

    /// Runs `body` against a fresh gateway, stops it, and checks what it leaves behind: the process ends with 0, `gantry
    /// verify` finds nothing wrong and no temporary file remains.
    static func run(
        settings: [String: String] = [:], isVerified: Bool = true,
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let server = try await start(in: folder, settings: settings)
        do {
            try await body(server)
        } catch {
            server.kill()
            try await server.client.shutdown()
            throw error
        }
        #expect(try await server.stop() == .exit(0))
        if isVerified { try await verify(folder) }
    }

    /// Asks it to stop and waits until it has.
    func stop() async throws -> ChildProcess.Ending {
        try await client.shutdown()
        process.signal(SIGTERM)
        return try await process.end()
    }

    /// Closes the client's connections.
    func disconnect() async throws { try await client.shutdown() }

    /// `kill -9`.
    func kill() { process.signal(SIGKILL) }

    /// `gantry verify`, and no temporary file.
    static func verify(_ folder: TemporaryFolder, depth: String = "digests") async throws {
        var arguments = ["verify", "--data", folder.path + "/data", "--depth", depth]
        for (key, value) in try await TestStorage.settings(for: folder) { arguments += ["--set", "\(key)=\(value)"] }
        let verdict = try await IntegrationTests.run(program, arguments, in: folder)
        #expect(verdict.ending == .exit(0), "\(verdict.output)\(verdict.errors)")
        #expect(temporaryFiles(in: folder) == [])
    }

    /// What is in the data folder beside the index, packs, objects and keys.
    static func temporaryFiles(in folder: TemporaryFolder) -> [String] {
        folder.files(below: "data").filter { file in
            let name = file.dropFirst("data/".count)
            return !name.hasPrefix("packs/") && !name.hasPrefix("objects/") && !name.hasPrefix("index.sqlite")
                && name != "lock" && name != "upload-keys"
        }
    }

    var address: String { "http://127.0.0.1:\(port)" }
    var service: String { address + "/dicomweb" }
}

extension String {
    /// The first place where a text occurs.
    func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
