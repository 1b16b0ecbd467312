import DICOMCore

/// The zone in which the dates and times of a search are meant, and that of stored ones whose data set names none
/// (PS3.3 C.12.1.1.8, dicomweb.md 4.8).
struct SearchZone: Hashable, Sendable {
    var requested: TimezoneOffset
    var assumed: TimezoneOffset

    /// Stored local dates are at most this many days from those of the request: 14 hours either way.
    static let mostDays = 2

    /// Whether a condition is about dates or times, which mean something else in another zone.
    static func matters(to condition: AttributeMatch.Condition) -> Bool {
        switch condition {
        case .dateRange, .timeRange, .dateTimeRange, .combined: true
        case .universal, .single, .number, .wildcard, .uidList, .anyOf, .allOf, .personName, .emptyValue: false
        }
    }

    /// The days that hold every stored date that can match.
    static func widened(_ range: DateRange) -> DateRange {
        func moved(_ date: DateValue?, by days: Int) -> DateValue? {
            date.flatMap { DateValue(daysSince1970: $0.daysSince1970 + days) }
        }
        return DateRange(lower: moved(range.lower, by: -mostDays), upper: moved(range.upper, by: mostDays))
    }

    /// Tags whose values decide what the attribute's value means.
    static func companions(of tag: Tag) -> [Tag] {
        [.timezoneOffsetFromUTC]
            + pairs.compactMap { pair in pair.date == tag ? pair.time : pair.time == tag ? pair.date : nil }
    }

    /// Dates with the times that belong to them. A date of birth is not among them: it is no moment, and stays what it is.
    private static let pairs: [(date: Tag, time: Tag)] = [
        (.studyDate, .studyTime), (.seriesDate, .seriesTime), (.acquisitionDate, .acquisitionTime),
        (.contentDate, .contentTime), (.performedProcedureStepStartDate, .performedProcedureStepStartTime),
    ]

    /// Whether the stored value, told in the zone of the request, meets the condition. A date without its time cannot be
    /// told in another zone and is compared as it stands.
    func matches(_ condition: AttributeMatch.Condition, _ tag: Tag, in dataSet: DataSet) -> Bool {
        let stored =
            MatchingKeys.values(dataSet, .timezoneOffsetFromUTC).first.flatMap { TimezoneOffset($0) } ?? assumed
        let shift = (requested.minutes - stored.minutes) * 60_000_000
        switch condition {
        case .dateRange(let range):
            guard let time = Self.pairs.first(where: { $0.date == tag })?.time,
                let moment = LocalMoment(dataSet, tag, time, shift: shift)
            else { return MatchingKeys.values(dataSet, tag).contains { DateValue($0).map(range.contains) ?? false } }
            return moment.date.map(range.contains) ?? false
        case .timeRange(let range):
            return MatchingKeys.values(dataSet, tag).contains { value in
                TimeValue(value).map { range.contains(LocalMoment.timeOfDay($0.earliest + shift)) } ?? false
            }
        case .combined(let dates, let times, let timeTag):
            guard let moment = LocalMoment(dataSet, tag, timeTag, shift: shift) else {
                // Without a time, only days inside the interval are surely in it.
                return MatchingKeys.values(dataSet, tag).first.flatMap { DateValue($0) }.map { date in
                    (dates.lower.map { $0 < date } ?? true) && (dates.upper.map { date < $0 } ?? true)
                } ?? false
            }
            return moment.isWithin(dates, times)
        case .dateTimeRange(let range):
            return MatchingKeys.values(dataSet, tag).contains { value in
                guard let moment = DateTimeValue(value)?.earliest(assuming: stored.minutes) else { return false }
                return (range.start(assuming: requested.minutes).map { $0 <= moment } ?? true)
                    && (range.end(assuming: requested.minutes).map { moment <= $0 } ?? true)
            }
        case .universal, .single, .number, .wildcard, .uidList, .anyOf, .allOf, .personName, .emptyValue:
            return false
        }
    }
}

/// A stored date and time, in the zone of a request.
private struct LocalMoment {
    /// `nil` outside the years 1 to 9999.
    var date: DateValue?
    /// Microseconds since midnight.
    var time: Int

    /// `nil` without a date or a time.
    init?(_ dataSet: DataSet, _ dateTag: Tag, _ timeTag: Tag, shift: Int) {
        guard let date = MatchingKeys.values(dataSet, dateTag).first.flatMap({ DateValue($0) }),
            let time = MatchingKeys.values(dataSet, timeTag).first.flatMap({ TimeValue($0) })
        else { return nil }
        let moment = time.earliest + shift
        self.time = Self.timeOfDay(moment)
        self.date = DateValue(
            daysSince1970: date.daysSince1970 + (moment - self.time) / TimeValue.microsecondsPerDay)
    }

    /// From the first date at the first time to the last date at the last time (PS3.4 C.2.2.2.5.4).
    func isWithin(_ dates: DateRange, _ times: TimeRange) -> Bool {
        guard let date, dates.contains(date) else { return false }
        return (date != dates.lower || time >= times.start) && (date != dates.upper || time <= times.end)
    }

    static func timeOfDay(_ microseconds: Int) -> Int {
        let rest = microseconds % TimeValue.microsecondsPerDay
        return rest < 0 ? rest + TimeValue.microsecondsPerDay : rest
    }
}
