/// An age: three digits and a unit (AS, PS3.5 6.2).
public struct AgeString: Hashable, Sendable {
    public enum Unit: Character, Hashable, Sendable { case days = "D", weeks = "W", months = "M", years = "Y" }

    public let number: Int
    public let unit: Unit

    public init?(_ text: some StringProtocol) {
        var reader = DigitReader(Array(text.utf8)[...])
        guard let number = reader.number(digits: 3), let last = text.last(where: { $0 != " " && $0 != "\0" }),
            let unit = Unit(rawValue: last), reader.skip(last.unicodeScalars.first ?? " "), reader.isAtEnd
        else { return nil }
        self.number = number
        self.unit = unit
    }
}

extension AgeString: CustomStringConvertible {
    public var description: String { zeroPadded(number, to: 3) + String(unit.rawValue) }
}
