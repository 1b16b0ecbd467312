import Glibc
import SQLStorage

/// Threads that each own one connection and take work from one queue. A thread starts when there is work and none is idle; it
/// opens its connection when it needs one, and another when the server has closed it.
///
/// `@unchecked Sendable`: `lock` guards everything that changes.
final class PostgreSQLWorkers: @unchecked Sendable {
    /// What became of a piece of work.
    enum Verdict {
        case done
        /// The connection was lost before anything was committed: another one may do it.
        case again(SQLError)
    }

    /// Runs on a thread of these with its connection, or with the reason why there is none; then the verdict is `done`.
    typealias Job = @Sendable (Result<PostgreSQLConnection, SQLError>) -> Verdict

    private struct Waiting {
        var job: Job
        /// Until when it may wait for a connection.
        var deadline: Int
    }

    private let configuration: PostgreSQLConfiguration
    private let outage: ServerOutage
    private let limit: Int
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let hasWork: UnsafeMutablePointer<pthread_cond_t>
    /// Tells the watch that work waits.
    private let isWaiting: UnsafeMutablePointer<pthread_cond_t>
    private var queue: [Waiting] = []
    /// Jobs before this index are taken.
    private var head = 0
    private var threads = 0
    private var idle = 0
    /// Threads that have a connection.
    private var connected = 0
    private var hasWatch = false
    private var isWatchAsleep = false
    private var isClosed = false
    private var first: PostgreSQLConnection?
    private var whenEnded: [UnsafeContinuation<Void, Never>] = []

    /// How often a piece of work gets another connection.
    private static let attempts = 3

    /// - Parameter first: A connection that is open already.
    init(
        _ configuration: PostgreSQLConfiguration, limit: Int, outage: ServerOutage, first: PostgreSQLConnection? = nil
    ) {
        self.configuration = configuration
        self.limit = max(1, limit)
        self.outage = outage
        self.first = first
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_mutex_t())
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        hasWork = .allocate(capacity: 1)
        hasWork.initialize(to: pthread_cond_t())
        pthread_cond_init(hasWork, &attributes)
        isWaiting = .allocate(capacity: 1)
        isWaiting.initialize(to: pthread_cond_t())
        pthread_cond_init(isWaiting, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        // Every thread holds a reference: none is left.
        pthread_cond_destroy(hasWork)
        hasWork.deallocate()
        pthread_cond_destroy(isWaiting)
        isWaiting.deallocate()
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    func submit(_ job: @escaping Job) {
        pthread_mutex_lock(lock)
        let waiting = queue.count - head
        if isClosed || waiting >= configuration.queueLimit {
            let error = isClosed ? .closed : outage.error ?? SQLError(.busy, "\(waiting) transactions wait already")
            pthread_mutex_unlock(lock)
            _ = job(.failure(error))
            return
        }
        queue.append(Waiting(job: job, deadline: ServerLink.now + configuration.waitTimeout))
        if idle > waiting {
            pthread_cond_signal(hasWork)
        } else if threads < limit, startThread({ $0.work() }) {
            threads += 1
        } else if threads == 0 {
            queue.removeLast()
            pthread_mutex_unlock(lock)
            _ = job(.failure(SQLError(.connection, "the system gives no thread")))
            return
        } else if isWatchAsleep {
            isWatchAsleep = false
            pthread_cond_signal(isWaiting)
        } else if !hasWatch, startThread({ $0.watch() }) {
            hasWatch = true
        }
        pthread_mutex_unlock(lock)
    }

    /// Takes no more work; what was submitted is done, then the threads end.
    func beginClosing() {
        pthread_mutex_lock(lock)
        isClosed = true
        first = nil
        pthread_cond_broadcast(hasWork)
        pthread_cond_broadcast(isWaiting)
        pthread_mutex_unlock(lock)
    }

    /// Finishes what was submitted, then ends the threads.
    func close() async {
        beginClosing()
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            pthread_mutex_lock(lock)
            let isEnded = threads == 0
            if !isEnded { whenEnded.append(continuation) }
            pthread_mutex_unlock(lock)
            if isEnded { continuation.resume() }
        }
    }

    // MARK: - Threads

    /// What a thread is given.
    private final class Errand: Sendable {
        let workers: PostgreSQLWorkers
        let run: @Sendable (PostgreSQLWorkers) -> Void

        init(_ workers: PostgreSQLWorkers, _ run: @escaping @Sendable (PostgreSQLWorkers) -> Void) {
            self.workers = workers
            self.run = run
        }
    }

