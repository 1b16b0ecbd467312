/// Where a bucket's objects are: path style or virtual-host style.
struct S3Address: Sendable {
    private let endpoint: S3Endpoint
    private let bucket: String
    private let isVirtualHost: Bool

    init(_ configuration: S3Configuration) {
        endpoint = configuration.endpoint
        bucket = configuration.bucket
        isVirtualHost = configuration.addressing == .virtualHost
    }

    /// The `host` field.
    var host: String { (isVirtualHost ? "\(bucket)." : "") + endpoint.host + endpoint.portSuffix }

    /// The path of a key, percent-encoded.
    func path(_ key: String?) -> String {
        let bucketPath = isVirtualHost ? "" : "/" + bucket
        guard let key else { return bucketPath.isEmpty ? "/" : bucketPath }
        return bucketPath + "/" + URIText.encodedPath(key)
    }

    func url(path: String, query: String) -> String {
        "\(endpoint.scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?" + query)
    }
}
