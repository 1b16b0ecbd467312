/// A person name: up to three groups for alphabetic, ideographic and phonetic writing (PN, PS3.5 6.2.1).
public struct PersonName: Hashable, Sendable {
    /// One group: family name, given name, middle name, prefix and suffix, separated by `^`.
    public struct Group: Hashable, Sendable {
        public var components: [String]

        public init(components: [String]) { self.components = components }

        public init(_ text: some StringProtocol) {
            components = text.split(separator: "^", omittingEmptySubsequences: false).map { String($0).trimmingBlanks }
            while components.last?.isEmpty == true { components.removeLast() }
        }

        public var familyName: String { component(0) }
        public var givenName: String { component(1) }
        public var middleName: String { component(2) }
        public var prefix: String { component(3) }
        public var suffix: String { component(4) }
        public var isEmpty: Bool { components.allSatisfy(\.isEmpty) }

        private func component(_ index: Int) -> String { index < components.count ? components[index] : "" }
    }

    /// The groups as they stood between `=`, without trailing empty ones; more than three are kept.
    public var groups: [Group]

    public init(groups: [Group]) { self.groups = groups }

    /// Reads one value. Never fails: what a name may look like is not for us to say.
    public init(_ text: some StringProtocol) {
        groups = text.split(separator: "=", omittingEmptySubsequences: false).map { Group($0) }
        while groups.last?.components.isEmpty == true { groups.removeLast() }
    }

    public var alphabetic: Group? { group(0) }
    public var ideographic: Group? { group(1) }
    public var phonetic: Group? { group(2) }
    public var isEmpty: Bool { groups.allSatisfy(\.isEmpty) }

    private func group(_ index: Int) -> Group? {
        index < groups.count && !groups[index].isEmpty ? groups[index] : nil
    }
}

extension PersonName: CustomStringConvertible {
    public var description: String { groups.map(\.description).joined(separator: "=") }
}

extension PersonName.Group: CustomStringConvertible {
    public var description: String { components.joined(separator: "^") }
}

extension String {
    var trimmingBlanks: String {
        guard utf8.first == 0x20 || utf8.last == 0x20 else { return self }
        return String(decoding: Array(utf8)[...].trimmed(leading: true), as: UTF8.self)
    }
}
