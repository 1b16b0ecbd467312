import AsyncHTTPClient
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Observability
import Synchronization

/// The keys that are valid now. Those that expire are renewed some minutes before, by one task while the others go on with the old ones.
final class CurrentCredentials: Sendable {
    /// How long before they expire keys are renewed, in milliseconds.
    private static let margin: Int64 = 5 * 60_000
    /// How long a failed renewal is not tried again while the old keys are valid, in milliseconds.
    private static let pause: Int64 = 30_000

    private struct State {
        var credentials: S3Credentials?
        var renewAfter: Int64 = 0
    }

    private let source: S3CredentialSource
    private let http: HTTPClient
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let state = Mutex(State())
    private let turn = RequestSlots(1)

    init(
        _ source: S3CredentialSource, http: HTTPClient, logger: Logger, clock: @escaping @Sendable () -> Int64
    ) {
        self.source = source
        self.http = http
        self.logger = logger
        self.clock = clock
    }

    func now() async throws -> S3Credentials {
        switch source {
        case .fixed(let credentials): return credentials
        case .webIdentity(let identity):
            if let credentials = current(at: clock()) { return credentials }
            let slot = try await turn.take()
            defer { slot.giveBack() }
            if let credentials = current(at: clock()) { return credentials }
            return try await renewed(identity)
        }
    }

    /// The store says that these keys have expired.
    func forget(_ credentials: S3Credentials) {
        state.withLock { state in
            if state.credentials == credentials { state.credentials = nil }
        }
    }

    private func current(at now: Int64) -> S3Credentials? {
        state.withLock { state in
            guard let credentials = state.credentials, now < state.renewAfter else { return nil }
            return credentials
        }
    }

    private func renewed(_ identity: S3CredentialSource.WebIdentity) async throws -> S3Credentials {
        do {
            let credentials = try await assumeRole(identity)
            let now = clock()
            let life = max(0, (credentials.expires ?? .max) - now)
            state.withLock { state in
                state.credentials = credentials
                // Keys that live shortly are renewed at half of their life.
                state.renewAfter = now.addingReportingOverflow(max(life / 2, life - Self.margin)).partialValue
            }
            return credentials
        } catch {
            let now = clock()
            let old = state.withLock { state -> S3Credentials? in
                guard let old = state.credentials, let expires = old.expires, now < expires else { return nil }
                state.renewAfter = min(expires, now + Self.pause)
                return old
            }
            guard let old, !(error is CancellationError) else { throw error }
            logger.warning("Keys for the object store could not be renewed", metadata: .keys([.code: "\(error)"]))
            return old
        }
    }

    /// AssumeRoleWithWebIdentity. The token is in the body, never in the URL.
    private func assumeRole(_ identity: S3CredentialSource.WebIdentity) async throws -> S3Credentials {
        let token = try await Self.token(in: identity.tokenFile)
        let form: [(name: String, value: String)] = [
            (name: "Action", value: "AssumeRoleWithWebIdentity"), (name: "Version", value: "2011-06-15"),
            (name: "RoleArn", value: identity.roleARN), (name: "RoleSessionName", value: identity.sessionName),
            (name: "WebIdentityToken", value: token.exposed),
        ]
        var request = HTTPClientRequest(url: "\(identity.endpoint)/")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: RequestSigner.canonicalQuery(form)))
        let (status, body): (UInt, ByteBuffer)
        do {
            let response = try await http.execute(request, timeout: .seconds(15))
            (status, body) = (response.status.code, try await response.body.collect(upTo: 1 << 16))
        } catch let error as CancellationError {
            throw error
        } catch {
            throw S3Error(.unavailable, in: .assumeRole)
        }
        let root = try? XMLElement(body)
        guard status == 200 else {
            let code = root?["Error"]?["Code"]?.text
            throw S3Error(
                status >= 500 ? .unavailable : .denied, in: .assumeRole, status: status, serviceCode: code)
        }
        guard let keys = root?["AssumeRoleWithWebIdentityResult"]?["Credentials"],
            let id = keys["AccessKeyId"]?.text, let secret = keys["SecretAccessKey"]?.text,
            let session = keys["SessionToken"]?.text,
            let expires = keys["Expiration"].flatMap({ UTCTime.milliseconds(iso: $0.text) })
        else { throw S3Error(.malformedAnswer, in: .assumeRole, status: status) }
        return S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: session, expires: expires)
    }

    private static func token(in file: String) async throws -> Redacted<String> {
        try await NIOThreadPool.singleton.runIfActive {
            let descriptor = open(file, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw S3Error(.noToken, in: .assumeRole) }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0, count < bytes.count else { throw S3Error(.noToken, in: .assumeRole) }
            let text = bytes[..<count].filter { $0 > 0x20 && $0 < 0x7F }
            return Redacted(String(decoding: text, as: UTF8.self))
        }
    }
}
