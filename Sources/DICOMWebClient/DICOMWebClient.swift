import AsyncHTTPClient
import NIOCore

/// A user agent of the studies service (PS3.18 10): stores, searches and retrieves.
package struct DICOMWebClient: Sendable {
    package struct Options: Sendable {
        /// A bearer token.
        package var token: String?
        package var retries: RetryPolicy = .standard
        /// Connections to the server at a time.
        package var connections = 4
        /// How long a server may be silent.
        package var silence: Duration = .seconds(300)
        /// Told of each further attempt.
        package var onRetry: @Sendable (HTTPSender.Retry) -> Void = { _ in }

        package init() {}
    }

    /// The base address, without a slash at its end.
    package let base: String
    let sender: HTTPSender
    let connections: Int

    package init(base: String, sender: HTTPSender, connections: Int = 4) {
        var base = base
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
        self.sender = sender
        self.connections = max(1, connections)
    }

    /// Lends a client with connections of its own, and closes these in the end.
    package static func withClient<Result: Sendable>(
        base: String, options: Options = Options(),
        _ body: (DICOMWebClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .seconds(options.silence.components.seconds)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, options.connections)
        // Connections are tried again by the sender, which tells of it.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let sender = HTTPSender(
            client: client, policy: options.retries, token: options.token, onRetry: options.onRetry)
        do {
            let result = try await body(
                DICOMWebClient(base: base, sender: sender, connections: options.connections))
            try await client.shutdown()
            return result
        } catch {
            // The error of the work counts, not that of the clearing up after it.
            try? await client.shutdown()
            throw error
        }
    }
}

/// An answer that is not what was asked for.
package struct DICOMWebAnswerError: Error, Hashable, Sendable, CustomStringConvertible {
    package var status: Int
    /// The start of the body, or what is wrong with it.
    package var explanation: String

    package init(status: Int, explanation: String) {
        self.status = status
        self.explanation = explanation
    }

    package var description: String {
        explanation.isEmpty ? "the server answered \(status)" : "the server answered \(status): \(explanation)"
    }
}
