import NIOHTTP1

/// A URL with which somebody without keys may send one request. It is a secret.
package struct S3PresignedURL: Sendable {
    package var url: String
    /// The header fields that have to be sent with exactly these values, `host` aside.
    package var headers: [(name: String, value: String)]
}

/// What a presigned PUT binds its sender to.
package struct S3UploadConstraints: Hashable, Sendable {
    package var contentType: String?
    package var contentLength: Int?
    /// 32 bytes.
    package var sha256: [UInt8]?
    /// Refuses an object that would replace another.
    package var ifNoneMatch = false

    package init() {}
}

extension S3Client {
    /// The longest life of a presigned URL, in seconds.
    package static let longestPresignedLife = 604_800

    /// A URL to put an object under this key.
    package func presignedPut(
        _ key: String, _ constraints: S3UploadConstraints, expires seconds: Int
    ) async throws -> S3PresignedURL {
        var headers: [(name: String, value: String)] = []
        if let length = constraints.contentLength { headers.append((name: "content-length", value: String(length))) }
        if let type = constraints.contentType { headers.append((name: "content-type", value: type)) }
        if let digest = constraints.sha256 {
            headers.append((name: "x-amz-checksum-sha256", value: base64(digest)))
        }
        if constraints.ifNoneMatch { headers.append((name: "if-none-match", value: "*")) }
        return try await presigned(.PUT, key, query: [], headers: headers, seconds)
    }

    /// A URL to send one part of an upload.
    package func presignedPart(
        _ key: String, _ uploadID: String, number: Int, contentLength: Int? = nil, expires seconds: Int
    ) async throws -> S3PresignedURL {
        try await presigned(
            .PUT, key, query: [(name: "partNumber", value: String(number)), (name: "uploadId", value: uploadID)],
            headers: contentLength.map { [(name: "content-length", value: String($0))] } ?? [], seconds)
    }

    private func presigned(
        _ method: HTTPMethod, _ key: String, query: [(name: String, value: String)],
        headers: [(name: String, value: String)], _ seconds: Int
    ) async throws -> S3PresignedURL {
        let keys = try await credentials.now()
        let path = address.path(key)
        let input = RequestSigner.Input(
            method: method.rawValue, headers: headers + [(name: "host", value: address.host)], path: path, query: query)
        let signed = signer.presignedQuery(
            for: input, expires: min(max(1, seconds), Self.longestPresignedLife), credentials: keys, at: storeTime)
        return S3PresignedURL(url: address.url(path: path, query: signed), headers: headers)
    }
}
