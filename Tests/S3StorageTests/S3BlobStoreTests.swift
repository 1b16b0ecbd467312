import AsyncHTTPClient
import BlobStorage
import Crypto
import GantryTesting
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import S3Storage

@Suite struct S3BlobStoreTests {
    @Test(arguments: BlobStoreContract.allCases)
    func `a bucket keeps the contract`(clause: BlobStoreContract) async throws {
        try await withStore { store, _ in try await clause.check(store, time: .real) }
    }

    @Test func `sends a large blob in parts as it comes and reads it back by ranges`() async throws {
        try await withStore { store, server in
            let bytes = BlobStoreContract.pattern(13 << 20)
            let staged = try await BlobStoreContract.stage(bytes, in: store, pieces: 300_001)
            #expect(staged.digest == Array(SHA256.hash(data: bytes)))
            let piece = try await store.read(staged, (5 << 20) - 10..<(5 << 20) + 10)
            #expect(Array(piece.readableBytesView) == Array(bytes[(5 << 20) - 10..<(5 << 20) + 10]))
            let results = await store.makeDurable([staged])
            let location = try #require(results.first).get()
            #expect(location.length == bytes.count)
            #expect(try await store.verify(location) == staged.digest)
            var read: [UInt8] = []
            for try await chunk in store.chunks(location) { read += chunk.readableBytesView }
            #expect(read == bytes)
            try await store.delete([location])
            await #expect(throws: BlobError(.notFound, in: "read")) { try await store.read(location, 0..<1) }
        }
    }

    @Test func `leaves nothing of a large blob that is given up`() async throws {
        try await withStore { store, server in
            let writer = try await store.stage(expectedLength: nil)
            for _ in 0..<12 { try await writer.write(ByteBuffer(repeating: 7, count: 1 << 20)) }
            #expect(try await store.client.listUploads(prefix: "").count == 1)
            await writer.abort()
            #expect(try await store.client.listUploads(prefix: "").isEmpty)
            let staged = try await BlobStoreContract.stage(BlobStoreContract.pattern(11 << 20), in: store)
            await store.discard([staged])
            #expect(try await store.storedBlobs(olderThan: .max, after: nil, limit: 10).blobs.isEmpty)
        }
    }

    @Test func `gives up uploads that an earlier process left behind`() async throws {
        try await withStore { store, _ in
            let key = store.keys.key(store.makeKey())
            _ = try await store.client.createUpload(key)
            #expect(try await store.removeUnfinished(olderThan: 0) == 0)
            #expect(try await store.removeUnfinished(olderThan: .max) == 1)
            #expect(try await store.client.listUploads(prefix: "").isEmpty)
        }
    }

    @Test func `notices bytes that changed in the bucket`() async throws {
        try await withStore { store, server in
            let location = try await BlobStoreContract.store(BlobStoreContract.pattern(1000), in: store)
            guard case .object(let key) = location.place else {
                Issue.record("a blob is an object")
                return
            }
            var other = BlobStoreContract.pattern(1000)
            other[500] ^= 1
            let digest = try await store.verify(location)
            try await store.client.put(store.keys.key(key), .bytes(ByteBuffer(bytes: other)))
            #expect(try await store.verify(location) != digest)
            try await store.client.put(store.keys.key(key), .bytes(ByteBuffer(bytes: other.dropLast())))
            await #expect(throws: BlobError(.corrupt, in: "verify")) { try await store.verify(location) }
            await #expect(throws: BlobError(.corrupt, in: "read")) { try await store.read(location, 0..<10) }
        }
    }

    @Test func `finds out what a store can do and leaves nothing of it`() async throws {
        try await withStore { store, _ in
            #expect(!store.capabilities.conditionalPut)
            #expect(store.capabilities.batchDelete)
            #expect(store.capabilities.bodyCheck == .md5)
            let left = try await store.client.list(prefix: "", after: nil, limit: 10)
            #expect(left.objects.isEmpty)
        }
    }

