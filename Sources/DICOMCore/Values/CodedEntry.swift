/// A code with the scheme it is from and what it means (PS3.3 8).
public struct CodedEntry: Hashable, Sendable {
    public var value: String
    public var scheme: String
    public var meaning: String

    public init(value: String, scheme: String, meaning: String) {
        self.value = value
        self.scheme = scheme
        self.meaning = meaning
    }

    /// Reads an item of a code sequence; long codes and URNs count as values, too (PS3.3 8.1).
    public init?(_ item: DataSet) {
        guard
            let value = item.string(for: .codeValue) ?? item.string(for: .longCodeValue)
                ?? item.string(for: .urnCodeValue)
        else { return nil }
        self.init(
            value: value, scheme: item.string(for: .codingSchemeDesignator) ?? "",
            meaning: item.string(for: .codeMeaning) ?? "")
    }
}
