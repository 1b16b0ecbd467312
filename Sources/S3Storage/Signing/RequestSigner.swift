import Crypto
import Observability

/// Signature Version 4 of AWS, for S3: the path is encoded once, the payload's hash is a header.
struct RequestSigner: Sendable {
    /// What of a request goes into the signature.
    struct Input: Sendable {
        var method: String
        /// Names are in small letters. `host` has to be among them.
        var headers: [(name: String, value: String)]
        /// Percent-encoded, beginning with a slash.
        var path: String
        /// Decoded.
        var query: [(name: String, value: String)]
    }

    /// What stands for the hash of a body that is not signed.
    static let unsignedPayload = "UNSIGNED-PAYLOAD"
    /// The hash of no bytes.
    static let emptyPayload = hexDigits(SHA256.hash(data: [UInt8]()))

    let region: String
    var service = "s3"

    /// The header fields that a signed request carries in addition: `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` and
    /// `authorization`.
    func headers(
        for input: Input, payloadHash: String, credentials: S3Credentials, at milliseconds: Int64
    ) -> [(name: String, value: String)] {
        let time = UTCTime(milliseconds: milliseconds)
        var added = [(name: "x-amz-content-sha256", value: payloadHash), (name: "x-amz-date", value: time.stamp)]
        if let token = credentials.sessionToken {
            added.append((name: "x-amz-security-token", value: token.exposed))
        }
        var input = input
        input.headers += added
        let signed = Self.signedHeaders(input.headers)
        let signature = signature(of: input, payloadHash: payloadHash, credentials: credentials, time: time)
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID.exposed)/\(scope(time)),"
            + "SignedHeaders=\(signed),Signature=\(signature)"
        added.append((name: "authorization", value: authorization))
        return added
    }

    /// The whole query of a presigned URL. Whoever has it may send the request for as many seconds, with exactly these header fields.
    func presignedQuery(
        for input: Input, expires seconds: Int, credentials: S3Credentials, at milliseconds: Int64
    ) -> String {
        let time = UTCTime(milliseconds: milliseconds)
        var input = input
        input.query += [
            (name: "X-Amz-Algorithm", value: "AWS4-HMAC-SHA256"),
            (name: "X-Amz-Credential", value: "\(credentials.accessKeyID.exposed)/\(scope(time))"),
            (name: "X-Amz-Date", value: time.stamp), (name: "X-Amz-Expires", value: String(seconds)),
            (name: "X-Amz-SignedHeaders", value: Self.signedHeaders(input.headers)),
        ]
        if let token = credentials.sessionToken {
            input.query.append((name: "X-Amz-Security-Token", value: token.exposed))
        }
        let signature = signature(
            of: input, payloadHash: Self.unsignedPayload, credentials: credentials, time: time)
        return Self.canonicalQuery(input.query) + "&X-Amz-Signature=" + signature
    }

    /// Name and value of each parameter encoded, in the order of the names.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (URIText.encoded($0.name), URIText.encoded($0.value)) }
            .sorted { $0.0 == $1.0 ? precedes($0.1, $1.1) : precedes($0.0, $1.0) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// The order is that of the bytes.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func signedHeaders(_ headers: [(name: String, value: String)]) -> String {
        headers.map(\.name).sorted(by: precedes).joined(separator: ";")
    }

    private func scope(_ time: UTCTime) -> String { "\(time.day8)/\(region)/\(service)/aws4_request" }

    static func canonicalRequest(_ input: Input, payloadHash: String) -> String {
        let headers = input.headers.sorted { precedes($0.name, $1.name) }
        var text = "\(input.method)\n\(input.path)\n\(canonicalQuery(input.query))\n"
        for header in headers { text += "\(header.name):\(trimmed(header.value))\n" }
        return text + "\n\(signedHeaders(headers))\n\(payloadHash)"
    }

    /// Without spaces at the ends, and with one where there are several.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    private func signature(
        of input: Input, payloadHash: String, credentials: S3Credentials, time: UTCTime
    ) -> String {
        let request = Self.canonicalRequest(input, payloadHash: payloadHash)
        let text =
            "AWS4-HMAC-SHA256\n\(time.stamp)\n\(scope(time))\n"
            + hexDigits(SHA256.hash(data: Array(request.utf8)))
        var key = Array("AWS4\(credentials.secretAccessKey.exposed)".utf8)
        for part in [time.day8, region, service, "aws4_request"] { key = Self.authenticated(part, by: key) }
        return hexDigits(Self.authenticated(text, by: key))
    }

    private static func authenticated(_ text: String, by key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }
}
