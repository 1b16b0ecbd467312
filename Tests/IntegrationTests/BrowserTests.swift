import Glibc
import Testing

/// The page in a real Chromium, driven by Clients/browse.py. Never left out: when something is missing, the test fails
/// and says what to run.
@Suite("Browser", .serialized)
struct BrowserTests {
    private static let advice: Comment = "what the tests need is installed by: Scripts/setup test"

    /// Runs a part of the script against a fresh gateway.
    private static func browse(
        _ part: String, _ server: RunningServer, environment: [String: String] = [:]
    ) async throws {
        let chromium = try #require(
            ["chromium", "chromium-browser", "google-chrome"].lazy.compactMap(path(ofProgram:)).first, advice)
        try #require(access(RealClientTests.python, X_OK) == 0, advice)
        let script = #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Clients/browse.py"
        let result = try await IntegrationTests.run(
            RealClientTests.python,
            ["-W", "ignore", script, part, server.address, chromium, server.folder.path + "/samples"],
            environment: environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }, in: server.folder)
        #expect(result.output.hasSuffix("all well\n") && result.ending == .exit(0), "\(result.output)\(result.errors)")
    }

    private static func path(ofProgram name: String) -> String? {
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin"
        return folders.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    @Test(.timeLimit(.minutes(5)))
    func `files are uploaded, found, read and downloaded with pointer and keyboard`() async throws {
        try await RunningServer.run { server in
            try await Self.browse("archive", server)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `who is asked signs in, and everything carries the credential`() async throws {
        try await RunningServer.run { (server) async throws in
            func made(_ arguments: [String], _ member: String) async throws -> String {
                let result = try await IntegrationTests.run(
                    RunningServer.program, arguments + ["--json", "--data", server.folder.path + "/data"],
                    in: server.folder)
                let mark = "\"\(member)\":\""
                let start = try #require(result.output.range(of: mark)?.upperBound, "\(result.errors)")
                return String(result.output[start...].prefix { $0 != "\"" })
            }
            let scopes = "dicomweb.read,dicomweb.store"
            let secret = try await made(["clients", "create", "person", "--scope", scopes], "client_secret")
            let key = try await made(["keys", "create", "--scope", scopes], "key")
            try await eventually("credentials count") { try await server.get("studies").status == 401 }
            try await Self.browse(
                "signin", server, environment: ["API_KEY": key, "CLIENT_ID": "person", "CLIENT_SECRET": secret])
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `images are scrolled, windowed, zoomed and played`() async throws {
        try await RunningServer.run { server in
            try await Self.browse("images", server)
        }
    }
}
