import Crypto
import FoundationEssentials

/// A credential in one piece, `gk_<id>_<secret>`, for who cannot ask for tokens.
package struct APIKey: Hashable, Sendable {
    /// What every key begins with.
    package static let prefix = "gk_"

    /// The part that may be shown: it stands in logs, lists and the audit trail.
    package var id: String
    /// The client that it belongs to; `nil` for a key of its own.
    package var client: String?
    /// What it is for, in the words of who made it.
    package var note: String?
    package var organization: String?
    package var scopes: Set<Scope>
    /// Addresses and networks from which it is taken; empty for all.
    package var networks: [String]
    /// In milliseconds since 1970, as all times here.
    package var createdAt: Int64
    package var expiresAt: Int64?
    package var revokedAt: Int64?
    /// When it was used, give or take ten minutes.
    package var lastUsedAt: Int64?

    package init(
        id: String = APIKey.makeID(), client: String? = nil, note: String? = nil, organization: String? = nil,
        scopes: Set<Scope>, networks: [String] = [], createdAt: Int64, expiresAt: Int64? = nil,
        revokedAt: Int64? = nil, lastUsedAt: Int64? = nil
    ) {
        self.id = id
        self.client = client
        self.note = note
        self.organization = organization
        self.scopes = scopes
        self.networks = networks
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
    }

    /// A new id: 60 random bits in letters and digits that are hard to mistake.
    package static func makeID() -> String {
        let letters = Array("abcdefghjkmnpqrstuvwxyz23456789".utf8)
        var random = SystemRandomNumberGenerator()
        return String(decoding: (0..<12).map { _ in letters.randomElement(using: &random) ?? 0x61 }, as: UTF8.self)
    }
}

/// What its bearer sends of an API key: its id, and a secret of 256 random bits.
struct APIKeyText {
    let id: String
    private let secret: [UInt8]

    /// A new secret for a key.
    init(id: String) {
        self.id = id
        secret = RandomBytes.make(32)
    }

    /// Reads one; `nil` when it is no key.
    init?(_ text: String) {
        guard text.utf8.count <= 128, text.hasPrefix(APIKey.prefix) else { return nil }
        let parts = text.dropFirst(APIKey.prefix.count).split(
            separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, (4...32).contains(parts[0].utf8.count),
            parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }),
            let secret = Base64URL.decode(parts[1].utf8), secret.count == 32
        else { return nil }
        id = String(parts[0])
        self.secret = secret
    }

    var text: String { "\(APIKey.prefix)\(id)_\(Base64URL.encode(secret))" }

    /// SHA-256 of the secret: nobody can guess 256 random bits, so that a fast hash is enough.
    var digest: [UInt8] { Array(SHA256.hash(data: secret)) }
}
