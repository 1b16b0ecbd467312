/// A calendar date (DA, PS3.5 6.2).
public struct DateValue: Hashable, Sendable {
    public let year: Int
    public let month: Int
    public let day: Int

    /// A date that the proleptic Gregorian calendar has, of the years 1 to 9999.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            day >= 1, day <= Self.days(inMonth: month, of: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads `YYYYMMDD`, and `YYYY.MM.DD` of ACR-NEMA (PS3.5 6.2, note of DA).
    public init?(_ text: some StringProtocol) { self.init(bytes: Array(text.utf8)[...]) }

    /// Reads a value field or a part of it.
    public init?(bytes: ArraySlice<UInt8>) {
        guard let (year, month, day) = Self.numbers(in: bytes) else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Reads a bound of a range: a day up to 31 that its month does not have becomes the month's last.
    init?(bound bytes: ArraySlice<UInt8>) {
        guard let (year, month, day) = Self.numbers(in: bytes), (1...12).contains(month), day <= 31 else { return nil }
        self.init(year: year, month: month, day: min(day, Self.days(inMonth: month, of: year)))
    }

    private static func numbers(in bytes: ArraySlice<UInt8>) -> (year: Int, month: Int, day: Int)? {
        var reader = DigitReader(bytes)
        guard let year = reader.number(digits: 4) else { return nil }
        let hasDots = reader.skip(".")
        guard let month = reader.number(digits: 2), !hasDots || reader.skip("."),
            let day = reader.number(digits: 2), reader.isAtEnd
        else { return nil }
        return (year, month, day)
    }

    /// The date as a number, 20240131: orders as dates do.
    public var number: Int { year * 10_000 + month * 100 + day }

    /// Days since 1 January 1970.
    public var daysSince1970: Int {
        // Years that start in March have their leap day at the end.
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date so many days after 1 January 1970; `nil` outside the years 1 to 9999.
    public init?(daysSince1970: Int) {
        guard (-719_162...2_932_896).contains(daysSince1970) else { return nil }
        // Years that start in March have their leap day at the end.
        let shifted = daysSince1970 + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension DateValue: Comparable {
    public static func < (left: DateValue, right: DateValue) -> Bool { left.number < right.number }
}

extension DateValue: CustomStringConvertible {
    /// `YYYYMMDD`.
    public var description: String { zeroPadded(number, to: 8) }
}
