package import AsyncHTTPClient
import Glibc
package import NIOCore
package import NIOHTTP1
import NIOPosix

/// The way to another of our processes: an address, and requests that are tried again while connections fail.
package struct CoreConnection: Sendable {
    /// Why there is no answer.
    package enum Failure: Error, Hashable, Sendable {
        /// It was never reached.
        case unreachable
        /// It may have got the request, and even done what it asks for.
        case interrupted
        /// The answer is not one of this wire.
        case unreadable
    }

    package struct Answer: Sendable {
        package var status: Int
        package var contentType: String
        package var body: ByteBuffer
        let headers: HTTPHeaders

        /// The first value of a field.
        package func field(_ name: String) -> String? { headers.first(name: name) }
    }

    /// The base address, without a slash at its end.
    package let base: String
    private let client: HTTPClient
    private let timeout: Duration
    private let attempts: Int

    private static let firstDelay = Duration.milliseconds(50)
    private static let longestAnswer = 1 << 30

    /// - Parameter timeout: for the whole of one attempt.
    package init(base: String, client: HTTPClient, timeout: Duration = .seconds(30), attempts: Int = 4) {
        var base = base
        while base.hasSuffix("/") { base.removeLast() }
        self.base = base
        self.client = client
        self.timeout = timeout
        self.attempts = max(1, attempts)
    }

    /// A connection with a client of its own; ``close()`` ends it.
    package static func open(base: String, timeout: Duration = .seconds(30)) -> CoreConnection {
        CoreConnection(base: base, client: makeClient(silence: timeout), timeout: timeout)
    }

    /// Ends the client.
    package func close() async throws { try await client.shutdown() }

    /// A client for connections.
    package static func makeClient(silence: Duration = .seconds(30)) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(3)
        configuration.timeout.read = .seconds(silence.components.seconds)
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        // Tried again here, where it is known what may be.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends a request that may arrive twice. An answer is an answer whatever its status.
    package func send(
        _ method: HTTPMethod = .GET, _ path: String = "", fields: [(String, String)] = [], body: ByteBuffer? = nil
    ) async throws -> Answer {
        var wasInterrupted = false
        var delay = Self.firstDelay
        var attempt = 1
        while true {
            do {
                return try await execute(method, path, fields, body)
            } catch let failure as Failure {
                throw failure
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if !Self.isUnreached(error) { wasInterrupted = true }
            }
            guard attempt < attempts, !Task.isCancelled else {
                throw wasInterrupted ? Failure.interrupted : Failure.unreachable
            }
            attempt += 1
            try? await Task.sleep(for: delay)
            delay *= 2
        }
    }

    private func execute(
        _ method: HTTPMethod, _ path: String, _ fields: [(String, String)], _ body: ByteBuffer?
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers = HTTPHeaders(fields)
        request.headers.replaceOrAdd(name: "user-agent", value: "gantry")
        if let body { request.body = .bytes(body) }
        let response = try await client.execute(
            request, timeout: .milliseconds(Int64(timeout.components.seconds) * 1_000))
        let bytes: ByteBuffer
        do {
            bytes = try await response.body.collect(upTo: Self.longestAnswer)
        } catch is NIOTooManyBytesError {
            throw Failure.unreadable
        }
        let mediaType = response.headers.first(name: "content-type") ?? ""
        return Answer(
            status: Int(response.status.code),
            contentType: mediaType.prefix { $0 != ";" }.lowercased(), body: bytes, headers: response.headers)
    }

    /// Whether the other side cannot have got anything of the request.
    private static func isUnreached(_ error: any Error) -> Bool {
        if error is NIOConnectionError { return true }
        if let error = error as? IOError { return error.errnoCode == ECONNREFUSED }
        guard let error = error as? HTTPClientError else { return false }
        return [.connectTimeout, .getConnectionFromPoolTimeout, .invalidURL, .emptyHost].contains(error)
    }
}

extension CoreConnection {
    /// Whether anybody answers at the address; which answer does not matter, for not every event sink has a page for that.
    package func checkHealth() async throws {
        let answer = try await send(.GET, "/health/ready")
        guard answer.status != 503, answer.status != 502, answer.status != 504 else { throw Failure.unreachable }
    }
}
