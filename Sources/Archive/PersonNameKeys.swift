import DICOMCore

/// A person name as its columns keep it: each component group folded, and how its words sound.
struct PersonNameKeys: Hashable, Codable, Sendable {
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
            .map { MatchingKeys.beginning(of: Self.normalized($0)) }
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

    /// How the words of a group sound.
    static func codes(ofWordsIn group: some StringProtocol) -> [String] {
        group.split { "^ -,.*?".contains($0) }.map { PhoneticCode.code(of: String($0)) }
    }
}
