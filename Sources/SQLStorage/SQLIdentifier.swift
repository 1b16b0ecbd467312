/// The name of a table or column that is found out at run time. Only what needs no quoting is one.
package struct SQLIdentifier: Hashable, Sendable {
    package let name: String

    /// `nil` when the name has other characters than a–z, 0–9 and _.
    package init?(_ name: String) {
        let isPlain = name.utf8.allSatisfy {
            $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        guard isPlain, let first = name.utf8.first, first > UInt8(ascii: "9") else { return nil }
        self.name = name
    }
}
