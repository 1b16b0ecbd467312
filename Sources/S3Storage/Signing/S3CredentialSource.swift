import NIOPosix
import Observability

/// Where keys come from.
package enum S3CredentialSource: Sendable {
    /// Given once.
    case fixed(S3Credentials)
    /// Asked from a token service with a token that the platform keeps in a file (AssumeRoleWithWebIdentity), and asked again before they expire.
    case webIdentity(WebIdentity)

    /// A role and the token that proves who may take it.
    package struct WebIdentity: Hashable, Sendable {
        /// The platform renews this file, so it is read each time.
        package var tokenFile: String
        package var roleARN: String
        package var sessionName: String
        /// The token service.
        package var endpoint: S3Endpoint

        package init(tokenFile: String, roleARN: String, sessionName: String = "gantry", endpoint: S3Endpoint) {
            self.tokenFile = tokenFile
            self.roleARN = roleARN
            self.sessionName = sessionName
            self.endpoint = endpoint
        }
    }

    /// Reads the names that AWS's own programs use: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`, `AWS_ROLE_SESSION_NAME` and `AWS_ENDPOINT_URL_STS`. `nil` when neither is complete.
    package init?(environment: [String: String], region: String) {
        func value(_ name: String) -> String? {
            let text = environment[name]?.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
            return text.flatMap { $0.isEmpty ? nil : String($0) }
        }
        if let id = value("AWS_ACCESS_KEY_ID"), let secret = value("AWS_SECRET_ACCESS_KEY") {
            self = .fixed(
                S3Credentials(accessKeyID: id, secretAccessKey: secret, sessionToken: value("AWS_SESSION_TOKEN")))
            return
        }
        guard let file = value("AWS_WEB_IDENTITY_TOKEN_FILE"), let role = value("AWS_ROLE_ARN"),
            let endpoint = S3Endpoint(value("AWS_ENDPOINT_URL_STS") ?? "https://sts.\(region).amazonaws.com")
        else { return nil }
        self = .webIdentity(
            WebIdentity(
                tokenFile: file, roleARN: role, sessionName: value("AWS_ROLE_SESSION_NAME") ?? "gantry",
                endpoint: endpoint))
    }
}
