/// One matching key: an attribute and what its value has to be (PS3.4 C.2.2.2).
public struct AttributeMatch: Hashable, Sendable {
    public var path: AttributePath
    public var condition: Condition

    public init(_ path: AttributePath, _ condition: Condition) {
        self.path = path
        self.condition = condition
    }

    /// The kinds of matching. A stored attribute with several values matches when any of them does.
    public enum Condition: Hashable, Sendable {
        /// Everything, absent values included; asks for the attribute to be returned (C.2.2.2.3).
        case universal
        /// Exactly this, blanks around left out of account (C.2.2.2.1).
        case single(String)
        /// A number string with this value: IS and DS.
        case number(Double)
        /// A pattern with `*` for any run of characters and `?` for one (C.2.2.2.4).
        case wildcard(String)
        /// One of these (C.2.2.2.2).
        case uidList([UID])
        /// One of these codes, for modalities.
        case anyOf([String])
        /// Each of these, among the attribute's values (C.2.2.2.8).
        case allOf([String])
        /// C.2.2.2.5.
        case dateRange(DateRange)
        case timeRange(TimeRange)
        case dateTimeRange(DateTimeRange)
        /// The date of the path and the time of `timeTag` as one point within one interval (C.2.2.2.5.4).
        case combined(date: DateRange, time: TimeRange, timeTag: Tag)
        /// A person name pattern, which may hold wildcards; fuzzy: by sound (C.2.2.2.1.1).
        case personName(String, fuzzy: Bool)
        /// Absent or without value (C.2.2.2.7).
        case emptyValue
    }
}
