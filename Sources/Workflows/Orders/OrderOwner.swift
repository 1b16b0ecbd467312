package import Access

/// Whose an order is: the client that made it, and the organization of that client.
package struct OrderOwner: Hashable, Sendable {
    /// `nil` when the client did not have to say who it is.
    package var client: String?
    package var organization: String?

    package init(client: String?, organization: String?) {
        self.client = client
        self.organization = organization
    }

    package init(_ principal: Principal) {
        self.init(client: principal.client, organization: principal.organization)
    }

    /// What orders of one study are told apart by: the organization, or the client that has none.
    var key: String {
        if let organization { return "o:" + organization }
        if let client { return "c:" + client }
        return ""
    }
}

extension Principal {
    /// Whether the orders of this owner are there for whoever asks: its own, for `org-admin` those of its organization.
    /// Who does not have to say who they are sees all, and so does `admin`.
    func sees(_ owner: OrderOwner) -> Bool {
        guard let client, !scopes.contains(.admin) else { return true }
        if owner.client == client { return true }
        guard let organization, roles.contains(Self.organizationAdministrator) else { return false }
        return owner.organization == organization
    }
}
