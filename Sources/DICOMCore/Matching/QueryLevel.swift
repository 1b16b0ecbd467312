/// The level of the information model that a query returns (PS3.4 C.6.2).
public enum QueryLevel: Int, Comparable, CaseIterable, Hashable, Sendable {
    case study, series, instance

    public static func < (left: QueryLevel, right: QueryLevel) -> Bool { left.rawValue < right.rawValue }
}
