/// Which part of the matches a search answers with (PS3.18 8.3.4.4, 10.6.3.2).
public struct SearchPage: Hashable, Sendable {
    /// How many results the answer has; none means 204.
    public var results: Int
    /// How many more there are behind them.
    public var remaining: Int

    public init(matches: Int, offset: Int, limit: Int?, maximum: Int) {
        let left = max(0, matches - max(0, offset))
        results = max(0, min(left, maximum, limit ?? maximum))
        remaining = left - results
    }

    /// Text for a `Warning: 299` header when there are more results, whoever limited them.
    public var warningText: String? {
        guard results > 0, remaining > 0 else { return nil }
        return "There are \(remaining) additional results that can be requested"
    }
}
