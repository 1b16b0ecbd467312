/// Who asks: what a credential that was checked says of its bearer.
package struct Principal: Hashable, Sendable {
    /// The client that the credential names; `nil` when none was asked for.
    package var client: String?
    /// The id of the key or token, never its content.
    package var credentialID: String?
    /// The organization that the client belongs to: what it owns, its other clients with the role may see.
    package var organization: String?
    package var scopes: Set<Scope>
    /// Such as `org-admin`.
    package var roles: Set<String>
    /// When the credential ends, in milliseconds since 1970; `nil` for never.
    package var expiresAt: Int64?

    package init(
        client: String?, credentialID: String?, organization: String?, scopes: Set<Scope>, roles: Set<String> = [],
        expiresAt: Int64? = nil
    ) {
        self.client = client
        self.credentialID = credentialID
        self.organization = organization
        self.scopes = scopes
        self.roles = roles
        self.expiresAt = expiresAt
    }

    /// Anybody, where nobody has to say who they are: may do everything.
    package static let anonymous = Principal(
        client: nil, credentialID: nil, organization: nil, scopes: Set(Scope.all))

    /// Somebody who has not said who they are, where others have to: may do nothing that needs a scope.
    package static let unidentified = Principal(client: nil, credentialID: nil, organization: nil, scopes: [])

    /// Whether the credential allows this; `admin` allows everything.
    package func allows(_ scope: Scope) -> Bool { scopes.contains(scope) || scopes.contains(.admin) }

    /// The role that sees all of its organization's orders and uploads.
    package static let organizationAdministrator = "org-admin"
}