    @Test func `a store that knows conditions keeps what is there`() async throws {
        let server = try await S3Server.start(.moto)
        let client = try S3Client(server.configuration(), logger: quiet, clock: systemClock)
        try await client.send(S3Request(.probe, .PUT, key: nil)) { try await S3Client.drain($0) }
        try await client.close()
        let store = try await S3BlobStore(server.configuration(), logger: quiet, clock: systemClock)
        #expect(store.capabilities.conditionalPut)
        try await store.client.put("a", .bytes(ByteBuffer(string: "first")), ifNoneMatch: true)
        await #expect(
            throws: S3Error(.preconditionFailed, in: .putObject, status: 412, serviceCode: "PreconditionFailed")
        ) {
            try await store.client.put("a", .bytes(ByteBuffer(string: "second")), ifNoneMatch: true)
        }
        #expect(try await store.client.get("a", 0..<5, of: 5) == ByteBuffer(string: "first"))
        try await store.close()
        await server.stop()
    }
}

@Suite struct S3ClientTests {
    @Test func `keeps any key apart, whatever its bytes`() async throws {
        try await withStore { store, _ in
            let client = store.client
            for key in ["a b+c", "ü/€", "per%20cent", "a&b=c;d", "x'(y)*!~@:$,[z]{}|^`\"", "#?frag"] {
                try await client.put("odd/" + key, .bytes(ByteBuffer(string: key)))
                let length = key.utf8.count
                #expect(try await client.get("odd/" + key, 0..<length, of: length) == ByteBuffer(string: key))
            }
            let listed = try await client.list(prefix: "odd/", after: nil, limit: 100).objects.map(\.key)
            #expect(listed.count == 6)
            #expect(try await client.deleteBatch(listed).isEmpty)
            #expect(try await client.list(prefix: "odd/", after: nil, limit: 100).objects.isEmpty)
        }
    }

    @Test func `copies, tells heads and lists parts`() async throws {
        try await withStore { store, _ in
            let client = store.client
            try await client.put("from/ä 1", .bytes(ByteBuffer(string: "abc")), contentType: "application/dicom")
            try await client.copy(from: "from/ä 1", to: "to/1", length: 3)
            let head = try await client.head("to/1")
            #expect(head.length == 3)
            let id = try await client.createUpload("big")
            let part = try await client.uploadPart(
                "big", id, number: 1, .bytes(ByteBuffer(repeating: 1, count: 5 << 20)))
            let last = try await client.uploadPart("big", id, number: 2, .bytes(ByteBuffer(string: "end")))
            #expect(try await client.listParts("big", id).map(\.length) == [5 << 20, 3])
            try await client.completeUpload("big", id, parts: [part, last])
            // An answer that was lost: the upload is gone, the object is there.
            try await client.completeUpload("big", id, parts: [part, last])
            #expect(try await client.head("big").length == (5 << 20) + 3)
            await #expect(throws: S3Error.self) { try await client.completeUpload("none", id, parts: [part]) }
        }
    }

    @Test func `sends a body that is made while it is sent`() async throws {
        try await withStore { store, _ in
            let body = S3Body.stream(length: 3_000_000, sha256: nil) {
                AsyncThrowingStream { continuation in
                    for number in 0..<30 { continuation.yield(ByteBuffer(repeating: UInt8(number), count: 100_000)) }
                    continuation.finish()
                }
            }
            try await store.client.put("streamed", body)
            #expect(
                try await store.client.get("streamed", 2_900_000..<2_900_004, of: 3_000_000)
                    == ByteBuffer(repeating: 29, count: 4))
        }
    }

    @Test func `talks to a bucket in the host's name`() async throws {
        let server = try await S3Server.start(isVirtualHost: true)
        var configuration = try server.configuration()
        configuration.addressing = .virtualHost
        configuration.endpoint = try #require(S3Endpoint("http://s3.test:\(server.port)"))
        configuration.hostOverrides = ["\(S3Server.bucket).s3.test": "127.0.0.1"]
        let store = try await S3BlobStore(configuration, logger: quiet, clock: systemClock)
        let location = try await BlobStoreContract.store([1, 2, 3], in: store)
        #expect(try await Array(store.read(location).readableBytesView) == [1, 2, 3])
        try await store.close()
        await server.stop()
    }
}

