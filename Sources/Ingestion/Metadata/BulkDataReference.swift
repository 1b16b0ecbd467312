/// A URI that names bulk data, in the metadata or as a part's Content-Location.
///
/// The two are the same when they agree letter by letter, or after both were resolved against the request's URI: some
/// senders write bare names, some whole URIs (dicomweb.md 3.7). Nothing is ever fetched.
struct BulkDataReference: Hashable {
    let verbatim: String
    let resolved: String

    init(_ text: String, base: String?) {
        verbatim = text
        resolved = Self.resolve(text, against: base)
    }

    /// Reference resolution of RFC 3986 5.2, as far as it needs no decoding of escapes.
    private static func resolve(_ text: String, against base: String?) -> String {
        guard !hasScheme(text), let base, let authorityStart = base.range(of: "://") else { return text }
        let scheme = base[..<authorityStart.lowerBound]
        if text.hasPrefix("//") { return "\(scheme):\(text)" }
        let pathStart = base[authorityStart.upperBound...].firstIndex(of: "/") ?? base.endIndex
        let origin = base[..<pathStart]
        if text.hasPrefix("/") { return origin + normalized(text) }
        let path = base[pathStart...].prefix { $0 != "?" && $0 != "#" }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return origin + normalized(folder + text)
    }

    private static func hasScheme(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = text.utf8[..<colon]
        guard let first = scheme.first, isLetter(first) else { return false }
        return scheme.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    /// Takes `.` and `..` out of a path (RFC 3986 5.2.4).
    private static func normalized(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            switch segment {
            case ".": continue
            case "..": _ = segments.popLast()
            default: segments.append(segment)
            }
        }
        return "/" + segments.joined(separator: "/")
    }
}

extension String {
    /// The first place where the text stands.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
