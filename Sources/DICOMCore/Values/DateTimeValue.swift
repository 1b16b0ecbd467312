/// A date and time to the precision it was written with, with or without an offset from UTC (DT, PS3.5 6.2).
public struct DateTimeValue: Hashable, Sendable {
    public let year: Int
    public let month: Int?
    public let day: Int?
    public let time: TimeValue?
    /// Minutes east of UTC.
    public let offset: Int?

    /// A missing month or day makes everything finer missing, too.
    public init?(year: Int, month: Int? = nil, day: Int? = nil, time: TimeValue? = nil, offset: Int? = nil) {
        guard month != nil || day == nil, day != nil || time == nil,
            DateValue(year: year, month: month ?? 1, day: day ?? 1) != nil,
            offset.map({ (-12 * 60...14 * 60).contains($0) }) ?? true
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.time = time
        self.offset = offset
    }

    /// Reads `YYYYMMDDHHMMSS.FFFFFF&ZZXX`, truncated anywhere behind the year, the offset being optional.
    public init?(_ text: some StringProtocol) { self.init(bytes: Array(text.utf8)[...]) }

    /// Reads a value field or a part of it.
    public init?(bytes: ArraySlice<UInt8>) {
        var reader = DigitReader(bytes)
        guard let year = reader.number(digits: 4) else { return nil }
        var month: Int?
        var day: Int?
        var time: TimeValue?
        if reader.isAtDigit {
            month = reader.number(digits: 2)
            guard month != nil else { return nil }
            if reader.isAtDigit {
                day = reader.number(digits: 2)
                guard day != nil else { return nil }
                if reader.isAtDigit {
                    time = TimeValue(reading: &reader, acceptingColons: false)
                    guard time != nil else { return nil }
                }
            }
        }
        var offset: Int?
        if !reader.isAtEnd {
            let isWest = reader.skip("-")
            guard isWest || reader.skip("+"), let hours = reader.number(digits: 2),
                let minutes = reader.number(digits: 2), minutes < 60, reader.isAtEnd
            else { return nil }
            // -0000 is not allowed.
            guard !isWest || hours + minutes > 0 else { return nil }
            offset = (isWest ? -1 : 1) * (hours * 60 + minutes)
        }
        self.init(year: year, month: month, day: day, time: time, offset: offset)
    }

    /// The first moment it can mean, in microseconds since 1970 UTC; `assuming` is the offset where none was written.
    public func earliest(assuming defaultOffset: Int = 0) -> Int {
        let days = DateValue(year: year, month: month ?? 1, day: day ?? 1)?.daysSince1970 ?? 0
        return days * TimeValue.microsecondsPerDay + (time?.earliest ?? 0)
            - (offset ?? defaultOffset) * 60_000_000
    }

    /// The last moment it can mean.
    public func latest(assuming defaultOffset: Int = 0) -> Int {
        let lastMonth = month ?? 12
        let lastDay = day ?? DateValue.days(inMonth: lastMonth, of: year)
        let days = DateValue(year: year, month: lastMonth, day: lastDay)?.daysSince1970 ?? 0
        return days * TimeValue.microsecondsPerDay + (time?.latest ?? TimeValue.microsecondsPerDay - 1)
            - (offset ?? defaultOffset) * 60_000_000
    }
}

extension DateTimeValue: CustomStringConvertible {
    /// As in a value field, to its own precision.
    public var description: String {
        var text = zeroPadded(year, to: 4)
        if let month { text += zeroPadded(month, to: 2) }
        if let day { text += zeroPadded(day, to: 2) }
        if let time { text += time.description }
        if let offset {
            let minutes = abs(offset)
            text += (offset < 0 ? "-" : "+") + zeroPadded(minutes / 60 * 100 + minutes % 60, to: 4)
        }
        return text
    }
}
