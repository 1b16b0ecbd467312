/// Values that are made a few at the same time, and given in order: while some are sent, the next ones are being made.
///
///     var following = try await FewAtATime(count, few: parallelism, make: make)
///     while !following.isEmpty {
///         let few = following
///         async let next = few.following()
///         for (index, value) in few.made { … }
///         following = try await next
///     }
struct FewAtATime<Value: Sendable>: Sendable {
    /// What was made last, in order; empty behind the end.
    let made: [(index: Int, value: Value)]

    private let count: Int
    private let few: Int
    private let make: @Sendable (Int) async throws -> Value

    var isEmpty: Bool { made.isEmpty }

    /// Makes the first few.
    init(_ count: Int, few: Int, make: @escaping @Sendable (Int) async throws -> Value) async throws {
        try await self.init(from: 0, count, few, make)
    }

    /// Makes the next few.
    func following() async throws -> FewAtATime {
        try await FewAtATime(from: (made.last?.index ?? count) + 1, count, few, make)
    }

    private init(
        from start: Int, _ count: Int, _ few: Int, _ make: @escaping @Sendable (Int) async throws -> Value
    ) async throws {
        self.count = count
        self.few = few
        self.make = make
        let indices = min(start, count)..<min(count, start + max(1, few))
        guard indices.count > 1 else {
            var made: [(index: Int, value: Value)] = []
            for index in indices { made.append((index, try await make(index))) }
            self.made = made
            return
        }
        made = try await withThrowingTaskGroup(of: (index: Int, value: Value).self) { group in
            for index in indices { group.addTask { (index, try await make(index)) } }
            var made: [(index: Int, value: Value)] = []
            for try await value in group { made.append(value) }
            return made.sorted { $0.index < $1.index }
        }
    }
}
