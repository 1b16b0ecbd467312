/// Which of the media types on offer a request gets, best first (PS3.18 8.7.8).
///
/// 1. The ranges of the `accept` query parameter come before those of the header.
/// 2. In each set, types that are named come before those that only a wildcard covers.
/// 3. A type takes the weight of the most specific range that matches it; the higher weight wins, and between equal
///    ones the order of the offers, whose first is the resource's default.
public struct MediaTypeSelection: Sendable {
    /// One acceptable way to answer.
    public struct Choice: Hashable, Sendable {
        /// Index into the offers.
        public var offer: Int
        /// The `transfer-syntax` parameter of the range that allows it.
        public var transferSyntax: String?
        /// The `charset` parameter of that range.
        public var charset: String?
        /// Weight in thousandths.
        public var quality: Int
        /// Whether the client did not name the type, but wrote a wildcard that covers it.
        public var isWildcard: Bool
    }

    /// A type, and that of its parts when it is a multipart one.
    private struct Parsed: Sendable {
        let type: MediaType
        let part: MediaType?

        init(_ type: MediaType) {
            self.type = MediaTypeSelection.normalized(type)
            part = type["type"].flatMap { MediaType($0) }.map(MediaTypeSelection.normalized)
        }
    }

    private let offers: [Parsed]

    /// Offers in our order of preference. A multipart offer names its parts' type as `type` parameter.
    public init(offers: [MediaType]) { self.offers = offers.map { Parsed($0) } }

    /// The acceptable choices, best first; empty means 406. With a query parameter that fits nothing, the header decides.
    public func choices(accept: AcceptHeader, query: AcceptHeader? = nil) -> [Choice] {
        var result: [Choice] = []
        if let query, !query.isAbsent { result = choices(in: query) }
        // What the header excludes by name stays excluded for the header only: the query parameter wins.
        for choice in choices(in: accept)
        where !result.contains(where: { $0.offer == choice.offer && $0.transferSyntax == choice.transferSyntax }) {
            result.append(choice)
        }
        return result
    }

    private func choices(in accept: AcceptHeader) -> [Choice] {
        var result: [Choice] = []
        let ranges = accept.ranges.map { ($0, Parsed($0.mediaType)) }
        for (index, offer) in offers.enumerated() {
            var best: [(choice: Choice, specificity: Int)] = []
            for (range, parsed) in ranges {
                guard let specificity = Self.specificity(of: parsed, for: offer) else { continue }
                let choice = Choice(
                    offer: index, transferSyntax: range.mediaType["transfer-syntax"],
                    charset: range.mediaType["charset"], quality: range.quality,
                    isWildcard: specificity < Self.named)
                // The same type in two transfer syntaxes is two representations.
                if let at = best.firstIndex(where: { $0.choice.transferSyntax == choice.transferSyntax }) {
                    let isBetter =
                        specificity > best[at].specificity
                        || specificity == best[at].specificity && choice.quality > best[at].choice.quality
                    if isBetter { best[at] = (choice, specificity) }
                } else {
                    best.append((choice, specificity))
                }
            }
            result += best.map(\.choice).filter { $0.quality > 0 }
        }
        // Stable: equal choices stay in the order of the offers.
        return result.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            if a.isWildcard != b.isWildcard { return !a.isWildcard }
            return a.quality != b.quality ? a.quality > b.quality : left.offset < right.offset
        }.map(\.element)
    }

    private static let named = 4

    /// How exactly a range matches an offer: 0 for `*/*`, `named` and above when the type is named; `nil` when not.
    private static func specificity(of range: Parsed, for offer: Parsed) -> Int? {
        guard range.type.covers(offer.type) else { return nil }
        if range.type.type == "*" { return 0 }
        if range.type.isWildcard { return 1 }
        guard offer.type.type == "multipart" else { return named }
        // `multipart/related` alone leaves the type of the parts open.
        guard range.type["type"] != nil else { return 2 }
        guard let wanted = range.part, let offered = offer.part, wanted.covers(offered) else { return nil }
        return wanted.isWildcard ? 3 : named + 1
    }

    /// The type by its present name.
    private static func normalized(_ mediaType: MediaType) -> MediaType {
        guard let name = PixelMediaTypes.canonicalName(mediaType.essence), name != mediaType.essence else {
            return mediaType
        }
        return MediaType(name) ?? mediaType
    }
}
