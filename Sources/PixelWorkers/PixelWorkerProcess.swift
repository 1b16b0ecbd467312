import Glibc
import NIOCore

/// One worker: a process of our own executable, the socket of its jobs, and the memory of their bytes.
///
/// Its calls block. `@unchecked Sendable`: one thread uses it at a time.
final class PixelWorkerProcess: @unchecked Sendable {
    let shared: SharedBytes
    private let process: pid_t
    private let socket: Int32
    private(set) var isAlive = true
    private var message = [UInt8](repeating: 0, count: PixelWorker.messageLength)

    /// - Parameter command: the executable and its arguments.
    init(_ command: [String]) throws(PixelFailure) {
        shared = try SharedBytes()
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw PixelFailure(.unavailable, "the system gives no socket")
        }
        defer { close(ends[1]) }
        guard
            let process = Self.spawn(command, [(ends[1], PixelWorker.socket), (shared.descriptor, PixelWorker.memory)])
        else {
            close(ends[0])
            throw PixelFailure(.unavailable, "the system starts no process")
        }
        self.process = process
        socket = ends[0]
    }

    deinit {
        if isAlive { end() }
        close(socket)
    }

    /// Sends a job whose input is in the shared memory, and waits for the answer.
    func exchange(_ job: PixelJob, seconds: Int) throws(PixelFailure) -> PixelReply {
        let request = job.encoded()
        guard request.count <= message.count else { throw PixelFailure(.badRequest, "the job is too long") }
        guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { throw crashed() }
        try waitForAnswer(seconds: seconds)
        let count = recv(socket, &message, message.count, 0)
        guard count > 0 else { throw crashed() }
        let reply: PixelReply
        do {
            reply = try PixelReply(decoding: message[..<count])
        } catch {
            throw crashed()
        }
        if case .bytes(let count, _) = reply {
            guard count >= 0 else { throw crashed() }
            try shared.refresh(count)
        }
        return reply
    }

    private func waitForAnswer(seconds: Int) throws(PixelFailure) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let deadline = now.tv_sec + seconds
        while true {
            clock_gettime(CLOCK_MONOTONIC, &now)
            var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let ready = Glibc.poll(&poll, 1, Int32(clamping: max(0, deadline - now.tv_sec) * 1000))
            if ready > 0 { return }
            if ready < 0, errno == EINTR { continue }
            end()
            throw PixelFailure(.timedOut, "the frame took longer than \(seconds) s")
        }
    }

    private func crashed() -> PixelFailure {
        end()
        return PixelFailure(.crashed, "the codec failed on this frame")
    }

    private func end() {
        isAlive = false
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    /// Starts a process that has, beside standard error, only these descriptors.
    private static func spawn(_ command: [String], _ descriptors: [(from: Int32, to: Int32)]) -> pid_t? {
        guard let executable = command.first else { return nil }
        // Out of the way of the numbers they are to get, whatever those are taken for here.
        let raised = descriptors.map { fcntl($0.from, F_DUPFD_CLOEXEC, 64) }
        defer { for descriptor in raised where descriptor >= 0 { close(descriptor) } }
        guard raised.allSatisfy({ $0 >= 0 }) else { return nil }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        for (source, target) in zip(raised, descriptors.map(\.to)) {
            posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        // A crash is told in the answer; no backtrace is to be printed with what is in memory.
        var environment: [UnsafeMutablePointer<CChar>?] = [
            strdup("SWIFT_BACKTRACE=enable=no"), strdup("LC_ALL=C.UTF-8"), nil,
        ]
        if let path = getenv("LD_LIBRARY_PATH") {
            environment.insert(strdup("LD_LIBRARY_PATH=" + String(cString: path)), at: 0)
        }
        defer { for variable in environment { free(variable) } }
        var process = pid_t()
        guard posix_spawn(&process, executable, &actions, nil, &arguments, &environment) == 0 else { return nil }
        return process
    }
}
