/// What is searched for: level, scope, matching keys, return keys, paging (PS3.18 8.3.4, 10.6).
public struct InstanceQuery: Hashable, Sendable {
    /// An attribute to sort by.
    public struct SortKey: Hashable, Sendable {
        public var tag: Tag
        public var isDescending: Bool

        public init(_ tag: Tag, isDescending: Bool = false) {
            self.tag = tag
            self.isDescending = isDescending
        }
    }

    /// What one result is.
    public var level: QueryLevel
    /// The study that the resource path names.
    public var study: UID?
    /// The series that the resource path names.
    public var series: UID?
    /// All of them must match. Keys below the same sequence must match within one item (PS3.4 C.2.2.2.6).
    public var matches: [AttributeMatch]
    /// Attributes to return besides those of the level.
    public var includes: Set<Tag>
    /// Return all attributes there are.
    public var includesAll: Bool
    /// At most this many results; `nil`: as many as the server gives.
    public var limit: Int?
    /// Leave out this many results.
    public var offset: Int
    public var order: [SortKey]
    /// The zone in which dates and times of the keys are meant; `nil`: local values compare as they are
    /// (PS3.3 C.12.1.1.8).
    public var timezoneOffset: TimezoneOffset?

    public init(
        level: QueryLevel, study: UID? = nil, series: UID? = nil, matches: [AttributeMatch] = [],
        includes: Set<Tag> = [], includesAll: Bool = false, limit: Int? = nil, offset: Int = 0, order: [SortKey] = [],
        timezoneOffset: TimezoneOffset? = nil
    ) {
        self.level = level
        self.study = study
        self.series = series
        self.matches = matches
        self.includes = includes
        self.includesAll = includesAll
        self.limit = limit
        self.offset = offset
        self.order = order
        self.timezoneOffset = timezoneOffset
    }
}
