import Crypto
import CryptoExtras
import FoundationEssentials
import NIOPosix
import Synchronization

/// A client's secret as it is kept: scrypt with a salt of its own (RFC 7914).
package struct SecretHash: Hashable, Sendable {
    /// Cost, salt and hash, as `scrypt$15$8$1$salt$hash`.
    package let text: String

    /// Takes what was kept.
    package init(text: String) { self.text = text }

    /// Hashes a secret. Takes long; see ``SecretHashing``.
    /// - Parameter cost: base 2 logarithm of the number of rounds.
    init(_ secret: String, cost: Int) throws {
        let salt = RandomBytes.make(16)
        let hash = try Self.scrypt(secret, salt, cost: cost)
        text = "scrypt$\(cost)$8$1$\(Base64URL.encode(salt))$\(Base64URL.encode(hash))"
    }

    /// Whether this is the secret's hash. Takes as long for a wrong one.
    func matches(_ secret: String) -> Bool {
        let parts = text.split(separator: "$")
        guard parts.count == 6, parts[0] == "scrypt", let cost = Int(parts[1]), (1...20).contains(cost),
            parts[2] == "8", parts[3] == "1", let salt = Base64URL.decode(parts[4].utf8),
            let hash = Base64URL.decode(parts[5].utf8), let other = try? Self.scrypt(secret, salt, cost: cost)
        else { return false }
        return ConstantTime.areEqual(hash, other)
    }

    private static func scrypt(_ secret: String, _ salt: [UInt8], cost: Int) throws -> [UInt8] {
        let key = try KDF.Scrypt.deriveKey(
            from: Array(secret.utf8), salt: salt, outputByteCount: 32, rounds: 1 << cost, blockSize: 8, parallelism: 1)
        return key.withUnsafeBytes { Array($0) }
    }
}

/// Runs the slow hash on threads that may block, few at a time: it costs memory and time on purpose.
package final class SecretHashing: Sendable {
    private let running = Mutex(0)
    private let most: Int
    private let cost: Int

    /// - Parameters:
    ///   - cost: base 2 logarithm of the number of rounds; 15 takes 32 MiB and some 80 ms.
    ///   - most: how many may wait or run; who comes then is told to come again.
    package init(cost: Int = 15, most: Int = 16) {
        self.cost = cost
        self.most = most
    }

    /// A hash that no secret has, for clients that there are not; checking it takes as long as any.
    var nobody: SecretHash {
        SecretHash(
            text:
                "scrypt$\(cost)$8$1$\(String(repeating: "A", count: 22))$\(String(repeating: "A", count: 43))")
    }

    /// The hash of a secret.
    package func hash(_ secret: String) async throws -> SecretHash {
        try await run { [cost] in try SecretHash(secret, cost: cost) }
    }

    /// Whether a secret is the one of this hash.
    func matches(_ secret: String, _ hash: SecretHash) async throws -> Bool {
        try await run { hash.matches(secret) }
    }

    private func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        let isFree = running.withLock { running in
            guard running < most else { return false }
            running += 1
            return true
        }
        guard isFree else { throw AccessError(.unavailable, "too many secrets wait to be checked") }
        defer { running.withLock { $0 -= 1 } }
        return try await NIOThreadPool.singleton.runIfActive(body)
    }
}
