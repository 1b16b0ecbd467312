/// A sorted set of values in one text column, each between backslashes: `\CT\PT\`; nothing is the empty text.
struct ValueList: Hashable, Sendable {
    private(set) var text: String

    init(text: String) { self.text = text }

    init(_ values: some Sequence<String>) {
        let sorted = Set(values).filter { !$0.isEmpty }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        text = sorted.isEmpty ? "" : "\\" + sorted.joined(separator: "\\") + "\\"
    }

    var values: [String] { text.split(separator: "\\").map(String.init) }

    /// Puts the value in its place. Says whether it was new.
    mutating func insert(_ value: String) -> Bool {
        guard !value.isEmpty else { return false }
        let old = values
        guard !old.contains(value) else { return false }
        self = ValueList(old + [value])
        return true
    }
}
