import AsyncHTTPClient
package import NIOCore
import NIOHTTP1

/// What a store tells of an object without its bytes.
package struct S3ObjectHead: Hashable, Sendable {
    /// Number of bytes.
    package var length: Int
    /// As the store gave it, with its quotes.
    package var etag: String?
    /// Milliseconds since 1970.
    package var lastModified: Int64?
    package var contentType: String?
    /// SHA-256 that was recorded when we stored it, 64 hexadecimal digits.
    package var recordedSHA256: String?
}

extension S3Client {
    /// The header under which we record the digest of an object's bytes.
    private static let digestHeader = "x-amz-meta-sha256"

    /// Stores an object. With `ifNoneMatch` only when there is none of that key, where the store knows such conditions: else it is
    /// ``S3Error/Code-swift.enum/preconditionFailed``.
    /// - Returns: the object's ETag.
    @discardableResult
    package func put(
        _ key: String, _ body: S3Body, contentType: String = "application/octet-stream", recordsDigest: Bool = false,
        ifNoneMatch: Bool = false
    ) async throws -> String? {
        var request = S3Request(.putObject, .PUT, key: key)
        request.body = body
        request.headers = [(name: "content-type", value: contentType)]
        if recordsDigest, let digest = body.sha256 {
            request.headers.append((name: Self.digestHeader, value: hexDigits(digest)))
        }
        if ifNoneMatch { request.headers.append((name: "if-none-match", value: "*")) }
        do {
            return try await send(request) { response in
                try await Self.drain(response)
                return response.headers.first(name: "etag")
            }
        } catch let error as S3Error where error.code == .preconditionFailed {
            // It may be there by an attempt of ours whose answer was lost.
            guard recordsDigest, let digest = body.sha256, let head = try? await head(key),
                head.length == body.length, head.recordedSHA256 == hexDigits(digest)
            else { throw error }
            return head.etag
        }
    }

