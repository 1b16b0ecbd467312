import Synchronization

/// Elements on their way from many tasks to few that take all there are.
///
/// Putting never waits: whoever produces elements asks for `room` before it begins with one.
final class Handoff<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var takers: [CheckedContinuation<Void, Never>] = []
        var waitingForRoom: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    /// Puts an element at the end. Says no when the handoff is closed.
    func put(_ element: Element) -> Bool { put(contentsOf: CollectionOfOne(element)) }

    /// Puts elements at the end, in their order. Says no when the handoff is closed.
    func put(contentsOf elements: some Collection<Element>) -> Bool {
        let (isOpen, taker) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else { return (false, nil) }
            state.elements.append(contentsOf: elements)
            return (true, elements.isEmpty ? nil : state.takers.popLast())
        }
        taker?.resume()
        return isOpen
    }

    /// Takes the oldest elements, waiting for the first. None: the handoff is closed and empty.
    func take(upTo limit: Int) async -> [Element] {
        while true {
            let (taken, isClosed) = takeNow(upTo: limit)
            if !taken.isEmpty || isClosed { return taken }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.elements.isEmpty, !state.isClosed else { return true }
                    state.takers.append(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// Takes the oldest elements that are there, and tells whether the handoff is closed.
    func takeNow(upTo limit: Int) -> (elements: [Element], isClosed: Bool) {
        let (taken, isClosed, freed) = state.withLock {
            state -> ([Element], Bool, [CheckedContinuation<Void, Never>]) in
            let taken = Self.takeOldest(limit, of: &state.elements)
            guard state.elements.count < capacity || state.isClosed else { return (taken, state.isClosed, []) }
            defer { state.waitingForRoom = [] }
            return (taken, state.isClosed, state.waitingForRoom)
        }
        for waiting in freed { waiting.resume() }
        return (taken, isClosed)
    }

    /// Whether nothing is in it, and whether nothing will be any more.
    var status: (isEmpty: Bool, isClosed: Bool) { state.withLock { ($0.elements.isEmpty, $0.isClosed) } }

    /// Waits until there is room for another element.
    func room() async {
        guard state.withLock({ $0.elements.count >= capacity && !$0.isClosed }) else { return }
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.elements.count >= capacity, !state.isClosed else { return true }
                state.waitingForRoom.append(continuation)
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Takes no more elements. What is in can still be taken.
    func close() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.isClosed = true
            defer {
                state.waitingForRoom = []
                state.takers = []
            }
            return state.waitingForRoom + state.takers
        }
        for continuation in waiting { continuation.resume() }
    }

    private static func takeOldest(_ limit: Int, of elements: inout [Element]) -> [Element] {
        guard elements.count > limit else {
            defer { elements = [] }
            return elements
        }
        defer { elements.removeFirst(limit) }
        return Array(elements.prefix(limit))
    }
}
