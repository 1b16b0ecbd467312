/// A moment in UTC, as S3 writes it in three ways. Times are milliseconds since 1970.
struct UTCTime: Hashable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    init(milliseconds: Int64) {
        let seconds = Int(milliseconds.flooredQuotient(1000))
        let days = seconds.flooredQuotient(86_400)
        let rest = seconds - days * 86_400
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        // Years that begin in March, in cycles of 400 years.
        let shifted = days + 719_468
        let cycle = shifted.flooredQuotient(146_097)
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    }

    private init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
    }

    var milliseconds: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let cycle = shiftedYear.flooredQuotient(400)
        let yearOfCycle = shiftedYear - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
        let days = cycle * 146_097 + dayOfCycle - 719_468
        return (Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)) * 1000
    }

    /// `20130524`.
    var day8: String { Self.digits(year, 4) + Self.digits(month, 2) + Self.digits(day, 2) }

    /// `20130524T000000Z`, the form of `X-Amz-Date`.
    var stamp: String { "\(day8)T\(Self.digits(hour, 2))\(Self.digits(minute, 2))\(Self.digits(second, 2))Z" }

    private static func digits(_ value: Int, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}

extension UTCTime {
    /// Reads `Fri, 24 May 2013 00:00:00 GMT` (RFC 9110 5.6.7), the form of `Date` and `Last-Modified`.
    static func milliseconds(httpDate text: String) -> Int64? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," })
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard words.count == 6, words[5] == "GMT", let day = Int(words[1]),
            let month = months.firstIndex(of: String(words[2])), let year = Int(words[3])
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3 else { return nil }
        return UTCTime(
            year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1], second: clock[2])?.milliseconds
    }

    /// Reads `2013-05-24T00:00:00.000Z`, the form in answers. Without a fraction, the end of that second is meant: what happened in it may
    /// have happened then.
    static func milliseconds(iso text: String) -> Int64? {
        guard text.hasSuffix("Z") else { return nil }
        let halves = text.dropLast().split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let date = halves[0].split(separator: "-").compactMap { Int($0) }
        let parts = halves[1].split(separator: ".", omittingEmptySubsequences: false)
        let clock = parts[0].split(separator: ":").compactMap { Int($0) }
        guard date.count == 3, clock.count == 3, parts.count <= 2,
            let whole = UTCTime(
                year: date[0], month: date[1], day: date[2], hour: clock[0], minute: clock[1], second: clock[2])
        else { return nil }
        var fraction: Int64 = 999
        if parts.count == 2, parts[1].contains(where: { $0 != "0" }) {
            guard let value = Int64(parts[1].prefix(3)) else { return nil }
            fraction = value * (parts[1].count == 1 ? 100 : parts[1].count == 2 ? 10 : 1)
        }
        return whole.milliseconds + fraction
    }
}

extension BinaryInteger {
    /// The quotient, rounded down.
    fileprivate func flooredQuotient(_ divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
