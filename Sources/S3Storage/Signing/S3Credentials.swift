package import Observability

/// Keys that requests are signed with. None of them shows when it is printed; the id doesn't either, because it goes along with signed URLs.
package struct S3Credentials: Hashable, Sendable {
    package let accessKeyID: Redacted<String>
    package let secretAccessKey: Redacted<String>
    /// Comes with keys that are valid for a time only, and goes along with each request.
    package let sessionToken: Redacted<String>?
    /// Milliseconds since 1970; `nil` for keys that stay valid.
    package let expires: Int64?

    package init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expires: Int64? = nil) {
        self.accessKeyID = Redacted(accessKeyID)
        self.secretAccessKey = Redacted(secretAccessKey)
        self.sessionToken = sessionToken.map { Redacted($0) }
        self.expires = expires
    }
}
