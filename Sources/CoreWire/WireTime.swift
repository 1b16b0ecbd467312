import DICOMCore

/// Times as this wire has them: RFC 3339 with an offset.
package enum WireTime {
    /// Milliseconds since 1970 of `2024-01-05T10:11:12.345678Z`; `nil` for what is no such time.
    package static func milliseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] | 0x20 == 0x74, bytes[13] == 0x3A,
            bytes[16] == 0x3A
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19), hour < 24,
            minute < 60, second < 61,
            let date = DateValue(year: Int(year), month: Int(month), day: Int(day))
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if bytes[position] == 0x2E {
            position += 1
            var scale: Int64 = 100
            while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
                fraction += Int64(bytes[position] - 0x30) * scale
                scale /= 10
                position += 1
            }
        }
        guard position < bytes.count else { return nil }
        var offset: Int64 = 0
        switch bytes[position] {
        case 0x5A, 0x7A: guard position + 1 == bytes.count else { return nil }
        case 0x2B, 0x2D:
            guard position + 6 == bytes.count, bytes[position + 3] == 0x3A,
                let hours = number(position + 1..<position + 3), let minutes = number(position + 4..<position + 6)
            else { return nil }
            offset = (hours * 60 + minutes) * (bytes[position] == 0x2D ? -1 : 1)
        default: return nil
        }
        let seconds = Int64(date.daysSince1970) * 86_400 + hour * 3600 + minute * 60 + second - offset * 60
        return seconds * 1000 + fraction
    }
}
