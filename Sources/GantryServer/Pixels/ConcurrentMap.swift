/// The values for a few indices, made at the same time, in order.
func concurrentMap<Value: Sendable>(
    _ indices: Range<Int>, _ make: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
    guard indices.count > 1 else {
        var values: [Value] = []
        for index in indices { values.append(try await make(index)) }
        return values
    }
    return try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        for index in indices { group.addTask { (index, try await make(index)) } }
        var values: [Int: Value] = [:]
        for try await (index, value) in group { values[index] = value }
        return indices.compactMap { values[$0] }
    }
}

extension Range<Int> {
    /// The next few indices behind this range, below `end`.
    func next(_ count: Int, below end: Int) -> Range<Int> {
        let start = Swift.min(upperBound, end)
        return start..<Swift.min(end, start + count)
    }
}
