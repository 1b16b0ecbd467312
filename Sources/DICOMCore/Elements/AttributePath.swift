/// The way to an attribute: the sequences around it, outermost first, then its own tag (PS3.18 8.3.4.1).
public struct AttributePath: Hashable, Sendable {
    /// Never empty when read from text; all but the last one are sequences.
    public var tags: [Tag]

    public init(_ tags: [Tag]) { self.tags = tags }
    public init(_ tag: Tag) { self.tags = [tag] }

    /// Reads keywords or eight hexadecimal digits, mixed at will, with dots between:
    /// `RequestAttributesSequence.00401001`.
    public init?(_ text: some StringProtocol, dictionary: DataDictionary = .standard) {
        var tags: [Tag] = []
        for segment in text.split(separator: ".", omittingEmptySubsequences: false) {
            guard let tag = Tag(hexadecimal: segment) ?? dictionary.tag(forKeyword: segment) else { return nil }
            tags.append(tag)
        }
        self.tags = tags
    }

    /// The attribute itself.
    public var last: Tag { tags.last ?? Tag(0, 0) }

    /// The sequences around the attribute.
    public var sequences: ArraySlice<Tag> { tags.dropLast() }

    /// The elements that the path leads to, through every item of each sequence.
    public func elements(in dataSet: DataSet) -> [DataElement] {
        var dataSets = [dataSet]
        for sequence in sequences { dataSets = dataSets.flatMap { $0[sequence]?.items ?? [] } }
        return dataSets.compactMap { $0[last] }
    }
}

extension AttributePath: CustomStringConvertible {
    /// Keywords where there are any, else digits: `RequestAttributesSequence.00401001`.
    public var description: String {
        tags.map { DataDictionary.standard.keyword(for: $0) ?? $0.hexadecimal }.joined(separator: ".")
    }
}
