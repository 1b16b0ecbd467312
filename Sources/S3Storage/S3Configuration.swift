/// Where a bucket is and how to talk to it. Endpoint, bucket and credentials have to be given, everything else has a default that works.
package struct S3Configuration: Sendable {
    /// Where the bucket's name is in a request.
    package enum Addressing: String, Hashable, Sendable, CaseIterable {
        /// `endpoint/bucket/key`, which every store understands.
        case path
        /// `bucket.endpoint/key`.
        case virtualHost
    }

    package var endpoint: S3Endpoint
    package var bucket: String
    package var region = "us-east-1"
    package var addressing = Addressing.path
    /// What all our keys begin with: empty, or ending with a slash.
    package var prefix = ""
    package var credentials: S3CredentialSource
    /// A PEM file with the authorities to trust instead of the system's.
    package var certificateFile: String?
    /// Addresses to connect to instead of what names resolve to.
    package var hostOverrides: [String: String] = [:]

    /// How long it may take to connect.
    package var connectTimeout: Duration = .seconds(3)
    /// How long a store may be silent while we wait for it, or not take what we send.
    package var idleTimeout: Duration = .seconds(8)
    /// How long an operation may take with all its attempts; for each MiB of its body it gets a second more.
    package var deadline: Duration = .seconds(30)
    /// How long the store may take to put the parts of an upload together, or to copy an object.
    package var assemblyTimeout: Duration = .seconds(60)
    package var retries = RetrySchedule()
    package var breaker = CircuitBreaker.Limits()

    /// Requests under way at a time; others wait for their turn.
    package var connections = 64
    /// Blobs of one group that are put at a time.
    package var parallelPuts = 24
    /// Blobs up to this length wait in memory until they are made durable together.
    package var heldLength = 1 << 20
    /// Length of a part of a large blob, 5 MiB to 5 GiB. Blobs up to this length are put in one piece.
    package var partSize = 8 << 20
    /// Parts that all large blobs together may hold in memory.
    package var heldParts = 24
    /// Pieces that are read ahead of who asks for a blob's bytes.
    package var piecesAhead = 4
    /// Blobs or pieces that one request of a client reads at a time.
    package var readsAtOnce = 8

    package init(endpoint: S3Endpoint, bucket: String, credentials: S3CredentialSource) {
        self.endpoint = endpoint
        self.bucket = bucket
        self.credentials = credentials
    }

    /// What is wrong with it, in words that name no value; `nil` when nothing is.
    package var problem: String? {
        guard (3...63).contains(bucket.utf8.count),
            bucket.utf8.allSatisfy({
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            })
        else { return "a bucket's name has 3 to 63 small letters, digits, hyphens and full stops" }
        let segments = prefix.split(separator: "/", omittingEmptySubsequences: false)
        let isClean = segments.dropLast().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard prefix.isEmpty || prefix.hasSuffix("/") && isClean && prefix.utf8.count <= 512,
            prefix.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return "a prefix ends with a slash and has no empty, '.' or '..' segment" }
        guard partSize >= 5 << 20, partSize <= 1 << 30 else { return "a part has 5 MiB to 1 GiB" }
        guard !region.isEmpty, region.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
            return "the region is not a name"
        }
        return nil
    }
}

/// The address of a store: `http` or `https`, a host, and a port where it is not the usual one.
package struct S3Endpoint: Hashable, Sendable {
    package let isSecure: Bool
    /// A name or an address; IPv6 ones are in brackets.
    package let host: String
    package let port: Int

    /// Reads `https://host[:port][/]`. Without a scheme it is `https`, but for the port 80.
    package init?(_ text: String) {
        var rest = text[...]
        var scheme: String?
        if let mark = rest.firstRange(of: "://") {
            scheme = rest[..<mark.lowerBound].lowercased()
            guard scheme == "http" || scheme == "https" else { return nil }
            rest = rest[mark.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var port: Int?
        let bracket = rest.lastIndex(of: "]")
        if let colon = rest.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            guard let number = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
            port = number
            rest = rest[..<colon]
        }
        let isHost = rest.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"): rest.hasPrefix("[") && rest.hasSuffix("]")
            default: false
            }
        }
        guard !rest.isEmpty, isHost else { return nil }
        isSecure = scheme.map { $0 == "https" } ?? (port != 80)
        host = rest.lowercased()
        self.port = port ?? (isSecure ? 443 : 80)
    }

    /// The endpoint of `BUCKET_HOST` and `BUCKET_PORT`: the scheme is that of the host if it names one, else it follows from the port.
    package init?(bucketHost: String, bucketPort: String?) {
        let host = bucketHost.hasSuffix("/") ? String(bucketHost.dropLast()) : bucketHost
        guard let bucketPort, !bucketPort.isEmpty else {
            self.init(host)
            return
        }
        self.init("\(host):\(bucketPort)")
    }

    /// AWS's own endpoint of a region.
    package init?(awsRegion region: String) { self.init("https://s3.\(region).amazonaws.com") }

    var scheme: String { isSecure ? "https" : "http" }

    /// The port as it is written behind a host, empty where it is the usual one.
    var portSuffix: String { port == (isSecure ? 443 : 80) ? "" : ":\(port)" }
}

extension S3Endpoint: CustomStringConvertible {
    package var description: String { "\(scheme)://\(host)\(portSuffix)" }
}
