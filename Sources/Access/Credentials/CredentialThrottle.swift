import Synchronization

/// Slows down those who guess: ten bad tries a minute for an address and the client it claims, then none is looked at for
/// a while, which doubles each time (security.md SEC-13). Other addresses, and other clients behind the same one, go on.
///
/// What is remembered is bounded, so that an attacker with many addresses costs no more memory.
package final class CredentialThrottle: Sendable {
    private struct Key: Hashable {
        var address: [UInt8]
        var client: String
    }

    private struct Tries {
        var windowStart: Int64
        var bad: Int
        var blocks: Int
        var blockedUntil: Int64
    }

    private let limit: Int
    private let tries: Mutex<RecentValues<Key, Tries>>
    private static let window: Int64 = 60_000
    private static let firstBlock: Int64 = 30_000
    private static let longestBlock: Int64 = 15 * 60_000
    /// After so long without a bad try the past is forgotten.
    private static let memory: Int64 = 60 * 60_000

    /// - Parameters:
    ///   - limit: bad tries in a minute.
    ///   - capacity: addresses and clients that are remembered.
    package init(limit: Int = 10, capacity: Int = 16_384) {
        self.limit = limit
        tries = Mutex(RecentValues(limit: capacity))
    }

    /// Milliseconds until a credential of this client from there is looked at; `nil` when it is at once.
    package func wait(client: String, address: String?, now: Int64) -> Int64? {
        tries.withLock { tries in
            guard let found = tries[Self.key(client, address)], found.blockedUntil > now else { return nil }
            return found.blockedUntil - now
        }
    }

    /// Notes a bad try. Answers as ``wait(client:address:now:)`` does from now on.
    @discardableResult
    package func noteBad(client: String, address: String?, now: Int64) -> Int64? {
        tries.withLock { tries in
            let key = Self.key(client, address)
            var found = tries[key] ?? Tries(windowStart: now, bad: 0, blocks: 0, blockedUntil: 0)
            if now - max(found.windowStart, found.blockedUntil) > Self.memory { found.blocks = 0 }
            if now - found.windowStart > Self.window {
                found.windowStart = now
                found.bad = 0
            }
            found.bad += 1
            if found.bad > limit {
                let block = min(Self.firstBlock << Int64(min(found.blocks, 10)), Self.longestBlock)
                found.blockedUntil = now + block
                found.blocks += 1
                // The next window begins when the block ends.
                found.windowStart = found.blockedUntil
                found.bad = 0
            }
            tries[key] = found
            return found.blockedUntil > now ? found.blockedUntil - now : nil
        }
    }

    /// Of IPv6 the network of 64 bits: a host has as many addresses in it as it likes.
    private static func key(_ client: String, _ address: String?) -> Key {
        let bytes = address.flatMap(AddressRanges.bytes) ?? []
        return Key(address: Array(bytes.prefix(bytes.count == 16 ? 8 : 4)), client: String(client.prefix(64)))
    }
}
