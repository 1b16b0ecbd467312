import Foundation
import Glibc
package import PostgreSQLStorage
import Synchronization

/// A PostgreSQL server of the test process's own, on a port of the loopback interface. Ends with the process, however that ends.
package final class PostgreSQLServer: Sendable {
    /// Why the server could not be had.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The port on 127.0.0.1.
    package let port: Int

    private let folder: String
    private let programs: String
    private let settings: [String]
    /// All that were started; the last one may be running. A shell whose leash is let go removes the folder.
    private let launches = Mutex<[Running]>([])
    private let lastDatabase = Mutex(0)

    private struct Running {
        /// The shell that ends the server when its standard input ends.
        var leash: FileHandle
        var postmaster: pid_t
    }

    private static let sharedStart = Task { try await start() }

    /// The server that the tests of this process share: those that stop servers start one of their own.
    package static var shared: PostgreSQLServer {
        get async throws { try await sharedStart.value }
    }

    /// Makes and starts a server.
    ///
    /// - Parameters:
    ///   - isDurable: Whether commits wait for the disk.
    ///   - settings: Further lines for its configuration, such as `max_connections=10`.
    package static func start(isDurable: Bool = false, settings: [String] = []) async throws -> PostgreSQLServer {
        try await onThread {
            let server = try PostgreSQLServer(isDurable: isDurable, settings: settings)
            try server.launch()
            return server
        }
    }

    private init(isDurable: Bool, settings: [String]) throws {
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? [])
            .compactMap { Int($0) }
        guard let version = versions.max() else {
            throw Failure(description: "there is no PostgreSQL in /usr/lib/postgresql; Scripts/setup test installs it")
        }
        programs = "/usr/lib/postgresql/\(version)/bin"
        folder = FileManager.default.temporaryDirectory.path + "/gantry-postgresql-\(UUID().uuidString)"
        port = try Self.freePort()
        self.settings =
            [
                "port=\(port)", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=400",
                "shared_buffers=256MB", "max_wal_size=4GB", "log_min_messages=fatal", "logging_collector=off",
                "deadlock_timeout=50ms",
                "fsync=\(isDurable ? "on" : "off")", "full_page_writes=\(isDurable ? "on" : "off")",
            ] + settings
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // The server refuses to run as root.
        if geteuid() == 0 {
            guard let user = getpwnam("postgres") else { throw Failure(description: "there is no user postgres") }
            chown(folder, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        // Text is sorted by the rules of a language, as in many installations, so that nothing relies on the order of bytes.
        try run([
            "\(programs)/initdb", "--pgdata=\(folder)/data", "--username=gantry", "--auth=trust", "--encoding=UTF8",
            "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en", "--no-sync", "--no-instructions",
        ])
    }

    // MARK: - Databases

    /// Makes an empty database.
    package func makeDatabase() async throws -> PostgreSQLConfiguration {
        let number = lastDatabase.withLock { last in
            last += 1
            return last
        }
        return try await makeDatabase(named: "test\(number)")
    }

    /// Makes an empty database of this name.
    package func makeDatabase(named name: String) async throws -> PostgreSQLConfiguration {
        try await Self.onThread { [self] in
            try run([
                "\(programs)/psql", "--host=127.0.0.1", "--port=\(port)", "--username=gantry", "--dbname=postgres",
                "--no-psqlrc", "--quiet", "--command=CREATE DATABASE \(name) STRATEGY file_copy",
            ])
        }
        return configuration(database: name)
    }

    /// How a database of this server is reached.
    package func configuration(database: String) -> PostgreSQLConfiguration {
        PostgreSQLConfiguration(host: "127.0.0.1", port: port, database: database, user: "gantry", encryption: .disable)
    }

    // MARK: - Life

    /// Starts the server again after `stop` or `kill`.
    package func restart() async throws { try await Self.onThread { [self] in try launch() } }

    /// Ends all sessions and the server, in order.
    package func stop() async throws { try await end(SIGINT) }

    /// Ends the server as a crash would: what is not in the log is lost.
    package func kill() async throws { try await end(SIGQUIT) }

    private func end(_ signal: CInt) async throws {
        guard let pid = launches.withLock({ $0.last?.postmaster }), !Self.hasEnded(pid) else { return }
        try await Self.onThread {
            guard Glibc.kill(pid, signal) == 0 else { throw Failure(description: "the server is gone already") }
            try Self.waitUntil("the server ends") { Self.hasEnded(pid) }
        }
    }

    private func launch() throws {
        let script = """
            "$@" >>"$FOLDER/log" 2>&1 &
            server=$!
            echo $server
            cat >/dev/null
            kill -INT $server 2>/dev/null
            wait $server
            rm -rf "$FOLDER"
            """
        let options = settings.flatMap { ["-c", $0] }
        let words =
            ["sh", "-c", script, "sh"] + Self.asServerUser(["\(programs)/postgres", "-D", "\(folder)/data"] + options)
        // Its end is this process's end: no other child may hold it open.
        let (leash, output) = (try Self.pipe(), try Self.pipe())
        defer { for descriptor in [leash[0], output[0]] { close(descriptor) } }
        let spawned = Self.spawn(words, environment: environment + ["FOLDER=\(folder)"], leash[0], output[1])
        close(output[1])
        guard spawned else { throw Failure(description: "there is no shell") }
        let line = String(decoding: Self.bytes(of: output[0], upTo: UInt8(ascii: "\n")), as: UTF8.self)
        guard let pid = pid_t(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure(description: "the server did not start")
        }
        launches.withLock {
            $0.append(
                Running(leash: FileHandle(fileDescriptor: leash[1], closeOnDealloc: true), postmaster: pid))
        }
        try Self.waitUntil("the server is ready") { [folder] in
            if Self.hasEnded(pid) {
                let log = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
                throw Failure(description: "the server has ended: \(log.suffix(500))")
            }
            let state = (try? String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8)) ?? ""
            let lines = state.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.count > 7 && lines[0] == "\(pid)" && lines[7].hasPrefix("ready")
        }
    }

    // MARK: - Processes

    private static func asServerUser(_ command: [String]) -> [String] {
        guard geteuid() == 0 else { return command }
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + command
    }

    /// Runs a program to its end.
    private func run(_ command: [String]) throws {
        let output = try Self.pipe()
        defer { close(output[0]) }
        // The last line says how it ended.
        let script = "cd \"$FOLDER\"; \"$@\" </dev/null 2>&1; status=$?; echo; echo $status"
        let words = ["sh", "-c", script, "sh"] + Self.asServerUser(command)
        let spawned = Self.spawn(words, environment: environment + ["FOLDER=\(folder)"], output[1], output[1])
        close(output[1])
        let text = spawned ? String(decoding: Self.bytes(of: output[0]), as: UTF8.self) : ""
        guard text.split(separator: "\n").last == "0" else {
            throw Failure(description: "\(command[0]) failed: \(text.suffix(500))")
        }
    }

    private var environment: [String] { ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8"] }

    /// Two ends, closed in other children.
    private static func pipe() throws -> [CInt] {
        var ends: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Failure(description: "there is no pipe")
        }
        return ends
    }

    /// Starts a shell with these as its standard input and output. (Foundation's `Process` reads beyond its buffer where the process
    /// has more than a thousand open files.)
    private static func spawn(
        _ words: [String], environment: [String], _ input: CInt, _ output: CInt
    ) -> Bool {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        // Our threads block signals that it has to get.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var shell: pid_t = 0
        return posix_spawn(&shell, "/bin/sh", &actions, &attributes, &arguments, &variables) == 0
    }

    /// What comes out of a pipe, to its end or to the first of these bytes. Signals may interrupt reading.
    private static func bytes(of pipe: CInt, upTo end: UInt8? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(pipe, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != end else { return bytes }
            bytes.append(byte)
        }
    }

    private static func hasEnded(_ pid: pid_t) -> Bool {
        guard let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        return state.split(separator: ")").last?.contains(" Z ") ?? true
    }

    private static func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !condition() {
            guard ContinuousClock.now < deadline else { throw Failure(description: "waited in vain until \(what)") }
            usleep(10_000)
        }
    }

    /// What blocks runs on a thread of its own.
    private static func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    /// A port that nobody listens on.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard result else { throw Failure(description: "there is no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
