extension CloudEvent {
    /// The event in the JSON event format, for the structured mode (CloudEvents JSON Format 1.0, 3).
    package var structuredJSON: [UInt8] {
        var text = [UInt8]()
        text.reserveCapacity(data.count + 400)
        func member(_ name: StaticString, _ value: String) {
            text.append(text.isEmpty ? 0x7B : 0x2C)
            text.append(0x22)
            name.withUTF8Buffer { text.append(contentsOf: $0) }
            text.append(contentsOf: [0x22, 0x3A])
            EventData.append(value, to: &text)
        }
        member("specversion", "1.0")
        member("id", id.description)
        member("source", source)
        member("type", type.rawValue)
        if let subject { member("subject", subject) }
        member("time", Self.timestamp(time))
        member("partitionkey", partitionKey)
        member("datacontenttype", "application/json")
        text.append(contentsOf: ",\"data\":".utf8)
        text.append(contentsOf: data)
        text.append(0x7D)
        return text
    }

    /// A time in RFC 3339, in UTC with milliseconds: `2026-01-31T23:59:59.250Z`.
    package static func timestamp(_ milliseconds: Int64) -> String {
        let (seconds, millisecond) = floorDivide(milliseconds, 1000)
        let (days, second) = floorDivide(seconds, 86_400)
        // Civil date of a day number, counted in eras of 400 years that begin on 1 March.
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let clock = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        return "\(date)T\(clock).\(padded(millisecond, 3))Z"
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
