import DICOMCore

/// A person name as its columns keep it: each component group folded, and how its words sound.
struct PersonNameKeys: Hashable, Sendable {
    var alphabetic: String
    var ideographic: String
    var phonetic: String
    /// `\S530\J500\`
    var codes: String

    var isEmpty: Bool { alphabetic.isEmpty && ideographic.isEmpty && phonetic.isEmpty }

    init(alphabetic: String, ideographic: String, phonetic: String, codes: String) {
        self.alphabetic = alphabetic
        self.ideographic = ideographic
        self.phonetic = phonetic
        self.codes = codes
    }

    /// The first value of the attribute.
    init(_ dataSet: DataSet, _ tag: Tag) {
        self.init(MatchingKeys.values(dataSet, tag).first ?? "")
    }

    /// A name as it stands in a PN: groups with `=` between them, components with `^`.
    init(_ name: String) {
        let groups = name.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false)
            .map { Self.normalized($0) }
        alphabetic = groups.first ?? ""
        ideographic = groups.count > 1 ? groups[1] : ""
        phonetic = groups.count > 2 ? groups[2] : ""
        codes = ValueList(groups.flatMap(Self.codes(ofWordsIn:))).text
    }

    /// One component group, folded, without blanks around components and without empty components at its end.
    static func normalized(_ group: some StringProtocol) -> String {
        let folded = NameFolding.fold(String(group))
        guard folded.utf8.contains(where: { $0 == UInt8(ascii: "^") || $0 == 0x20 || $0 == 0 }) else { return folded }
        var components = folded.split(separator: "^", omittingEmptySubsequences: false).map(\.trimmingBlanks)
        while let last = components.last, last.isEmpty { components.removeLast() }
        return components.joined(separator: "^")
    }

    /// How the words of a folded group sound (American Soundex); words with other letters than a–z stand for
    /// themselves.
    static func codes(ofWordsIn group: some StringProtocol) -> [String] {
        group.split { "^ -,.*?".contains($0) }.map { soundex(String($0)) }
    }

    private static func soundex(_ word: String) -> String {
        let letters = Array(word.utf8)
        guard let first = letters.first, letters.allSatisfy({ (0x61...0x7A).contains($0) }) else { return word }
        //                a  b  c  d  e  f  g  h  i  j  k  l  m  n  o  p  q  r  s  t  u  v  w  x  y  z
        let digits: [UInt8] = [0, 1, 2, 3, 0, 1, 2, 9, 0, 2, 2, 4, 5, 5, 0, 1, 2, 6, 2, 3, 0, 1, 9, 2, 0, 2]
        var code = [first - 0x20]
        var last = digits[Int(first - 0x61)]
        for letter in letters.dropFirst() where code.count < 4 {
            let digit = digits[Int(letter - 0x61)]
            // h and w do not part two letters of one sound, vowels do.
            if digit == 9 { continue }
            if digit != 0, digit != last { code.append(0x30 + digit) }
            last = digit
        }
        while code.count < 4 { code.append(0x30) }
        return String(decoding: code, as: UTF8.self)
    }
}
