import DICOMCore

/// Values in the form in which people read them.
enum ReadableText {
    /// Family name, given names, prefix and suffix; ideographic writing in parentheses.
    static func name(_ name: PersonName) -> String {
        func written(_ group: PersonName.Group) -> String {
            let given = [group.givenName, group.middleName].filter { !$0.isEmpty }.joined(separator: " ")
            return [group.familyName, given, group.prefix, group.suffix].filter { !$0.isEmpty }.joined(separator: ", ")
        }
        let groups = [name.alphabetic, name.ideographic].compactMap { $0 }.map(written).filter { !$0.isEmpty }
        guard groups.count > 1 else { return groups.first ?? name.phonetic.map(written) ?? "" }
        return "\(groups[0]) (\(groups[1]))"
    }

    /// `2024-01-31`; any other text as it is.
    static func date(_ text: String) -> String {
        let digits = Array(text.utf8)
        guard digits.count == 8, digits.allSatisfy(isDigit) else { return text }
        return "\(part(digits, 0, 4))-\(part(digits, 4, 6))-\(part(digits, 6, 8))"
    }

    /// `10:11:12`, as far as it goes, without fractions; any other text as it is.
    static func time(_ text: String) -> String {
        let digits = Array(text.utf8.prefix { $0 != UInt8(ascii: ".") })
        guard [2, 4, 6].contains(digits.count), digits.allSatisfy(isDigit) else { return text }
        return stride(from: 0, to: digits.count, by: 2).map { part(digits, $0, $0 + 2) }.joined(separator: ":")
    }

    /// `2024-01-31 10:11:12 +0100`; any other text as it is.
    static func dateTime(_ text: String) -> String {
        let offset = text.firstIndex { $0 == "+" || $0 == "-" } ?? text.endIndex
        let moment = text[..<offset]
        guard moment.utf8.count > 8 else { return date(String(moment)) }
        let written = date(String(moment.prefix(8))) + " " + time(String(moment.dropFirst(8)))
        return offset == text.endIndex ? written : written + " " + text[offset...]
    }

    private static func part(_ digits: [UInt8], _ start: Int, _ end: Int) -> String {
        String(decoding: digits[start..<end], as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
