/// A time of day to the precision it was written with (TM, PS3.5 6.2).
public struct TimeValue: Hashable, Sendable {
    public static let microsecondsPerDay = 86_400_000_000

    public let hour: Int
    public let minute: Int?
    public let second: Int?
    /// Fraction of the second in microseconds.
    public let microsecond: Int?
    /// How many digits the fraction was written with, 0 to 6.
    public let fractionDigits: Int

    /// A missing minute makes second and fraction missing, too. Second 60 is a leap second.
    public init?(hour: Int, minute: Int? = nil, second: Int? = nil, microsecond: Int? = nil, fractionDigits: Int = 6) {
        guard (0...23).contains(hour), (0...59).contains(minute ?? 0), (0...60).contains(second ?? 0),
            (0...999_999).contains(microsecond ?? 0), (1...6).contains(fractionDigits),
            minute != nil || second == nil, second != nil || microsecond == nil
        else { return nil }
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
        self.fractionDigits = microsecond == nil ? 0 : fractionDigits
    }

    /// Reads `HHMMSS.FFFFFF`, truncated anywhere behind the hour, and `HH:MM:SS` of ACR-NEMA.
    public init?(_ text: some StringProtocol) { self.init(bytes: Array(text.utf8)[...]) }

    /// Reads a value field or a part of it.
    public init?(bytes: ArraySlice<UInt8>) {
        var reader = DigitReader(bytes)
        guard let time = TimeValue(reading: &reader, acceptingColons: true), reader.isAtEnd else { return nil }
        self = time
    }

    init?(reading reader: inout DigitReader, acceptingColons: Bool) {
        guard let hour = reader.number(digits: 2) else { return nil }
        let hasColons = acceptingColons && reader.skip(":")
        var second: Int?
        var microsecond: Int?
        var digits = 0
        guard hasColons || reader.isAtDigit else {
            self.init(hour: hour)
            return
        }
        guard let minute = reader.number(digits: 2) else { return nil }
        let hasSecond = hasColons ? reader.skip(":") : reader.isAtDigit
        if hasSecond {
            second = reader.number(digits: 2)
            guard second != nil else { return nil }
            if reader.skip(".") {
                var fraction = 0
                while digits < 6, let digit = reader.number(digits: 1) {
                    fraction = fraction * 10 + digit
                    digits += 1
                }
                guard digits > 0 else { return nil }
                for _ in digits..<6 { fraction *= 10 }
                microsecond = fraction
            }
        }
        self.init(
            hour: hour, minute: minute, second: second, microsecond: microsecond, fractionDigits: max(1, digits))
    }

    /// The first moment it can mean, in microseconds since midnight.
    public var earliest: Int {
        ((hour * 60 + (minute ?? 0)) * 60 + min(59, second ?? 0)) * 1_000_000 + (microsecond ?? 0)
    }

    /// The last moment it can mean: `12` reaches to 12:59:59.999999.
    public var latest: Int {
        let unit =
            switch (minute, second, fractionDigits) {
            case (nil, _, _): 3_600_000_000
            case (_, nil, _): 60_000_000
            case (_, _, 0): 1_000_000
            case (_, _, 1): 100_000
            case (_, _, 2): 10_000
            case (_, _, 3): 1000
            case (_, _, 4): 100
            case (_, _, 5): 10
            default: 1
            }
        return earliest + unit - 1
    }
}

extension TimeValue: CustomStringConvertible {
    /// As in a value field, to its own precision.
    public var description: String {
        var text = zeroPadded(hour, to: 2)
        if let minute { text += zeroPadded(minute, to: 2) }
        if let second { text += zeroPadded(second, to: 2) }
        if let microsecond { text += "." + zeroPadded(microsecond, to: 6).prefix(fractionDigits) }
        return text
    }
}