@Suite struct S3CredentialTests {
    @Test func `takes a role with the platform's token and renews the keys before they expire`() async throws {
        let server = try await S3Server.start(.moto)
        let file = server.process.folder + "-token"
        defer { unlink(file) }
        try writeFile("a.b.c\n", to: file)
        let now = Mutex(systemClock())
        let endpoint = try #require(S3Endpoint(server.endpoint))
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        let keys = CurrentCredentials(
            .webIdentity(
                .init(tokenFile: file, roleARN: "arn:aws:iam::123456789012:role/gantry", endpoint: endpoint)),
            http: http, logger: quiet, clock: { now.withLock { $0 } })
        let first = try await keys.now()
        #expect(first.sessionToken != nil)
        #expect(try await keys.now() == first)
        // They live for an hour; five minutes before its end there are new ones.
        now.withLock { $0 += 54 * 60_000 }
        #expect(try await keys.now() == first)
        now.withLock { $0 += 2 * 60_000 }
        await server.stop()
        // While the service is away the old ones go on, as long as they are valid.
        #expect(try await keys.now() == first)
        now.withLock { $0 += 10 * 60_000 }
        await #expect(throws: S3Error(.unavailable, in: .assumeRole)) { try await keys.now() }
        try await http.shutdown()
    }

    @Test func `signs with the session's token`() async throws {
        let signer = RequestSigner(region: "r")
        let input = RequestSigner.Input(method: "GET", headers: [(name: "host", value: "h")], path: "/", query: [])
        let keys = S3Credentials(accessKeyID: "a", secretAccessKey: "b", sessionToken: "c/d")
        let added = signer.headers(for: input, payloadHash: "x", credentials: keys, at: 0)
        #expect(added.contains { $0.name == "x-amz-security-token" && $0.value == "c/d" })
        #expect(added.last?.value.contains("x-amz-date;x-amz-security-token") == true)
        let query = signer.presignedQuery(for: input, expires: 60, credentials: keys, at: 0)
        #expect(query.contains("X-Amz-Security-Token=c%2Fd"))
    }
}

@Suite struct S3PresigningTests {
    /// Sends a request as a stranger does who has nothing but a URL and its header fields.
    private func send(
        _ method: HTTPMethod, _ url: String, headers: [(name: String, value: String)] = [], body: String
    ) async throws -> UInt {
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        var request = HTTPClientRequest(url: url)
        request.method = method
        for field in headers where field.name != "content-length" {
            request.headers.add(name: field.name, value: field.value)
        }
        if method == .PUT { request.body = .bytes(ByteBuffer(string: body)) }
        let status: UInt
        do {
            status = try await http.execute(request, timeout: .seconds(10)).status.code
        } catch {
            try await http.shutdown()
            throw error
        }
        try await http.shutdown()
        return status
    }

    @Test func `a presigned URL takes exactly the object it was signed for`() async throws {
        try await withStore { store, _ in
            var constraints = S3UploadConstraints()
            constraints.contentLength = 5
            constraints.contentType = "application/dicom"
            let signed = try await store.client.presignedPut("incoming/a", constraints, expires: 60)
            #expect(try await send(.PUT, signed.url, headers: signed.headers, body: "longer") == 403)
            var other = signed.headers
            other.removeAll { $0.name == "content-type" }
            other.append((name: "content-type", value: "text/html"))
            #expect(try await send(.PUT, signed.url, headers: other, body: "bytes") == 403)
            let elsewhere = signed.url.replacing("incoming/a", with: "incoming/b")
            #expect(try await send(.PUT, elsewhere, headers: signed.headers, body: "bytes") == 403)
            #expect(try await send(.GET, signed.url, body: "") == 403)
            #expect(try await store.client.list(prefix: "incoming/", after: nil, limit: 10).objects.isEmpty)
            #expect(try await send(.PUT, signed.url, headers: signed.headers, body: "bytes") == 200)
            #expect(try await store.client.get("incoming/a", 0..<5, of: 5) == ByteBuffer(string: "bytes"))
        }
    }

