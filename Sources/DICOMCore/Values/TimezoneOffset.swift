/// An offset from UTC as (0008,0201) has it, `+0100` (PS3.3 C.12.1.1.8).
public struct TimezoneOffset: Hashable, Sendable {
    /// Minutes east of UTC.
    public let minutes: Int

    public static let utc = TimezoneOffset(minutes: 0)

    private init(minutes: Int) { self.minutes = minutes }

    /// Reads a sign and four digits, up to 14 hours.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            bytes[1...].allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        let digits = bytes[1...].map { Int($0) - 0x30 }
        let (hours, minutes) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
        guard minutes < 60, hours * 60 + minutes <= 14 * 60 else { return nil }
        self.minutes = (bytes[0] == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }
}

extension TimezoneOffset: CustomStringConvertible {
    public var description: String {
        let size = abs(minutes)
        return (minutes < 0 ? "-" : "+") + zeroPadded(size / 60 * 100 + size % 60, to: 4)
    }
}
