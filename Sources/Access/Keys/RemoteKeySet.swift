/// A key set document as it was fetched.
package struct KeySetDocument: Sendable {
    package var bytes: [UInt8]
    /// Seconds for which the issuer says it is good.
    package var lifetime: Int64?

    package init(bytes: [UInt8], lifetime: Int64? = nil) {
        self.bytes = bytes
        self.lifetime = lifetime
    }
}

/// The keys of an issuer of others, kept for as long as it says (five minutes to a day), fetched again when a token names
/// a key that is not among them, and never more often than once a minute: who sends tokens cannot make us ask more.
///
/// While the issuer does not answer the old keys are good for another hour.
package actor RemoteKeySet {
    private let url: String
    private let fetch: @Sendable (String) async throws -> KeySetDocument
    private let clock: @Sendable () -> Int64
    private var keys: VerificationKeySet?
    private var freshUntil: Int64 = 0
    private var triedAt: Int64?
    private var isFetching = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    private static let minute: Int64 = 60_000
    private static let grace = 60 * minute
    private static let shortest: Int64 = 5 * 60
    private static let standard: Int64 = 60 * 60
    private static let longest: Int64 = 24 * 60 * 60

    package init(
        url: String, clock: @escaping @Sendable () -> Int64,
        fetch: @escaping @Sendable (String) async throws -> KeySetDocument
    ) {
        self.url = url
        self.clock = clock
        self.fetch = fetch
    }

    /// The key that a token names, `nil` when the issuer has none of this name. Throws ``AccessError`` when its keys are
    /// not known.
    func key(named id: String?) async throws(AccessError) -> VerificationKey? {
        var now = clock()
        if now < freshUntil, let key = keys?.key(named: id) { return key }
        await refresh(now)
        now = clock()
        guard let keys, now < freshUntil + Self.grace else {
            throw AccessError(.unavailable, "the keys of the token's issuer cannot be had")
        }
        return keys.key(named: id)
    }

    /// Fetches the keys, unless that was tried within the last minute; who comes meanwhile waits for the same answer.
    private func refresh(_ now: Int64) async {
        if isFetching {
            return await withCheckedContinuation { waiting.append($0) }
        }
        if let triedAt, now - triedAt < Self.minute, now >= triedAt { return }
        isFetching = true
        triedAt = now
        // A task of its own: it belongs to all who wait, and must not end with the one who came first.
        let document = await Task { [url, fetch] in try? await fetch(url) }.value
        if let document, let found = VerificationKeySet(document: document.bytes) {
            keys = found
            let lifetime = min(max(document.lifetime ?? Self.standard, Self.shortest), Self.longest)
            freshUntil = clock() + lifetime * 1000
        }
        isFetching = false
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
