package import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Sends requests over AsyncHTTPClient and tries again what may succeed the next time.
///
/// Tried again are connections that fail and the answers 429, 502, 503 and 504. Everything that goes through here may be sent
/// twice: searches and retrievals change nothing, and an instance stored twice is stored once.
package struct HTTPSender: Sendable {
    /// Told before each further attempt.
    package struct Retry: Sendable {
        package var attempt: Int
        package var delay: Duration
        /// A status or the words of an error.
        package var cause: String
    }

    private let client: HTTPClient
    private let policy: RetryPolicy
    /// A bearer token for `Authorization`.
    private let token: String?
    private let onRetry: @Sendable (Retry) -> Void
    private let sleep: @Sendable (Duration) async throws -> Void
    private let random: @Sendable () -> Double

    package init(
        client: HTTPClient, policy: RetryPolicy = .standard, token: String? = nil,
        onRetry: @escaping @Sendable (Retry) -> Void = { _ in },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.client = client
        self.policy = policy
        self.token = token
        self.onRetry = onRetry
        self.sleep = sleep
        self.random = random
    }

    /// Sends what `makeRequest` makes, which is called anew for each attempt, and returns the first answer that stands.
    package func send(
        _ makeRequest: @Sendable () throws -> HTTPClientRequest
    ) async throws -> HTTPClientResponse {
        var attempt = 1
        while true {
            var request = try makeRequest()
            request.headers.replaceOrAdd(name: "user-agent", value: "gantry")
            if let token { request.headers.replaceOrAdd(name: "authorization", value: "Bearer \(token)") }
            let cause: String
            var requested: Duration?
            do {
                let response = try await client.execute(request, timeout: .hours(24))
                guard Self.isPassing(response.status) else { return response }
                requested = response.headers.first(name: "retry-after").flatMap { Int($0) }.map { .seconds(max(0, $0)) }
                guard let delay = policy.delay(afterAttempt: attempt, requested: requested, random: random()) else {
                    return response
                }
                cause = "status \(response.status.code)"
                // What is left of the answer is dropped together with its connection.
                try await wait(delay, attempt, cause)
            } catch let error as FileChangedError {
                throw error
            } catch let error as FileReadError {
                throw error
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                guard !Task.isCancelled,
                    let delay = policy.delay(afterAttempt: attempt, requested: nil, random: random())
                else { throw error }
                try await wait(delay, attempt, "\(error)")
            }
            attempt += 1
        }
    }

    private func wait(_ delay: Duration, _ attempt: Int, _ cause: String) async throws {
        onRetry(Retry(attempt: attempt, delay: delay, cause: cause))
        try await sleep(delay)
    }

    /// Whether the answer says that another attempt may go better.
    private static func isPassing(_ status: HTTPResponseStatus) -> Bool {
        [429, 502, 503, 504].contains(status.code)
    }
}
