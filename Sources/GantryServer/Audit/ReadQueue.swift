import DICOMCore
import Synchronization

/// Reads that wait to be written on the audit trail. It never makes a reader wait: when it is full, what comes is counted
/// and dropped.
final class ReadQueue: Sendable {
    /// What was taken out.
    struct Batch: Sendable {
        var accesses: [ReadAccesses]
        /// How many reads found the queue full.
        var dropped: Int
    }

    private struct State {
        var accesses: [ReadAccesses] = []
        var positions: [ReadAccess: Int] = [:]
        var instances = 0
        var dropped = 0
    }

    private let state = Mutex(State())
    private let limit: Int
    private static let mostInstancesOfOne = 256

    /// - Parameter limit: most records, and most instances in all of them.
    init(limit: Int = 8192) { self.limit = limit }

    /// Adds one read.
    func add(_ access: ReadAccess, instance: UID? = nil, byteCount: Int = 0, time: Int64, requestID: String) {
        state.withLock { state in
            if let position = state.positions[access] {
                let isKnown = instance.map { state.accesses[position].instances.contains($0) } ?? true
                if isKnown
                    || state.accesses[position].instances.count < Self.mostInstancesOfOne && state.instances < limit
                {
                    state.accesses[position].requests += 1
                    state.accesses[position].byteCount += byteCount
                    if let instance, !isKnown {
                        state.accesses[position].instances.insert(instance)
                        state.instances += 1
                    }
                    return
                }
            }
            guard state.accesses.count < limit, state.instances < limit else {
                state.dropped += 1
                return
            }
            var first = ReadAccesses(access: access, time: time, requestID: requestID)
            first.byteCount = byteCount
            if let instance {
                first.instances = [instance]
                state.instances += 1
            }
            state.positions[access] = state.accesses.count
            state.accesses.append(first)
        }
    }

    /// Takes out everything.
    func take() -> Batch {
        let state = state.withLock { state in
            let taken = state
            state = State()
            return taken
        }
        return Batch(accesses: state.accesses, dropped: state.dropped)
    }
}