    /// These bytes of an object that has `length` of them, exactly.
    ///
    /// - Parameter etag: The object must have this one; another is ``S3Error/Code-swift.enum/preconditionFailed``.
    package func get(
        _ key: String, _ range: Range<Int>, of length: Int, etag: String? = nil
    ) async throws -> ByteBuffer {
        guard range.lowerBound >= 0, range.upperBound <= length else { throw S3Error(.outOfBounds, in: .getObject) }
        guard !range.isEmpty else { return ByteBuffer() }
        var request = S3Request(.getObject, .GET, key: key)
        request.headers = [(name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        if let etag { request.headers.append((name: "if-match", value: etag)) }
        return try await send(request) { response in
            // Not every store knows the condition.
            if let etag, let found = response.headers.first(name: "etag"), found != etag {
                throw S3Error(.preconditionFailed, in: .getObject, status: response.status.code)
            }
            let isWhole = response.status == .ok && range == 0..<length
            // Some stores answer 200 to a range and tell it by the field alone.
            let content = response.headers.first(name: "content-range")
            guard isWhole || content != nil || response.status == .partialContent else {
                throw S3Error(.malformedAnswer, in: .getObject, status: response.status.code)
            }
            if let content, content != "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)" {
                throw S3Error(.outOfBounds, in: .getObject, status: response.status.code)
            }
            var bytes = ByteBufferAllocator().buffer(capacity: range.count)
            for try await piece in response.body {
                guard bytes.readableBytes + piece.readableBytes <= range.count else {
                    throw S3Error(.wrongLength, in: .getObject)
                }
                bytes.writeImmutableBuffer(piece)
            }
            guard bytes.readableBytes == range.count else { throw S3Error(.wrongLength, in: .getObject) }
            return bytes
        }
    }

    package func head(_ key: String) async throws -> S3ObjectHead {
        try await send(S3Request(.headObject, .HEAD, key: key)) { response in
            guard let length = response.headers.first(name: "content-length").flatMap({ Int($0) }), length >= 0 else {
                throw S3Error(.malformedAnswer, in: .headObject)
            }
            return S3ObjectHead(
                length: length, etag: response.headers.first(name: "etag"),
                lastModified: response.headers.first(name: "last-modified").flatMap {
                    UTCTime.milliseconds(httpDate: $0)
                },
                contentType: response.headers.first(name: "content-type"),
                recordedSHA256: response.headers.first(name: Self.digestHeader))
        }
    }

    /// Deletes an object. One that is not there is no error.
    package func delete(_ key: String) async throws {
        do {
            try await send(S3Request(.deleteObject, .DELETE, key: key)) { try await Self.drain($0) }
        } catch let error as S3Error where error.code == .notFound {
            return
        }
    }

    /// Deletes up to 1,000 objects in one request. Answers the keys that the store could not delete.
    package func deleteBatch(_ keys: [String]) async throws -> [String] {
        guard !keys.isEmpty else { return [] }
        var text = "<Delete><Quiet>true</Quiet>"
        for key in keys { text += "<Object><Key>\(key.escapedForXML)</Key></Object>" }
        text += "</Delete>"
        var request = S3Request(.deleteObjects, .POST, key: nil)
        request.query = [(name: "delete", value: "")]
        request.body = .bytes(ByteBuffer(string: text))
        request.headers = [(name: "content-type", value: "application/xml")]
        // This request has to carry a checksum of its own.
        if let digest = request.body.md5 { request.headers.append((name: "content-md5", value: base64(digest))) }
        return try await send(request) { response in
            let root = try await Self.document(response, "DeleteResult", .deleteObjects)
            return root.all("Error").filter { $0.text("Code") != "NoSuchKey" }.compactMap { $0.text("Key") }
        }
    }

    /// The most bytes that are copied by one request.
    private static let copiedAtOnce = 5 << 30
    /// Bytes of a part, where an object is copied in parts.
    private static let copiedPart = 1 << 30

    /// Copies an object of `length` bytes within the bucket, without its bytes passing here.
    ///
    /// - Parameter etag: The source must have this one; another is ``S3Error/Code-swift.enum/preconditionFailed``.
    package func copy(from source: String, to target: String, length: Int, etag: String? = nil) async throws {
        guard length > Self.copiedAtOnce else {
            let request = copyRequest(source, etag, S3Request(.copyObject, .PUT, key: target))
            return try await send(request) { _ = try await Self.document($0, "CopyObjectResult", .copyObject) }
        }
        let id = try await createUpload(target)
        do {
            var parts: [S3Part] = []
            for start in stride(from: 0, to: length, by: Self.copiedPart) {
                let end = min(start + Self.copiedPart, length)
                var request = copyRequest(source, etag, S3Request(.copyObject, .PUT, key: target))
                request.query = [
                    (name: "partNumber", value: String(parts.count + 1)), (name: "uploadId", value: id),
                ]
                request.headers.append((name: "x-amz-copy-source-range", value: "bytes=\(start)-\(end - 1)"))
                let tag = try await send(request) { response in
                    let root = try await Self.document(response, "CopyPartResult", .copyObject)
                    guard let tag = root.text("ETag") else { throw S3Error(.malformedAnswer, in: .copyObject) }
                    return tag
                }
                parts.append(S3Part(number: parts.count + 1, etag: tag, length: end - start))
            }
            try await completeUpload(target, id, parts: parts)
        } catch {
            try? await abortUpload(target, id)
            throw error
        }
    }

    private func copyRequest(_ source: String, _ etag: String?, _ request: S3Request) -> S3Request {
        var request = request
        request.isSlow = true
        request.headers = [
            (name: "x-amz-copy-source", value: "/\(configuration.bucket)/" + URIText.encodedPath(source))
        ]
        if let etag { request.headers.append((name: "x-amz-copy-source-if-match", value: etag)) }
        return request
    }

    /// Takes the rest of an answer, so that its connection can be used again.
    static func drain(_ response: HTTPClientResponse) async throws {
        for try await _ in response.body {}
    }

    /// The answer's document. An error may come with status 200, where the store began to answer before it knew.
    static func document(
        _ response: HTTPClientResponse, _ name: String, _ operation: S3Operation
    ) async throws -> XMLElement {
        let body = try await response.body.collect(upTo: 16 << 20)
        guard let root = try? XMLElement(body) else { throw S3Error(.malformedAnswer, in: operation) }
        if root.name == "Error" {
            let code = root.text("Code")
            var error = S3Error(status: 500, serviceCode: code, in: operation)
            error.status = response.status.code
            throw error
        }
        // rclone leaves the "Result" out.
        guard root.name == name || root.name + "Result" == name else { throw S3Error(.malformedAnswer, in: operation) }
        return root
    }
}
