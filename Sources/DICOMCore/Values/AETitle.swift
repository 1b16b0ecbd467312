/// The title of an application entity: 1 to 16 characters, no backslash or control characters (AE, PS3.5 6.2).
public struct AETitle: Hashable, Sendable {
    public let string: String

    /// Blanks around the title mean nothing.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)[...].trimmed(leading: true)
        guard (1...16).contains(bytes.count), bytes.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x5C }) else {
            return nil
        }
        string = String(decoding: bytes, as: UTF8.self)
    }
}

extension AETitle: CustomStringConvertible {
    public var description: String { string }
}
