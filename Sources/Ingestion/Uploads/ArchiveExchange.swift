import Glibc
import NIOCore
import Synchronization

/// Lets a thread that must not wait for a task, and a task that must not wait for a thread, take turns: the library that reads archives calls for
/// bytes and gives bytes on its thread; the task fetches and takes them.
///
/// `@unchecked Sendable`: `lock` guards all that changes.
final class ArchiveExchange: @unchecked Sendable {
    /// What the thread says, and waits for the answer.
    enum Event: Sendable {
        /// It needs these bytes of the archive.
        case needs(Range<Int>)
        /// A file begins.
        case file(name: String, length: Int?)
        /// The next bytes of the file.
        case bytes(ByteBuffer)
        /// The archive was read to its end. No answer.
        case end
        /// It cannot be read on. No answer.
        case failed(ArchiveBreach)
    }

    /// What the task answers.
    enum Answer: Sendable {
        case bytes(ByteBuffer)
        case goOn
        /// Leave the rest of the file out.
        case skip
        /// Give up.
        case stop
    }

    private var lock = pthread_mutex_t()
    private var answered = pthread_cond_t()
    private var event: Event?
    private var waiter: CheckedContinuation<Event, Never>?
    private var answer: Answer?

    init() {
        pthread_mutex_init(&lock, nil)
        pthread_cond_init(&answered, nil)
    }

    deinit {
        pthread_cond_destroy(&answered)
        pthread_mutex_destroy(&lock)
    }

    // MARK: The thread's side

    /// Says something and waits for the answer.
    func ask(_ event: Event) -> Answer {
        tell(event)
        pthread_mutex_lock(&lock)
        defer { pthread_mutex_unlock(&lock) }
        while answer == nil { pthread_cond_wait(&answered, &lock) }
        guard let given = answer else { return .stop }
        answer = nil
        return given
    }

    /// Says the last thing.
    func tell(_ event: Event) {
        pthread_mutex_lock(&lock)
        let waiter = waiter
        self.waiter = nil
        if waiter == nil { self.event = event }
        pthread_mutex_unlock(&lock)
        waiter?.resume(returning: event)
    }

    // MARK: The task's side

    /// Waits for what the thread says next.
    func next() async -> Event {
        await withCheckedContinuation { continuation in
            pthread_mutex_lock(&lock)
            let early = event
            event = nil
            if early == nil { waiter = continuation }
            pthread_mutex_unlock(&lock)
            if let early { continuation.resume(returning: early) }
        }
    }

    /// Answers what the thread said.
    func reply(_ answer: Answer) {
        pthread_mutex_lock(&lock)
        self.answer = answer
        pthread_cond_signal(&answered)
        pthread_mutex_unlock(&lock)
    }
}
