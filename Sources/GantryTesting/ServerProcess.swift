import Glibc
import NIOPosix
import Synchronization

/// A server that a test needs, as a process of its own. It ends when the test says so, when this value is forgotten, and when the test's
/// process dies, however that comes about: a shell waits for the end of a pipe that only we hold open.
package final class ServerProcess: Sendable {
    /// Why it did not start.
    package struct StartError: Error, CustomStringConvertible {
        package let description: String
    }

    /// The server's own folder. It goes away with this value.
    package let folder: String
    private let shell: pid_t
    private let pipe: Mutex<Int32>
    private let logPath: String

    /// Starts a program and returns what `ready` finds in its output.
    ///
    /// - Parameter ready: gets all output so far, and answers once that says that requests are taken.
    package static func start<Ready>(
        _ program: String, _ arguments: (_ folder: String) -> [String], within limit: Duration = .seconds(60),
        ready: (String) -> Ready?
    ) async throws -> (ServerProcess, Ready) {
        let server = try ServerProcess(program, arguments)
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if let found = ready(server.output) { return (server, found) }
            try await Task.sleep(for: .milliseconds(20))
        }
        let output = server.output
        await server.stop()
        throw StartError(description: "\(program) did not start: \(output.suffix(2000))")
    }

    private init(_ program: String, _ arguments: (String) -> [String]) throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/gantry-server-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw StartError(description: "mkdtemp: \(errno)") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        logPath = folder + "/output.log"
        var ends: [Int32] = [-1, -1]
        // Closed on exec: no other child may hold our end open.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw StartError(description: "socketpair: \(errno)") }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Whatever else is open here is not the server's.
        let script = """
            "$@" </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- & server=$!
            read -r end; kill "$server" 2>/dev/null; wait "$server"
            """
        let words = ["sh", "-c", script, "sh", program] + arguments(folder)
        var cWords = words.map { strdup($0) } + [nil]
        defer { for word in cWords { free(word) } }
        // Our threads block signals that the shell has to get.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, "/bin/sh", &actions, &attributes, &cWords, environ)
        guard code == 0 else {
            close(ends[0])
            throw StartError(description: "/bin/sh: \(code)")
        }
        shell = identifier
        pipe = Mutex(ends[0])
    }

    deinit {
        guard closePipe() else { return }
        let (shell, folder) = (shell, folder)
        NIOThreadPool.singleton.submit { _ in Self.bury(shell, folder) }
    }

    /// All it has written.
    package var output: String {
        let descriptor = open(logPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }

    /// Ends it and removes its folder.
    package func stop() async {
        guard closePipe() else { return }
        let (shell, folder) = (shell, folder)
        try? await NIOThreadPool.singleton.runIfActive { Self.bury(shell, folder) }
    }

    private func closePipe() -> Bool {
        pipe.withLock { pipe in
            guard pipe >= 0 else { return false }
            close(pipe)
            pipe = -1
            return true
        }
    }

    /// Waits for the shell, which waits for the server. Blocks.
    private static func bury(_ shell: pid_t, _ folder: String) {
        var status: Int32 = 0
        while waitpid(shell, &status, 0) < 0, errno == EINTR {}
        remove(folder)
    }

    private static func remove(_ path: String) {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            if unlink(path + "/" + name) != 0 { remove(path + "/" + name) }
        }
        closedir(folder)
        rmdir(path)
    }
}
