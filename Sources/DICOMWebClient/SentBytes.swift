import Synchronization

/// Counts what one attempt has sent, so that it can be taken back when there is another attempt.
final class SentBytes: Sendable {
    private let count = Mutex(0)
    private let tell: @Sendable (Int) -> Void

    init(tell: @escaping @Sendable (Int) -> Void) {
        self.tell = tell
    }

    func add(_ bytes: Int) {
        count.withLock { $0 += bytes }
        tell(bytes)
    }

    func startOver() {
        let lost = count.withLock { count in
            defer { count = 0 }
            return count
        }
        if lost > 0 { tell(-lost) }
    }
}
