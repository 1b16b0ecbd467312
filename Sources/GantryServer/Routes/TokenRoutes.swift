import Access
import DICOMCore
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// `/token`: a client's id and secret for an access token (RFC 6749 4.4), and `/test-token`: what a credential is worth.
struct TokenRoutes: Sendable {
    let verifier: CredentialVerifier?
    let trail: AccessTrail

    private static let longestBody = 8 << 10

    /// POST with a form, and the client in Basic or in the form; GET with the client in Basic.
    func token(_ request: Request, context: GantryContext) async throws -> Response {
        guard [.get, .head, .post].contains(request.method) else { throw Routes.methodNotAllowed([.get, .post]) }
        do {
            return try await issue(request, context)
        } catch let error as OAuthError {
            return error.response
        }
    }

    private func issue(_ request: Request, _ context: GantryContext) async throws -> Response {
        var form: [String: String] = [:]
        if request.method == .post {
            try await context.askForBody(of: request.head)
            form = try await self.form(request)
            guard form["grant_type"] != nil else { throw OAuthError(.invalidRequest, "grant_type is missing") }
        } else {
            form = try FormFields.read(request.uri.query ?? "")
        }
        guard form["grant_type"].map({ $0 == "client_credentials" }) ?? true else {
            throw OAuthError(.unsupportedGrantType, "the grant type is client_credentials")
        }
        let (id, secret) = try credentials(request, form)
        guard let verifier else { throw OAuthError.invalidClient }
        let client: Client
        do {
            client = try await verifier.client(id, secret: secret, from: context.remoteAddress)
        } catch let error as AccessError {
            trail.noteFailure(error, context: context)
            throw OAuthError(error)
        }
        var scopes = client.scopes
        if let asked = form["scope"], !asked.isEmpty {
            scopes = Set(scopes: asked)
            guard scopes.isSubset(of: client.scopes) else {
                throw OAuthError(.invalidScope, "the client may have: \(client.scopes.text)")
            }
        }
        let token = try await verifier.tokenIssuer.issue(to: client, scopes: scopes)
        trail.noteToken(token.id, to: client, scopes: scopes, context: context)
        var answer = JSONObjectText()
        answer.add("access_token", token.text)
        answer.add("token_type", "Bearer")
        answer.add("expires_in", token.lifetime)
        answer.add("scope", scopes.text)
        var response = OperationsRoutes.json(.ok, Array(answer.text.utf8))
        response.headers[.pragma] = "no-cache"
        return response
    }

    /// The fields of a form in the body.
    private func form(_ request: Request) async throws -> [String: String] {
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.trimmingSpaces.lowercased() }
        guard type == "application/x-www-form-urlencoded" else {
            throw OAuthError(.invalidRequest, "the body is application/x-www-form-urlencoded")
        }
        var bytes: [UInt8] = []
        for try await chunk in LimitedBody(request.body, limit: Self.longestBody, coding: .identity) {
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return try FormFields.read(String(decoding: bytes, as: UTF8.self))
    }

    /// The client's id and secret, said once (RFC 6749 2.3).
    private func credentials(_ request: Request, _ form: [String: String]) throws -> (id: String, secret: String) {
        let fields = request.headers[values: .authorization]
        if fields.isEmpty {
            guard request.method == .post, let id = form["client_id"], let secret = form["client_secret"] else {
                throw OAuthError.invalidClient
            }
            return (id, secret)
        }
        guard fields.count == 1, form["client_secret"] == nil else {
            throw OAuthError(.invalidRequest, "the client says who it is more than once")
        }
        let parts = fields[0].split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", let pair = Base64Text.decode(parts[1].trimmingSpaces),
            let colon = pair.firstIndex(of: ":")
        else { throw OAuthError.invalidClient }
        let id = FormFields.decode(pair[..<colon].utf8)
        let secret = FormFields.decode(pair[pair.index(after: colon)...].utf8)
        guard let id, let secret else { throw OAuthError.invalidClient }
        guard form["client_id"].map({ $0 == id }) ?? true else {
            throw OAuthError(.invalidRequest, "the client has two ids")
        }
        return (id, secret)
    }

    /// What the request's credential is worth (uploads.md 1).
    func test(_ request: Request, context: GantryContext) throws -> Response {
        guard request.method == .get || request.method == .head else { throw Routes.methodNotAllowed([.get, .head]) }
        let principal = context.principal
        var answer = JSONObjectText()
        answer.add("active", true)
        answer.add("sub", principal.client)
        answer.add("scope", principal.scopes.text)
        answer.add("org", principal.organization)
        answer.add("expires_at", principal.expiresAt.map(Timestamp.text))
        return OperationsRoutes.json(.ok, Array(answer.text.utf8))
    }
}

/// Why no token is given out (RFC 6749 5.2).
struct OAuthError: Error {
    enum Code: String {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidScope = "invalid_scope"
        case unsupportedGrantType = "unsupported_grant_type"
        case slowDown = "slow_down"
        case temporarilyUnavailable = "temporarily_unavailable"
    }

    var code: Code
    var description: String
    var retryAfter: Int?

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Unknown, disabled and wrong read alike.
    static let invalidClient = OAuthError(.invalidClient, "the client or its secret is wrong")

    init(_ error: AccessError) {
        switch error.code {
        case .malformed, .invalid, .expired: self = .invalidClient
        case .throttled(let seconds):
            self.init(.slowDown, "too many bad credentials came from this address")
            retryAfter = seconds
        case .unavailable:
            self.init(.temporarilyUnavailable, "the credential cannot be checked now")
            retryAfter = 5
        }
    }

    var response: Response {
        var body = JSONObjectText()
        body.add("error", code.rawValue)
        body.add("error_description", description)
        let status: HTTPResponse.Status =
            switch code {
            case .invalidRequest, .invalidScope, .unsupportedGrantType: .badRequest
            case .invalidClient: .unauthorized
            case .slowDown: .tooManyRequests
            case .temporarilyUnavailable: .serviceUnavailable
            }
        var response = OperationsRoutes.json(status, Array(body.text.utf8))
        response.headers[.pragma] = "no-cache"
        response.headers[.retryAfter] = retryAfter.map { "\($0)" }
        if code == .invalidClient {
            response.headers[.wwwAuthenticate] = #"Basic realm="\#(Authentication.realm)", charset="UTF-8""#
        }
        return response
    }
}

/// `application/x-www-form-urlencoded`.
enum FormFields {
    /// The fields by name; one that is there twice is an error (RFC 6749 3.2).
    static func read(_ text: String) throws -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0]), let value = parts.count == 2 ? decode(parts[1]) : "",
                fields.updateValue(value, forKey: name) == nil
            else { throw OAuthError(.invalidRequest, "the fields cannot be read, or one is there twice") }
        }
        return fields
    }

    /// A name or value; `nil` when its escapes are broken.
    static func decode(_ text: some Collection<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.first {
            rest = rest.dropFirst()
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// Base 64 with padding, as Basic has it (RFC 7617 2).
enum Base64Text {
    static func decode(_ text: String) -> String? {
        let characters = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: byte
            }
        }
        guard !text.contains("-"), !text.contains("_"),
            let bytes = Base64URL.decode(characters.reversed().drop { $0 == UInt8(ascii: "=") }.reversed())
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension HTTPField.Name {
    static let pragma = HTTPField.Name("Pragma")!
}
