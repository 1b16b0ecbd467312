/// Dates from one day to another, both included; open where a bound is missing (PS3.4 C.2.2.2.5.1).
public struct DateRange: Hashable, Sendable {
    public var lower: DateValue?
    public var upper: DateValue?

    public init(lower: DateValue?, upper: DateValue?) {
        self.lower = lower
        self.upper = upper
    }

    /// Reads `20240101-20240131`, `-20240131`, `20240101-` or a single date. A bound on the 29th to 31st of a month that
    /// has no such day means its last one: whole months are asked for that way.
    public init?(_ text: some StringProtocol) {
        let isRange = text.utf8.contains(UInt8(ascii: "-"))
        guard let (lower, upper) = bounds(of: text, isRange ? DateValue.init(bound:) : DateValue.init(bytes:))
        else { return nil }
        self.init(lower: lower, upper: upper)
    }

    /// Whether this is one day.
    public var isSingle: Bool { lower != nil && lower == upper }

    public func contains(_ date: DateValue) -> Bool {
        (lower.map { $0 <= date } ?? true) && (upper.map { date <= $0 } ?? true)
    }
}

/// Times of day from one to another, both included (PS3.4 C.2.2.2.5.2). The upper bound covers the whole of its unit,
/// `-12` ends at 12:59:59.999999. A lower bound behind the upper one wraps around midnight: the standard has no
/// meaning for it, and people ask for the night that way.
public struct TimeRange: Hashable, Sendable {
    public var lower: TimeValue?
    public var upper: TimeValue?

    public init(lower: TimeValue?, upper: TimeValue?) {
        self.lower = lower
        self.upper = upper
    }

    /// Reads `0900-1700`, `-12`, `22-` or a single time.
    public init?(_ text: some StringProtocol) {
        guard let (lower, upper) = bounds(of: text, TimeValue.init(bytes:)) else { return nil }
        self.init(lower: lower, upper: upper)
    }

    /// Whether this is one time, to its own precision.
    public var isSingle: Bool { lower != nil && lower == upper }

    /// First moment in microseconds since midnight.
    public var start: Int { lower?.earliest ?? 0 }
    /// Last moment in microseconds since midnight.
    public var end: Int { upper?.latest ?? TimeValue.microsecondsPerDay - 1 }
    /// Whether the range goes past midnight.
    public var wraps: Bool { start > end }

    /// Whether the time, at the earliest moment it can mean, is in the range.
    public func contains(_ time: TimeValue) -> Bool {
        contains(time.earliest)
    }

    /// Whether so many microseconds after midnight are in the range.
    public func contains(_ moment: Int) -> Bool {
        wraps ? moment >= start || moment <= end : moment >= start && moment <= end
    }
}

/// Moments from one to another, both included (PS3.4 C.2.2.2.5.3).
public struct DateTimeRange: Hashable, Sendable {
    public var lower: DateTimeValue?
    public var upper: DateTimeValue?

    public init(lower: DateTimeValue?, upper: DateTimeValue?) {
        self.lower = lower
        self.upper = upper
    }

    /// Reads a range or a single value. A hyphen is that of an offset wherever the text up to a valid offset is a
    /// value: `2024-0500` is one value, `2023-2024` a range.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if let single = DateTimeValue(bytes: bytes[...]) {
            self.init(lower: single, upper: single)
            return
        }
        for hyphen in bytes.indices where bytes[hyphen] == UInt8(ascii: "-") {
            if let (lower, upper) = halves(of: bytes, around: hyphen, DateTimeValue.init(bytes:)) {
                self.init(lower: lower, upper: upper)
                return
            }
        }
        return nil
    }

    /// First moment in microseconds since 1970 UTC; `assuming` is the offset in minutes where none was written.
    public func start(assuming offset: Int = 0) -> Int? { lower?.earliest(assuming: offset) }
    /// Last moment in microseconds since 1970 UTC.
    public func end(assuming offset: Int = 0) -> Int? { upper?.latest(assuming: offset) }

    /// Whether the value, at the earliest moment it can mean, is in the range.
    public func contains(_ value: DateTimeValue, assuming offset: Int = 0) -> Bool {
        let moment = value.earliest(assuming: offset)
        return (start(assuming: offset).map { $0 <= moment } ?? true)
            && (end(assuming: offset).map { moment <= $0 } ?? true)
    }
}

/// The bounds of `a-b`, `-b`, `a-` or `a`.
private func bounds<Bound>(
    of text: some StringProtocol, _ read: (ArraySlice<UInt8>) -> Bound?
) -> (Bound?, Bound?)? {
    let bytes = Array(text.utf8)
    guard let hyphen = bytes.firstIndex(of: UInt8(ascii: "-")) else {
        return read(bytes[...]).map { ($0, $0) }
    }
    return halves(of: bytes, around: hyphen, read)
}

private func halves<Bound>(
    of bytes: [UInt8], around hyphen: Int, _ read: (ArraySlice<UInt8>) -> Bound?
) -> (Bound?, Bound?)? {
    let (left, right) = (bytes[..<hyphen].trimmed(leading: true), bytes[(hyphen + 1)...].trimmed(leading: true))
    let (lower, upper) = (read(left), read(right))
    guard lower != nil || left.isEmpty, upper != nil || right.isEmpty, lower != nil || upper != nil else { return nil }
    return (lower, upper)
}
