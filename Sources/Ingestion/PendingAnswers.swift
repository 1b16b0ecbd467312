import Synchronization

/// The answers that one submission of several instances waits for.
final class PendingAnswers: Sendable {
    private struct State {
        var answers: [CommitQueue.Answer?]
        var missing: Int
    }

    private let state: Mutex<State>
    private let continuation: CheckedContinuation<[CommitQueue.Answer], Never>

    init(count: Int, _ continuation: CheckedContinuation<[CommitQueue.Answer], Never>) {
        state = Mutex(State(answers: Array(repeating: nil, count: count), missing: count))
        self.continuation = continuation
    }

    /// Gives an answer, once for each. The last one ends the waiting.
    func set(_ answer: CommitQueue.Answer, at index: Int) {
        let all: [CommitQueue.Answer]? = state.withLock { state in
            guard state.answers[index] == nil else { return nil }
            state.answers[index] = answer
            state.missing -= 1
            return state.missing == 0 ? state.answers.compactMap(\.self) : nil
        }
        if let all { continuation.resume(returning: all) }
    }
}
