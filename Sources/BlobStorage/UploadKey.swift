/// The name under which an upload lands: `incoming/<yyyy>/<mm>/<dd>/<32 hexadecimal digits>`.
///
/// The day is that of its issue, in UTC, so that a listing goes by age; the rest is random. Nothing that a sender says is in it, and reading one
/// is strict: a key names a place and can be nothing else, such as a path that leads out.
package struct UploadKey: Hashable, Sendable {
    /// `yyyy/mm/dd/<32 hexadecimal digits>`.
    let place: String

    /// The first part of every key.
    package static let prefix = "incoming/"

    /// A new key.
    ///
    /// - Parameter milliseconds: When its URL is issued, since 1970.
    package init(milliseconds: Int64, using generator: inout some RandomNumberGenerator) {
        let (year, month, day) = CivilDay.date(milliseconds: milliseconds)
        place =
            Self.digits(year, 4) + "/" + Self.digits(month, 2) + "/" + Self.digits(day, 2) + "/"
            + BlobKey(using: &generator).description
    }

    /// A new key from the system's random source.
    package init(milliseconds: Int64) {
        var generator = SystemRandomNumberGenerator()
        self.init(milliseconds: milliseconds, using: &generator)
    }

    /// Reads a key as it is written; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length, text.hasPrefix(Self.prefix) else { return nil }
        let place = text.dropFirst(Self.prefix.utf8.count)
        let parts = place.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
            parts[..<3].allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let month = Int(parts[1]), (1...12).contains(month), let day = Int(parts[2]), (1...31).contains(day),
            BlobKey(parts[3]) != nil
        else { return nil }
        self.place = String(place)
    }

    /// The length of every key.
    package static let length = 52

    private static func digits(_ value: Int, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}

extension UploadKey: CustomStringConvertible {
    package var description: String { Self.prefix + place }
}

extension UploadKey: Comparable {
    package static func < (left: UploadKey, right: UploadKey) -> Bool { left.place < right.place }
}

/// Civil dates of the proleptic Gregorian calendar, in UTC.
private enum CivilDay {
    /// Counted in eras of 400 years that begin on 1 March.
    static func date(milliseconds: Int64) -> (year: Int, month: Int, day: Int) {
        // From 1970 to 9999, which is what a key can hold.
        let days = Int(min(max(milliseconds, 0), 253_402_300_799_999) / 86_400_000) + 719_468
        let (era, dayOfEra) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}
