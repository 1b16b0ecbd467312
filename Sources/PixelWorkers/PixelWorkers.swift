import DICOMPixels
import NIOCore
import NIOPosix
import Synchronization

/// How pixels are worked on.
package struct PixelWorkersConfiguration: Hashable, Sendable {
    /// Where the work is done.
    package enum Place: Hashable, Sendable {
        /// In processes of this command, so that a crash in a codec costs one frame and not the server.
        case processes(command: [String])
        /// On threads of this process. For tests and tools.
        case threads
    }

    package var place: Place
    /// How many frames are worked on at once.
    package var count: Int
    /// How long one frame may take, in seconds.
    package var timeout: Int
    /// Bytes that a frame without compression may have.
    package var frameBytes: Int

    package init(place: Place, count: Int = 2, timeout: Int = 30, frameBytes: Int = 512 << 20) {
        self.place = place
        self.count = max(1, count)
        self.timeout = timeout
        self.frameBytes = frameBytes
    }
}

/// Decodes, encodes and renders frames, off the cooperative pool and by default outside of this process
/// (security.md: bounded in time and memory, a crash costs one frame).
///
/// Workers start when they are needed and stay. Who wants one waits in line, before it reads any frame.
package final class PixelWorkers: Sendable {
    private struct State {
        var idle: [Worker] = []
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    enum Worker: Sendable {
        case process(PixelWorkerProcess)
        case thread(InProcessWorker)
    }

    package let configuration: PixelWorkersConfiguration
    private let pool: NIOThreadPool
    private let state = Mutex(State())

    package init(_ configuration: PixelWorkersConfiguration) {
        self.configuration = configuration
        pool = NIOThreadPool(numberOfThreads: configuration.count)
        pool.start()
    }

    /// Ends the workers.
    package func close() async {
        state.withLock { $0.idle = [] }
        try? await pool.shutdownGracefully()
    }

    var limits: CodecLimits { CodecLimits(frameBytes: configuration.frameBytes) }

    /// Lends a worker, in turn: `body` reads what it has to work on and gives it jobs.
    package func withWorker<T: Sendable>(
        _ body: (PixelSession) async throws -> T
    ) async throws -> T {
        await turn()
        let taken = state.withLock { $0.idle.popLast() }
        let session = PixelSession(self, taken)
        do {
            let value = try await body(session)
            giveBack(session)
            return value
        } catch {
            giveBack(session)
            throw error
        }
    }

    /// How many frames can be worked on ahead of the one that is wanted next.
    package var parallelism: Int { configuration.count }

    private func turn() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.running >= configuration.count else {
                    state.running += 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func giveBack(_ session: PixelSession) {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            if let worker = session.reusableWorker { state.idle.append(worker) }
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }

    /// Runs blocking work on a thread.
    func blocking<T: Sendable>(
        _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            pool.submit { state in
                continuation.resume(
                    with: Result {
                        guard state == .active else { throw PixelFailure(.unavailable, "the server is ending") }
                        return try body()
                    })
            }
        }
    }

    func makeWorker() throws(PixelFailure) -> Worker {
        switch configuration.place {
        case .processes(let command): .process(try PixelWorkerProcess(command))
        case .threads: .thread(InProcessWorker())
        }
    }
}

/// A worker of this process. `@unchecked Sendable`: one session owns it at a time.
final class InProcessWorker: @unchecked Sendable {
    private var worker = PixelWorker()

    func perform(_ job: PixelJob, _ input: ByteBuffer) -> (PixelReply, ByteBuffer) {
        var output = ByteBuffer()
        let reply = input.withUnsafeReadableBytes { input in
            worker.perform(job, input) { output = ByteBuffer(bytes: $0) }
        }
        return (reply, output)
    }
}
