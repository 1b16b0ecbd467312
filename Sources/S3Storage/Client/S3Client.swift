import AsyncHTTPClient
package import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Observability
import Synchronization

/// Talks to one bucket of a store with the S3 API.
///
/// Requests are signed, tried again where that helps, and end by a deadline. A store that is dead is left alone for a while, so that who
/// needs it is told at once.
package final class S3Client: Sendable {
    package let configuration: S3Configuration
    /// What the store checks of bodies. Set once it was tried out.
    let bodyCheck = Mutex(S3BodyCheck.sha256)
    let clock: @Sendable () -> Int64
    let logger: Logger
    let address: S3Address
    let signer: RequestSigner
    let credentials: CurrentCredentials
    private let http: HTTPClient
    /// For requests that the store may think about for long.
    private let patientHTTP: HTTPClient
    private let slots: RequestSlots
    private let breaker: CircuitBreaker
    /// What has to be added to our clock to have the store's, in milliseconds.
    private let clockOffset = Atomic<Int64>(0)
    private let hasWarnedOfClock = Atomic(false)

    /// - Parameter clock: Milliseconds since 1970.
    package init(
        _ configuration: S3Configuration, logger: Logger, clock: @escaping @Sendable () -> Int64
    ) throws {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        address = S3Address(configuration)
        signer = RequestSigner(region: configuration.region)
        slots = RequestSlots(configuration.connections)
        breaker = CircuitBreaker(configuration.breaker)
        var settings = try Self.settings(configuration)
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        settings.timeout.read = TimeAmount(configuration.assemblyTimeout)
        patientHTTP = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        credentials = CurrentCredentials(configuration.credentials, http: http, logger: logger, clock: clock)
    }

    private static func settings(_ configuration: S3Configuration) throws -> HTTPClient.Configuration {
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.timeout.connect = TimeAmount(configuration.connectTimeout)
        settings.timeout.read = TimeAmount(configuration.idleTimeout)
        settings.timeout.write = TimeAmount(configuration.idleTimeout)
        // Our slots keep requests from waiting in the pool, where waiting counts as connecting.
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, configuration.connections)
        settings.connectionPool.idleTimeout = .seconds(15)
        settings.connectionPool.retryConnectionEstablishment = false
        settings.httpVersion = .http1Only
        settings.dnsOverride = configuration.hostOverrides
        if let file = configuration.certificateFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            settings.tlsConfiguration = tls
        }
        return settings
    }

    /// Closes the connections. Requests under way fail.
    package func close() async throws {
        try await http.shutdown()
        try await patientHTTP.shutdown()
    }

    /// The store's time by its own clock, in milliseconds since 1970, as far as we know it.
    var storeTime: Int64 { clock() + clockOffset.load(ordering: .relaxed) }

    // MARK: - Sending

    /// Sends a request until it has an answer that stands, and gives that to `handle`, which takes all of the body it needs. What `handle`
    /// throws as a passing error makes another attempt.
    @concurrent
    func send<Value: Sendable>(
        _ request: S3Request, _ handle: @escaping @Sendable (HTTPClientResponse) async throws -> Value
    ) async throws -> Value {
        let allowance = Duration.seconds(request.body.length >> 20)
        let whole = (request.isSlow ? configuration.assemblyTimeout : .zero) + configuration.deadline + allowance
        return try await Self.within(whole, request.operation) { [self] in
            try await sendRepeatedly(request, handle)
        }
    }

    private func sendRepeatedly<Value: Sendable>(
        _ request: S3Request, _ handle: @escaping @Sendable (HTTPClientResponse) async throws -> Value
    ) async throws -> Value {
        var failures = 0
        var slowDowns = 0
        var hasChangedKeys = false
        var hasSetClock = false
        while true {
            let refusal: S3Error
            var requested: Duration?
            var isFinal = false
            do {
                return try await attempt(request, isFirst: failures + slowDowns == 0, handle)
            } catch let failure as FailedAttempt {
                refusal = failure.error
                requested = failure.retryAfter
                isFinal = failure.isFinal
                if refusal.code == .clockSkewed, !hasSetClock, let date = failure.date {
                    hasSetClock = true
                    learnClock(date)
                    continue
                }
                if refusal.code == .expiredKeys, !hasChangedKeys, let used = failure.credentials {
                    hasChangedKeys = true
                    credentials.forget(used)
                    continue
                }
            }
            if refusal.code == .slowDown { slowDowns += 1 } else { failures += 1 }
            guard refusal.isPassing, !(isFinal && refusal.code == .unavailable),
                !(request.isDamaged && refusal.code == .badDigest),
                let delay = configuration.retries.delay(
                    failures: failures, slowDowns: slowDowns, requested: requested, random: .random(in: 0...1))
            else { throw refusal }
            try await Task.sleep(for: delay)
        }
    }

    /// What went wrong, and what the answer said beside it.
    private struct FailedAttempt: Error {
        var error: S3Error
        var retryAfter: Duration?
        var date: Int64?
        var credentials: S3Credentials?
        /// Whether it was there to find out whether the store lives: it does not, and who asked is told at once.
        var isFinal = false
    }

    private func attempt<Value: Sendable>(
        _ request: S3Request, isFirst: Bool, _ handle: @Sendable (HTTPClientResponse) async throws -> Value
    ) async throws -> Value {
        let slot = try await slots.take()
        defer { slot.giveBack() }
        let began = ContinuousClock.now
        let verdict = breaker.ask(at: began)
        guard verdict != .refuse else {
            // Who came before the store was found dead may wait for it to live again.
            throw FailedAttempt(
                error: S3Error(.unavailable, in: request.operation),
                retryAfter: isFirst ? nil : configuration.breaker.pause, isFinal: isFirst)
        }
        let keys: S3Credentials
        do {
            keys = try await credentials.now()
        } catch let error as S3Error {
            throw FailedAttempt(error: error)
        }
        do {
            let prepared = signed(request, with: keys)
            let limit: TimeAmount = verdict == .trial ? TimeAmount(configuration.breaker.trial) : .hours(1)
            let response = try await (request.isSlow ? patientHTTP : http).execute(prepared, timeout: limit)
            guard (200..<300).contains(response.status.code) else {
                throw try await failure(of: response, request.operation, keys)
            }
            let value = try await handle(response)
            noteAnswer()
            return value
        } catch var failure as FailedAttempt {
            failure.isFinal = verdict == .trial && isFirst
            if failure.error.code == .unavailable {
                noteFailure(began, wasSilent: false)
            } else {
                noteAnswer()
            }
            throw failure
        } catch let error as S3Error {
            noteAnswer()
            throw FailedAttempt(error: error)
        } catch {
            try Task.checkCancellation()
            let isClosed = (error as? HTTPClientError) == .alreadyShutdown
            if !isClosed { noteFailure(began, wasSilent: Self.isSilence(error)) }
            throw FailedAttempt(
                error: S3Error(isClosed ? .closed : .unavailable, in: request.operation),
                isFinal: verdict == .trial && isFirst)
        }
    }

    private static func isSilence(_ error: any Error) -> Bool {
        guard let error = error as? HTTPClientError else { return false }
        return [.readTimeout, .writeTimeout, .connectTimeout, .deadlineExceeded].contains(error)
    }

    private func noteAnswer() {
        if breaker.noteAnswer(at: .now) { logger.notice("The object store answers again") }
    }

    private func noteFailure(_ began: ContinuousClock.Instant, wasSilent: Bool) {
        if breaker.noteFailure(began: began, wasSilent: wasSilent, at: .now) {
            logger.error("The object store does not answer; requests to it fail until it does")
        }
    }

    private func failure(
        of response: HTTPClientResponse, _ operation: S3Operation, _ keys: S3Credentials
    ) async throws -> FailedAttempt {
        let body = try await response.body.collect(upTo: 1 << 20)
        let root = body.readableBytes > 0 ? try? XMLElement(body) : nil
        let error = S3Error(
            status: response.status.code, serviceCode: root?.name == "Error" ? root?.text("Code") : nil, in: operation)
        return FailedAttempt(
            error: error,
            retryAfter: response.headers.first(name: "retry-after").flatMap { Int($0) }.map { .seconds(max(0, $0)) },
            date: response.headers.first(name: "date").flatMap { UTCTime.milliseconds(httpDate: $0) }, credentials: keys
        )
    }

    private func learnClock(_ date: Int64) {
        let offset = date - clock()
        clockOffset.store(offset, ordering: .relaxed)
        guard !hasWarnedOfClock.exchange(true, ordering: .relaxed) else { return }
        logger.warning(
            "The object store's clock differs from ours; its time is used for signatures",
            metadata: .keys([.milliseconds: "\(offset)"]))
    }

    private func signed(_ request: S3Request, with keys: S3Credentials) -> HTTPClientRequest {
        let check = bodyCheck.withLock { $0 }
        var input = RequestSigner.Input(
            method: request.method.rawValue, headers: request.headers, path: address.path(request.key),
            query: request.query)
        input.headers.append((name: "host", value: address.host))
        if check == .md5, request.body.length > 0, !input.headers.contains(where: { $0.name == "content-md5" }),
            let md5 = request.body.md5
        {
            input.headers.append((name: "content-md5", value: base64(md5)))
        }
        let hash: String
        if request.body.length == 0 {
            hash = RequestSigner.emptyPayload
        } else if let known = request.body.sha256 {
            hash = hexDigits(known)
        } else {
            hash = RequestSigner.unsignedPayload
        }
        let added = signer.headers(for: input, payloadHash: hash, credentials: keys, at: storeTime)
        var prepared = HTTPClientRequest(
            url: address.url(path: input.path, query: RequestSigner.canonicalQuery(input.query)))
        prepared.method = request.method
        for field in input.headers + added { prepared.headers.add(name: field.name, value: field.value) }
        switch request.body {
        case .none: if request.method == .PUT || request.method == .POST { prepared.body = .bytes(ByteBuffer()) }
        case .bytes(let bytes, _): prepared.body = .bytes(bytes)
        case .stream(let length, _, let pieces): prepared.body = .stream(pieces(), length: .known(Int64(length)))
        }
        return prepared
    }

    /// Ends the work when it takes too long.
    private static func within<Value: Sendable>(
        _ limit: Duration, _ operation: S3Operation, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw S3Error(.timedOut, in: operation)
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw S3Error(.timedOut, in: operation) }
            return value
        }
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
