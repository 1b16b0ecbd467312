import FoundationEssentials
import GantryTesting
import Glibc
import NIOHTTP1
import Testing

/// Clients and keys that are made beside a running gateway, and the programs of others that use them.
@Suite("Credentials")
struct CredentialTests {
    private static let advice: Comment = "what the tests need is installed by: Scripts/setup test"

    /// Runs `gantry` with the server's data folder, and gives back what it wrote.
    private static func gantry(
        _ arguments: [String], _ server: RunningServer, environment: [String: String] = [:], isLocal: Bool = true
    ) async throws -> String {
        let data = isLocal ? ["--data", server.folder.path + "/data"] : []
        let result = try await IntegrationTests.run(
            RunningServer.program, arguments + data, environment: environment, in: server.folder)
        #expect(result.ending == .exit(0), "\(arguments): \(result.errors)")
        return result.output
    }

    private struct Secret: Decodable {
        var client_secret: String
    }

    /// Makes a client beside the running gateway, waits until it counts, and gives back a token.
    private static func token(_ server: RunningServer, scopes: String) async throws -> String {
        let json = try await gantry(["clients", "create", "tester", "--scope", scopes, "--json"], server)
        let secret = try JSONDecoder().decode(Secret.self, from: Data(json.utf8)).client_secret
        try await eventually("credentials count") { try await server.get("studies").status == 401 }
        let token = try await gantry(
            ["token", "get", server.address, "--client-id", "tester"], server,
            environment: ["GANTRY_CLIENT_SECRET": secret], isLocal: false)
        return token.filter { !$0.isWhitespace }
    }

    @Test(.timeLimit(.minutes(3)))
    func `dicomweb-client and curl work with a token, and not without`() async throws {
        try await RunningServer.run { (server) async throws in
            let token = try await Self.token(server, scopes: "dicomweb.store,dicomweb.read,dicomweb.delete")
            let images =
                (1...4).map { SampleImage(series: 1 + $0 % 2, instance: $0, rows: 16, columns: 24) }
                + [SampleImage(study: 2, rows: 16, columns: 24, frames: 5)]
            for (index, image) in images.enumerated() {
                _ = try server.folder.write(image.bytes, to: "image\(index).dcm")
            }
            let script =
                #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Clients/round_trip.py"
            try #require(access(RealClientTests.python, X_OK) == 0, Self.advice)
            let arguments = [script, server.service, server.folder.path]
            let without = try await IntegrationTests.run(RealClientTests.python, arguments, in: server.folder)
            #expect(without.ending != .exit(0) && without.errors.contains("401"))
            let with = try await IntegrationTests.run(
                RealClientTests.python, arguments, environment: ["DICOMWEB_TOKEN": token], in: server.folder)
            #expect(with.output.hasSuffix("all well\n"), "\(with.output)\(with.errors)")

            // Our own client takes it from the same variable.
            let found = try await Self.gantry(
                ["search", server.service, "--json"], server, environment: ["DICOMWEB_TOKEN": token], isLocal: false)
            #expect(found.contains("0020000D"))
            // Nothing that was not allowed.
            let refused = try await server.get("/admin/clients", ["Authorization": "Bearer \(token)"])
            #expect(refused.status == 403 && refused["www-authenticate"]?.contains("admin") == true)
            // No token is in what the server wrote.
            let log = TemporaryFolder.text(of: server.folder.path + "/server.log") ?? ""
            #expect(!log.contains(token.prefix(60)))
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `SEC-09 a client that is disabled beside the gateway is out within seconds`() async throws {
        try await RunningServer.run { (server) async throws in
            let token = try await Self.token(server, scopes: "dicomweb.read")
            let fields: KeyValuePairs = ["Authorization": "Bearer \(token)"]
            #expect(try await server.get("studies", fields).status == 204)
            _ = try await Self.gantry(["token", "rotate"], server)
            #expect(try await server.get("studies", fields).status == 204, "tokens of the old key go on")
            _ = try await Self.gantry(["clients", "disable", "tester"], server)
            try await eventually("it is out") { try await server.get("studies", fields).status == 401 }
            _ = try await Self.gantry(["clients", "enable", "tester"], server)
            try await eventually("it is in") { try await server.get("studies", fields).status == 204 }
        }
    }

    @Test func `without credentials only loopback is listened on, unless it is said in so many words`() async throws {
        let folder = try TemporaryFolder()
        let arguments = ["serve", "--data", folder.path + "/data", "--port", "0", "--host", "0.0.0.0"]
        let refused = try await IntegrationTests.run(RunningServer.program, arguments, in: folder)
        #expect(refused.ending == .exit(2))
        #expect(refused.errors.contains("--insecure") && refused.errors.contains("gantry clients create"))

        func starts(_ more: [String]) async throws -> String {
            let process = try ChildProcess(
                RunningServer.program, arguments + more, errors: folder.path + "/server.log")
            let text = try await process.output { $0.contains("Try:") }
            process.signal(SIGTERM)
            #expect(try await process.end() == .exit(0))
            return text
        }
        #expect(try await starts(["--insecure"]).contains("open to anybody until"))
        let made = try await IntegrationTests.run(
            RunningServer.program, ["keys", "create", "--data", folder.path + "/data"], in: folder)
        #expect(made.ending == .exit(0) && made.output.contains("gk_"))
        #expect(try await starts([]).contains("with a token or key"))
    }

    /// The lines of the first part of docs/access.md, with another folder and port.
    @Test(.timeLimit(.minutes(2)))
    func `the lines of the page about access work as they stand`() async throws {
        let folder = try TemporaryFolder()
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        let page = try #require(TemporaryFolder.text(of: root + "/docs/access.md"))
        let block = try #require(page.split(separator: "```sh\n").dropFirst().first?.split(separator: "```").first)
        let port = try Self.freePort()
        let lines = block.replacing("/tmp/gantry-access", with: folder.path + "/data")
            .replacing(":8080", with: ":\(port)").replacing("--port 8080", with: "--port \(port)")
        let programs = RunningServer.program.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        let script = """
            set -eu
            cd '\(folder.path)'
            export PATH='\(programs)':"$PATH"
            trap 'kill $(jobs -p)' EXIT
            \(lines)
            """
        let result = try await IntegrationTests.run("bash", ["-c", script], in: folder)
        #expect(result.ending == .exit(0), "\(result.errors)")
        #expect(result.output.contains("HTTP/1.1 401") && result.output.contains("HTTP/1.1 204"))
        #expect(result.output.contains(#""active":true"#) && result.output.contains(#""sub":"mr-1""#))
    }

    /// A port that was free a moment ago.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int? in
                guard bind(descriptor, address, length) == 0, getsockname(descriptor, address, &length) == 0 else {
                    return nil
                }
                return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    Int(UInt16(bigEndian: $0.pointee.sin_port))
                }
            }
        }
        return try #require(port)
    }
}
