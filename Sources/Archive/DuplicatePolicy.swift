/// What to do with an instance whose SOP Instance UID is stored with other content (`store.onConflict`).
package enum DuplicatePolicy: Hashable, Sendable {
    /// Replace while the study is young: within this many milliseconds of its first instance; later keep the first.
    case window(milliseconds: Int64)
    /// Always take the newer one.
    case replace
    /// Always keep the first.
    case keepFirst

    /// Five minutes.
    package static let standard = DuplicatePolicy.window(milliseconds: 300_000)

    /// Whether an instance that comes now replaces one of a study whose first instance came at `firstStoredAt`.
    /// The last millisecond of the window is inside it.
    package func replaces(firstStoredAt: Int64, now: Int64) -> Bool {
        switch self {
        case .window(let milliseconds): now - firstStoredAt <= milliseconds
        case .replace: true
        case .keepFirst: false
        }
    }
}
