import HTTPTypes
import Ingestion
import Synchronization

/// How many URLs a client may have out, and how fast it may ask for more (security.md C.3, rule 7).
///
/// Counting what is out costs, so it is done every second, and for each request once a client comes near its limit.
final class UploadAllowance: Sendable {
    private struct Account {
        /// What was out when it was last counted, and how many had been granted by then.
        var counted: (out: Int, granted: Int, at: Int64)?
        var granted = 0
        var written = 0
        var tokens: Double
        var filledAt: Int64

        /// Never less than what is out.
        var estimate: Int? { counted.map { $0.out + granted - $0.granted } }
    }

    private let limit: Int
    /// URLs a second, and at once.
    private let rate: Int
    private let accounts = Mutex<[String: Account]>([:])
    private let count: @Sendable (String?) async throws -> Int
    private let clock: @Sendable () -> Int64

    private static let mostAccounts = 10_000

    /// - Parameters:
    ///   - rate: URLs a second for one client; 0 for as many as it likes.
    ///   - count: Counts what a client has out.
    init(
        limit: Int, rate: Int, clock: @escaping @Sendable () -> Int64,
        count: @escaping @Sendable (String?) async throws -> Int
    ) {
        self.limit = limit
        self.rate = rate
        self.clock = clock
        self.count = count
    }

    /// Has `issue` write the row of a URL, where the client may have one more.
    func withGrant<Result>(for client: String?, _ issue: () async throws -> Result) async throws -> Result {
        let name = client ?? ""
        guard takeToken(name) else {
            throw Problem(
                .tooManyUploads, "One client may ask for \(rate) URLs a second.", headers: [.retryAfter: "1"])
        }
        if !grantByEstimate(name) {
            guard try await grantByCounting(name, client) else {
                throw Problem(
                    .tooManyUploads,
                    "One client may have \(limit) URLs out that were neither used nor have run out.",
                    headers: [.retryAfter: "60"])
            }
        }
        do {
            let result = try await issue()
            accounts.withLock { $0[name]?.written += 1 }
            return result
        } catch {
            accounts.withLock { $0[name]?.granted -= 1 }
            throw error
        }
    }

    private func takeToken(_ name: String) -> Bool {
        let now = clock()
        return accounts.withLock { accounts in
            if accounts.count > Self.mostAccounts { accounts.removeAll() }
            var account = accounts[name] ?? Account(tokens: Double(rate), filledAt: now)
            defer { accounts[name] = account }
            guard rate > 0 else { return true }
            account.tokens = min(
                Double(rate), account.tokens + Double(max(0, now - account.filledAt)) / 1000 * Double(rate))
            account.filledAt = now
            guard account.tokens >= 1 else { return false }
            account.tokens -= 1
            return true
        }
    }

    private func grantByEstimate(_ name: String) -> Bool {
        let now = clock()
        return accounts.withLock { accounts in
            guard let account = accounts[name], let counted = account.counted, let estimate = account.estimate,
                now - counted.at < 1000, estimate < limit - limit / 8
            else { return false }
            accounts[name]?.granted += 1
            return true
        }
    }

    /// Counts what is out and grants one more where that is less than the limit.
    private func grantByCounting(_ name: String, _ client: String?) async throws -> Bool {
        for _ in 0..<Self.mostCounts {
            let before = accounts.withLock { $0[name]?.written ?? 0 }
            let out = try await count(client)
            switch grant(name, counted: out, written: before) {
            case .granted: return true
            case .refused: return false
            case .countAgain: continue
            }
        }
        return false
    }

    private static let mostCounts = 8

    private enum Verdict { case granted, refused, countAgain }

    private func grant(_ name: String, counted out: Int, written: Int) -> Verdict {
        let now = clock()
        return accounts.withLock { accounts in
            guard var account = accounts[name] else { return out < limit ? .granted : .refused }
            // What was granted and was not yet in the table when counting began.
            account.counted = (out, written, now)
            let isGranted = (account.estimate ?? limit) < limit
            if isGranted { account.granted += 1 }
            accounts[name] = account
            if isGranted { return .granted }
            // What was written while we counted may have been counted twice.
            return account.written == written ? .refused : .countAgain
        }
    }
}
