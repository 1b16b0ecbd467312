import Glibc
import SQLStorage

/// Threads that each own one connection and take work from one queue. A thread starts when there is work and none is idle.
///
/// `@unchecked Sendable`: `lock` guards everything that changes.
final class SQLiteWorkers: @unchecked Sendable {
    /// Runs on a thread of these with its connection, or with the reason why there is none.
    typealias Job = @Sendable (Result<SQLiteConnection, any Error>) -> Void
    /// Opens a connection and calls its argument with it, once.
    typealias Lending = @Sendable ((SQLiteConnection) -> Void) throws -> Void

    private let lend: Lending
    private let limit: Int
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let hasWork: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [Job] = []
    /// Jobs before this index are taken.
    private var head = 0
    private var threads = 0
    private var idle = 0
    private var isClosed = false
    private var whenEnded: [UnsafeContinuation<Void, Never>] = []

    init(limit: Int, lend: @escaping Lending) {
        self.limit = limit
        self.lend = lend
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_mutex_t())
        pthread_mutex_init(lock, nil)
        hasWork = .allocate(capacity: 1)
        hasWork.initialize(to: pthread_cond_t())
        pthread_cond_init(hasWork, nil)
    }

    deinit {
        // Every thread holds a reference: none is left.
        pthread_cond_destroy(hasWork)
        hasWork.deallocate()
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    func submit(_ job: @escaping Job) {
        pthread_mutex_lock(lock)
        guard !isClosed else {
            pthread_mutex_unlock(lock)
            return job(.failure(SQLError.closed))
        }
        jobs.append(job)
        let waiting = jobs.count - head
        if idle >= waiting {
            pthread_cond_signal(hasWork)
        } else if threads < limit {
            startThread()
            if threads == 0 {
                jobs.removeLast()
                pthread_mutex_unlock(lock)
                return job(.failure(SQLError(.connection, "the system gives no thread")))
            }
        }
        pthread_mutex_unlock(lock)
    }

    /// Finishes what was submitted, then ends the threads.
    func close() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            pthread_mutex_lock(lock)
            isClosed = true
            let isEnded = threads == 0
            if !isEnded { whenEnded.append(continuation) }
            pthread_cond_broadcast(hasWork)
            pthread_mutex_unlock(lock)
            if isEnded { continuation.resume() }
        }
    }

    // MARK: - Threads

    /// Called with the lock held.
    private func startThread() {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<SQLiteWorkers>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard code == 0 else { return box.release() }
        pthread_detach(thread)
        threads += 1
    }

    private func run() {
        do {
            try lend { connection in
                while let job = next() { job(.success(connection)) }
                connection.finalize()
            }
        } catch {
            // No connection: whoever waits learns why, and the next one to come tries again.
            while let job = next(waiting: false) { job(.failure(error)) }
        }
        pthread_mutex_lock(lock)
        threads -= 1
        // Work may have come between the last look and now.
        if threads == 0, head < jobs.count { startThread() }
        let ended = threads == 0 && isClosed ? whenEnded : []
        if threads == 0, isClosed { whenEnded = [] }
        pthread_mutex_unlock(lock)
        for continuation in ended { continuation.resume() }
    }

    /// The next job; `nil` when the thread is to end.
    private func next(waiting: Bool = true) -> Job? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while head == jobs.count {
            guard waiting, !isClosed else { return nil }
            idle += 1
            pthread_cond_wait(hasWork, lock)
            idle -= 1
        }
        let job = jobs[head]
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 256 {
            jobs.removeFirst(head)
            head = 0
        }
        return job
    }
}
