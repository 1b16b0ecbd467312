/// What the archive knows about a resource.
package enum Lookup<Found: Sendable>: Sendable {
    /// It is there.
    case found(Found)
    /// It was there and was deleted (410).
    case gone
    /// It was never there, or not under these parents (404).
    case unknown

    /// What was found.
    package var value: Found? {
        if case .found(let found) = self { found } else { nil }
    }
}
