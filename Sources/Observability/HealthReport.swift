/// The answers of all health checks: whether the process is ready, and why not.
package struct HealthReport: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var state: HealthState

        package init(name: String, state: HealthState) {
            self.name = name
            self.state = state
        }
    }

    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries
    }

    /// Asks all checks at the same time.
    package init(asking checks: [HealthCheck], within timeout: Duration = .seconds(5)) async {
        self.entries = await withTaskGroup(of: (Int, Entry).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { (index, Entry(name: check.name, state: await check.state(within: timeout))) }
            }
            var entries: [(Int, Entry)] = []
            for await entry in group { entries.append(entry) }
            return entries.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Whether requests may be sent here: nothing is unhealthy.
    package var isReady: Bool {
        !entries.contains { if case .unhealthy = $0.state { true } else { false } }
    }

    /// `{"status":"ready","checks":[{"name":…,"status":…,"reason":…}]}`
    package func json() -> [UInt8] {
        var bytes = Array("{\"status\":\"\(isReady ? "ready" : "notReady")\",\"checks\":[".utf8)
        for (index, entry) in entries.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += Array("{\"name\":".utf8)
            JSONText.write(entry.name, into: &bytes)
            bytes += Array(",\"status\":\"\(entry.state.word)\"".utf8)
            if let reason = entry.state.reason {
                bytes += Array(",\"reason\":".utf8)
                JSONText.write(reason, into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes += Array("]}".utf8)
        return bytes
    }
}