    private func startThread(_ run: @escaping @Sendable (PostgreSQLWorkers) -> Void) -> Bool {
        var thread = pthread_t()
        let errand = Unmanaged.passRetained(Errand(self, run))
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let errand = Unmanaged<Errand>.fromOpaque(argument).takeRetainedValue()
                errand.run(errand.workers)
                return nil
            }, errand.toOpaque())
        guard code == 0 else {
            errand.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func work() {
        pthread_mutex_lock(lock)
        var connection = first
        first = nil
        if connection != nil { connected += 1 }
        pthread_mutex_unlock(lock)
        var isNeeded = true
        while isNeeded, let waiting = next() { isNeeded = serve(waiting, &connection) }
        setConnected(&connection, nil)
        pthread_mutex_lock(lock)
        threads -= 1
        let ended = threads == 0 && isClosed ? whenEnded : []
        if threads == 0, isClosed { whenEnded = [] }
        pthread_mutex_unlock(lock)
        for continuation in ended { continuation.resume() }
    }

    /// The next job; `nil` when the thread is to end.
    private func next() -> Waiting? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while head == queue.count {
            guard !isClosed else { return nil }
            idle += 1
            pthread_cond_wait(hasWork, lock)
            idle -= 1
        }
        return takeFirst()
    }

    /// Called with the lock held and something in the queue.
    private func takeFirst() -> Waiting {
        let waiting = queue[head]
        head += 1
        if head == queue.count {
            queue.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 256 {
            queue.removeFirst(head)
            head = 0
        }
        return waiting
    }

    // MARK: - Connections

    /// Does the work, on another connection when the first one is lost. Answers whether the thread is to go on: `false` when it
    /// finds no connection while others have theirs.
    private func serve(_ waiting: Waiting, _ connection: inout PostgreSQLConnection?) -> Bool {
        var attempt = 1
        while true {
            if let open = connection, !open.isUsable() { setConnected(&connection, nil) }
            if connection == nil {
                switch connect(until: waiting.deadline) {
                case .success(let opened): setConnected(&connection, opened)
                case .failure(let error):
                    if leave(waiting) { return false }
                    _ = waiting.job(.failure(error))
                    return true
                }
            }
            guard let open = connection else { return true }
            let verdict = waiting.job(.success(open))
            if open.isBroken { setConnected(&connection, nil) }
            guard case .again(let error) = verdict else { return true }
            guard attempt < Self.attempts, ServerLink.now < waiting.deadline else {
                _ = waiting.job(.failure(error))
                return true
            }
            attempt += 1
        }
    }

    private func setConnected(_ connection: inout PostgreSQLConnection?, _ other: PostgreSQLConnection?) {
        pthread_mutex_lock(lock)
        connected += (other == nil ? 0 : 1) - (connection == nil ? 0 : 1)
        pthread_mutex_unlock(lock)
        connection = other
    }

    /// Leaves the work to threads that have a connection: the server may have given as many as it can.
    private func leave(_ waiting: Waiting) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard connected > 0, ServerLink.now < waiting.deadline else { return false }
        queue.insert(waiting, at: head)
        pthread_cond_signal(hasWork)
        return true
    }

    private var hasOtherConnections: Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return connected > 0
    }

    /// Opens a connection, again and again while there is time.
    private func connect(until deadline: Int) -> Result<PostgreSQLConnection, SQLError> {
        while true {
            switch outage.advice() {
            case .giveUp(let error): return .failure(error)
            case .wait(let milliseconds):
                guard let error = outage.error, hasOtherConnections || ServerLink.now + milliseconds > deadline else {
                    usleep(UInt32(min(milliseconds, 100)) * 1_000)
                    continue
                }
                return .failure(error)
            case .connect:
                do throws(SQLError) {
                    let connection = try PostgreSQLConnection(configuration)
                    outage.noteSuccess()
                    return .success(connection)
                } catch {
                    guard !outage.noteFailure(error), ServerLink.now < deadline, !hasOtherConnections else {
                        return .failure(error)
                    }
                }
            }
        }
    }

    // MARK: - Watch

    /// Fails the work that has waited for too long while all threads were busy.
    private func watch() {
        pthread_mutex_lock(lock)
        while true {
            while head == queue.count, !isClosed {
                isWatchAsleep = true
                pthread_cond_wait(isWaiting, lock)
            }
            isWatchAsleep = false
            guard head < queue.count else { break }
            let now = ServerLink.now
            let deadline = queue[head].deadline
            guard deadline <= now else {
                var time = timespec(tv_sec: deadline / 1_000, tv_nsec: deadline % 1_000 * 1_000_000)
                pthread_cond_timedwait(isWaiting, lock, &time)
                continue
            }
            let late = takeFirst()
            pthread_mutex_unlock(lock)
            let error = SQLError(.busy, "no connection became free within \(configuration.waitTimeout) ms")
            _ = late.job(.failure(outage.error ?? error))
            pthread_mutex_lock(lock)
        }
        hasWatch = false
        pthread_mutex_unlock(lock)
    }
}
