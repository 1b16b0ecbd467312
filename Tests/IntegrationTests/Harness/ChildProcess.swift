import Glibc
import NIOPosix
import Synchronization

/// A program that runs as a process of its own, with standard output in a pipe and standard error in a file.
final class ChildProcess: Sendable {
    /// How a process ended.
    enum Ending: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    struct SpawnError: Error {
        var program: String
        var code: Int32
    }

    /// Waiting for a process and reading a pipe block; they must not keep the cooperative threads.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 64)
        pool.start()
        return pool
    }()

    let identifier: pid_t
    private let output: Int32
    private let ending = Mutex<Ending?>(nil)

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], errors: String) throws {
        var pipeEnds: [Int32] = [-1, -1]
        // A pair of sockets serves as the pipe, because it can be had closed on exec from the start: another process that
        // is spawned at the same time must not hold its other end.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &pipeEnds) == 0 else { throw SpawnError(program: program, code: errno) }
        defer { close(pipeEnds[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipeEnds[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)

        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            variables.append(String(cString: variable))
            next += 1
        }
        variables += environment.map { "\($0)=\($1)" }
        var cArguments = ([program] + arguments).map { strdup($0) } + [nil]
        var cVariables = variables.map { strdup($0) } + [nil]
        defer { for text in cArguments + cVariables { free(text) } }
        var identifier: pid_t = 0
        let code = posix_spawnp(&identifier, program, &actions, nil, &cArguments, &cVariables)
        guard code == 0 else {
            close(pipeEnds[0])
            throw SpawnError(program: program, code: code)
        }
        self.identifier = identifier
        output = pipeEnds[0]
    }

    deinit {
        close(output)
        // Only a test that failed half-way leaves it running.
        if ending.withLock({ $0 == nil }) {
            kill(identifier, SIGKILL)
            var status: Int32 = 0
            waitpid(identifier, &status, 0)
        }
    }

    func signal(_ number: Int32) { kill(identifier, number) }

    /// Reads standard output until `isEnough` or its end.
    func output(until isEnough: @escaping @Sendable (String) -> Bool = { _ in false }) async throws -> String {
        let descriptor = output
        return try await Self.threads.runIfActive {
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 4096)
            while !isEnough(String(decoding: bytes, as: UTF8.self)) {
                let count = read(descriptor, &piece, piece.count)
                guard count > 0 else { break }
                bytes += piece[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Waits for the end of the process.
    func end() async throws -> Ending {
        if let known = ending.withLock({ $0 }) { return known }
        let identifier = identifier
        let found = try await Self.threads.runIfActive {
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            return signal == 0 ? Ending.exit((status >> 8) & 0xFF) : .signal(signal)
        }
        ending.withLock { $0 = found }
        return found
    }

    /// Resident memory in KiB: `VmRSS` now, `VmHWM` the most so far.
    func memory(_ name: String) -> Int {
        guard let text = TemporaryFolder.text(of: "/proc/\(identifier)/status"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }),
            let number = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
        else { return 0 }
        return Int(number) ?? 0
    }

    /// Lets `VmHWM` start again from what is resident now.
    func forgetMostMemory() {
        let descriptor = open("/proc/\(identifier)/clear_refs", O_WRONLY)
        guard descriptor >= 0 else { return }
        _ = write(descriptor, "5", 1)
        close(descriptor)
    }
}

/// Runs a program to its end.
func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:], in folder: TemporaryFolder
) async throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
    let errors = folder.path + "/errors-\(UInt32.random(in: 0...UInt32.max))"
    let process = try ChildProcess(program, arguments, environment: environment, errors: errors)
    let output = try await process.output()
    let ending = try await process.end()
    return (ending, output, TemporaryFolder.text(of: errors) ?? "")
}
