/// What a credential allows, as it stands in a token's `scope`.
package struct Scope: RawRepresentable, Hashable, Sendable, Codable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// Ask for presigned URLs and see what became of them.
    package static let upload = Scope(rawValue: "upload")
    package static let ordersRead = Scope(rawValue: "orders.read")
    package static let ordersWrite = Scope(rawValue: "orders.write")
    package static let dicomwebStore = Scope(rawValue: "dicomweb.store")
    package static let dicomwebRead = Scope(rawValue: "dicomweb.read")
    package static let dicomwebDelete = Scope(rawValue: "dicomweb.delete")
    /// Virtual AEs, rules and what else is configured while the server runs.
    package static let config = Scope(rawValue: "config")
    package static let auditRead = Scope(rawValue: "audit.read")
    /// Clients and keys, and everything else.
    package static let admin = Scope(rawValue: "admin")

    /// All there are, in the order in which they are listed.
    package static let all: [Scope] = [
        .upload, .ordersRead, .ordersWrite, .dicomwebStore, .dicomwebRead, .dicomwebDelete, .config, .auditRead, .admin,
    ]
}
