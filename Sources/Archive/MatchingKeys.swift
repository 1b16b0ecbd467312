import DICOMCore
@_spi(_Unicode) import Swift

/// Values of a data set in the form that columns keep and conditions are written in.
enum MatchingKeys {
    /// The values of a text attribute, without blanks around them; none when it is absent or not text.
    static func values(_ dataSet: DataSet, _ tag: Tag) -> [String] {
        guard let element = dataSet[tag], element.vr.isText, let bytes = element.bytes, !bytes.isEmpty else {
            return []
        }
        let texts =
            element.vr.isBackslashDelimited
            ? dataSet.characterSet.decodeValues(bytes, vr: element.vr)
            : [dataSet.characterSet.decode(bytes, vr: element.vr)]
        return texts.map { String($0.trimmingBlanks) }
    }

    /// The text of an attribute, in normalization form C; empty when it is absent. Several values, where there should
    /// be one, stay together.
    static func text(_ dataSet: DataSet, _ tag: Tag) -> String {
        let values = values(dataSet, tag)
        return key(values.count == 1 ? values[0] : values.joined(separator: "\\"))
    }

    /// The most UTF-8 that a column keeps of a text. No VR that has a column allows as much, and PostgreSQL indexes none above 2.7 kB.
    static let maximumLength = 1024

    /// A text as columns keep it: normalized, and what is longer than ``maximumLength`` by its beginning.
    static func key(_ text: String) -> String { beginning(of: normalized(text)) }

    /// The text, or its first ``maximumLength`` bytes but for half a character.
    static func beginning(of text: String) -> String {
        guard text.utf8.count > maximumLength else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: maximumLength)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    /// The first value of an IS as a number.
    static func number(_ dataSet: DataSet, _ tag: Tag) -> Int64? {
        guard let text = values(dataSet, tag).first, !text.isEmpty else { return nil }
        if let number = Int64(text) { return number == ArchiveSchema.noNumber ? nil : number }
        return Double(text).flatMap { Int64(exactly: $0) }.flatMap { $0 == ArchiveSchema.noNumber ? nil : $0 }
    }

    /// The first value of a DA as a number such as 20240115.
    static func date(_ dataSet: DataSet, _ tag: Tag) -> Int64 {
        values(dataSet, tag).first.flatMap { DateValue($0) }.map { Int64($0.number) } ?? ArchiveSchema.noDate
    }

    /// The first value of a TM in microseconds since midnight.
    static func time(_ dataSet: DataSet, _ tag: Tag) -> Int64 {
        values(dataSet, tag).first.flatMap { TimeValue($0) }.map { Int64($0.earliest) } ?? ArchiveSchema.noTime
    }

    /// Text in Unicode normalization form C and without U+0000, which no database keeps.
    static func normalized(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 && $0 != 0 }) { return text }
        return String(text.unicodeScalars.contains("\u{0}") ? text.filter { $0 != "\u{0}" } : text)._nfcText
    }

    /// A number as text: without a point when it is whole.
    static func text(of number: Double) -> String {
        Int64(exactly: number).map(String.init) ?? String(number)
    }
}

extension String {
    fileprivate var _nfcText: String {
        var text = ""
        for character in _nfc { text.unicodeScalars.append(character) }
        return text
    }
}

extension StringProtocol {
    /// Without spaces and NULs around it.
    var trimmingBlanks: SubSequence {
        var (start, end) = (utf8.startIndex, utf8.endIndex)
        while start < end, utf8[start] == 0x20 || utf8[start] == 0 { start = utf8.index(after: start) }
        while end > start {
            let before = utf8.index(end, offsetBy: -1)
            guard utf8[before] == 0x20 || utf8[before] == 0 else { break }
            end = before
        }
        return self[start..<end]
    }
}
