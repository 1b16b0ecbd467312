import DICOMCore

/// A moment in header fields, to the second (RFC 9110 5.6.7).
public struct HTTPDate: Hashable, Comparable, Sendable {
    public var secondsSince1970: Int64

    public init(secondsSince1970: Int64) { self.secondsSince1970 = secondsSince1970 }

    /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, and the two obsolete forms `Sunday, 06-Nov-94 08:49:37 GMT` and
    /// `Sun Nov  6 08:49:37 1994`. The day of the week is not looked at.
    public init?(_ text: some StringProtocol) {
        let words = text.utf8.count <= 40 ? text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "-" }) : []
        guard words.count == 5 || words.count == 6, words.count == 5 || words[5] == "GMT" else { return nil }
        let isAscTime = words.count == 5
        let (day, month, year, time) =
            isAscTime ? (words[2], words[1], words[4], words[3]) : (words[1], words[2], words[3], words[4])
        let clock = time.split(separator: ":", omittingEmptySubsequences: false)
        guard let month = Self.months.firstIndex(of: String(month)), let day = Self.number(day, digits: 1...2),
            var year = Self.number(year, digits: 2...4), clock.count == 3,
            let hour = Self.number(clock[0], digits: 2...2), hour < 24,
            let minute = Self.number(clock[1], digits: 2...2), minute < 60,
            let second = Self.number(clock[2], digits: 2...2), second <= 60
        else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        guard let date = DateValue(year: year, month: month + 1, day: day) else { return nil }
        secondsSince1970 = Int64(date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + min(59, second))
    }

    private static func number(_ text: some StringProtocol, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }

    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    public static func < (left: HTTPDate, right: HTTPDate) -> Bool { left.secondsSince1970 < right.secondsSince1970 }
}

extension HTTPDate: CustomStringConvertible {
    /// In the preferred form; empty for what no date of four digits is.
    public var description: String {
        let (days, seconds) = secondsSince1970.flooredDivision(by: 86_400)
        guard let date = DateValue(daysSince1970: Int(days)) else { return "" }
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days.flooredDivision(by: 7).remainder)]
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        return "\(weekday), \(Self.padded(Int64(date.day), 2)) \(Self.months[date.month - 1]) "
            + "\(Self.padded(Int64(date.year), 4)) \(clock) GMT"
    }

    private static func padded(_ number: Int64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

extension Int64 {
    /// Rounded down, so that the remainder is never negative.
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
