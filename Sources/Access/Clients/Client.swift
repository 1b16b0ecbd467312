/// Who may ask for tokens: a program, or a site, with a secret of its own.
package struct Client: Hashable, Sendable {
    /// The `client_id`.
    package var id: String
    /// Whose it is: clients with the role see what others of their organization own.
    package var organization: String?
    /// The most that its tokens and keys may do.
    package var scopes: Set<Scope>
    package var roles: Set<String>
    package var isEnabled: Bool
    /// In milliseconds since 1970.
    package var createdAt: Int64
    package var changedAt: Int64

    package init(
        id: String, organization: String? = nil, scopes: Set<Scope>, roles: Set<String> = [], isEnabled: Bool = true,
        createdAt: Int64, changedAt: Int64? = nil
    ) {
        self.id = id
        self.organization = organization
        self.scopes = scopes
        self.roles = roles
        self.isEnabled = isEnabled
        self.createdAt = createdAt
        self.changedAt = changedAt ?? createdAt
    }

    /// Whether a text can be a client's id: it needs no escaping anywhere.
    package static func isID(_ text: String) -> Bool {
        guard (1...64).contains(text.utf8.count), let first = text.utf8.first, first != UInt8(ascii: "."),
            first != UInt8(ascii: "-")
        else { return false }
        // Ids with this beginning are those of keys that belong to no client.
        guard !text.hasPrefix(APIKey.prefix) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
    }
}
