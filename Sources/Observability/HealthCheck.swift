/// What a part of the program says of itself.
package enum HealthState: Hashable, Sendable {
    case healthy
    /// It works, but someone should look.
    case degraded(reason: String)
    /// It does not work; the process should get no requests.
    case unhealthy(reason: String)

    /// The word for reports.
    package var word: String {
        switch self {
        case .healthy: "healthy"
        case .degraded: "degraded"
        case .unhealthy: "unhealthy"
        }
    }

    /// Why it is not healthy. Constant text, no attribute values, no addresses with credentials.
    package var reason: String? {
        switch self {
        case .healthy: nil
        case .degraded(let reason), .unhealthy(let reason): reason
        }
    }
}

/// A question that readiness depends on, as "does the database answer?".
package struct HealthCheck: Sendable {
    package let name: String
    private let ask: @Sendable () async -> HealthState

    package init(_ name: String, _ ask: @escaping @Sendable () async -> HealthState) {
        self.name = name
        self.ask = ask
    }

    /// Asks, and takes no answer within the time for an unhealthy one.
    package func state(within timeout: Duration) async -> HealthState {
        await withTaskGroup(of: HealthState.self) { group in
            group.addTask { await ask() }
            group.addTask {
                // Cancelled as soon as there is an answer; then this result is not looked at.
                try? await Task.sleep(for: timeout)
                return .unhealthy(reason: "no answer in time")
            }
            defer { group.cancelAll() }
            return await group.next() ?? .unhealthy(reason: "no answer")
        }
    }
}