    @Test func `presigned URLs of parts make one object`() async throws {
        try await withStore { store, _ in
            let client = store.client
            let id = try await client.createUpload("incoming/c")
            for (number, text) in [(1, "first "), (2, "second")] {
                let signed = try await client.presignedPart(
                    "incoming/c", id, number: number, contentLength: text.utf8.count, expires: 60)
                #expect(try await send(.PUT, signed.url, headers: signed.headers, body: text) == 200)
            }
            let parts = try await client.listParts("incoming/c", id)
            #expect(parts.map(\.length) == [6, 6])
            try await client.completeUpload("incoming/c", id, parts: parts)
            #expect(try await client.get("incoming/c", 0..<12, of: 12) == ByteBuffer(string: "first second"))
        }
    }
}

@Suite struct S3ConfigurationTests {
    @Test(arguments: [
        ("https://s3.example.org", "https://s3.example.org"), ("s3.example.org:9000", "https://s3.example.org:9000"),
        ("s3.example.org:80", "http://s3.example.org"), ("http://[::1]:9000/", "http://[::1]:9000"),
    ])
    func `reads addresses`(text: String, expected: String) {
        #expect(S3Endpoint(text)?.description == expected)
    }

    @Test(arguments: [
        "", "ftp://a", "http://", "http://a:0", "http://a:x", "http://user:pw@a", "http://a/b", "http://a b",
    ])
    func `refuses what is no address`(text: String) {
        #expect(S3Endpoint(text) == nil)
    }

    @Test func `reads the bucket's host and port as the cluster gives them`() {
        #expect(S3Endpoint(bucketHost: "h", bucketPort: "443")?.description == "https://h")
        #expect(S3Endpoint(bucketHost: "h", bucketPort: "80")?.description == "http://h")
        #expect(S3Endpoint(bucketHost: "h", bucketPort: "9000")?.description == "https://h:9000")
        #expect(S3Endpoint(bucketHost: "http://h", bucketPort: "9000")?.description == "http://h:9000")
        #expect(S3Endpoint(bucketHost: "https://h", bucketPort: nil)?.description == "https://h")
    }

    @Test func `takes keys from the environment, or a platform's token`() {
        guard
            case .fixed(let keys)? = S3CredentialSource(
                environment: ["AWS_ACCESS_KEY_ID": " a\n", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"],
                region: "r")
        else {
            Issue.record("keys are taken first")
            return
        }
        #expect(keys == S3Credentials(accessKeyID: "a", secretAccessKey: "b", sessionToken: "c"))
        guard
            case .webIdentity(let identity)? = S3CredentialSource(
                environment: ["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:x"], region: "eu-north-1")
        else {
            Issue.record("then the token")
            return
        }
        #expect(identity.endpoint.description == "https://sts.eu-north-1.amazonaws.com")
        #expect(S3CredentialSource(environment: ["AWS_ACCESS_KEY_ID": "a"], region: "r") == nil)
    }

    @Test(arguments: ["a/", "", "a/b c/"])
    func `takes prefixes that end with a slash`(prefix: String) throws {
        let endpoint = try #require(S3Endpoint("http://h"))
        var configuration = S3Configuration(
            endpoint: endpoint, bucket: "bucket",
            credentials: .fixed(S3Credentials(accessKeyID: "a", secretAccessKey: "b")))
        configuration.prefix = prefix
        #expect(configuration.problem == nil)
        for wrong in ["/", "a", "/a/", "a//b/", "../", "a/./"] {
            configuration.prefix = wrong
            #expect(configuration.problem != nil)
        }
    }
}
