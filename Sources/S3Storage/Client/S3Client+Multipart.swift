import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// A part of an upload that the store has.
package struct S3Part: Hashable, Sendable {
    /// From 1.
    package var number: Int
    package var etag: String
    /// Number of bytes; 0 when it is not known.
    package var length: Int

    package init(number: Int, etag: String, length: Int) {
        self.number = number
        self.etag = etag
        self.length = length
    }
}

/// An upload that was begun and neither completed nor aborted.
package struct S3PendingUpload: Hashable, Sendable {
    package var key: String
    package var uploadID: String
    /// Milliseconds since 1970.
    package var initiated: Int64
}

extension S3Client {
    /// Begins an object that is sent in parts. Answers the upload's id.
    package func createUpload(
        _ key: String, contentType: String = "application/octet-stream"
    ) async throws -> String {
        var request = S3Request(.createUpload, .POST, key: key)
        request.query = [(name: "uploads", value: "")]
        request.headers = [(name: "content-type", value: contentType)]
        return try await send(request) { response in
            let root = try await Self.document(response, "InitiateMultipartUploadResult", .createUpload)
            guard let id = root.text("UploadId"), !id.isEmpty else {
                throw S3Error(.malformedAnswer, in: .createUpload)
            }
            return id
        }
    }

    /// Sends one part, 5 MiB or more but for the last.
    package func uploadPart(_ key: String, _ uploadID: String, number: Int, _ body: S3Body) async throws -> S3Part {
        var request = S3Request(.uploadPart, .PUT, key: key)
        request.query = [(name: "partNumber", value: String(number)), (name: "uploadId", value: uploadID)]
        request.body = body
        let length = body.length
        return try await send(request) { response in
            try await Self.drain(response)
            guard let etag = response.headers.first(name: "etag") else {
                throw S3Error(.malformedAnswer, in: .uploadPart)
            }
            return S3Part(number: number, etag: etag, length: length)
        }
    }

    /// Makes the object of its parts. When an answer was lost and the upload is gone, the object tells whether it came about: then it has
    /// the parts' length.
    package func completeUpload(_ key: String, _ uploadID: String, parts: [S3Part]) async throws {
        var text = "<CompleteMultipartUpload>"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(part.etag.escapedForXML)</ETag></Part>"
        }
        text += "</CompleteMultipartUpload>"
        var request = S3Request(.completeUpload, .POST, key: key)
        request.query = [(name: "uploadId", value: uploadID)]
        request.headers = [(name: "content-type", value: "application/xml")]
        request.body = .bytes(.init(string: text))
        request.isSlow = true
        do {
            try await send(request) {
                _ = try await Self.document($0, "CompleteMultipartUploadResult", .completeUpload)
            }
        } catch let error as S3Error where error.code == .noSuchUpload || error.code == .notFound {
            let length = parts.reduce(0) { $0 + $1.length }
            guard let head = try? await head(key), head.length == length else { throw error }
        }
    }

    /// Gives an upload up with all its parts. One that is not there is no error.
    package func abortUpload(_ key: String, _ uploadID: String) async throws {
        var request = S3Request(.abortUpload, .DELETE, key: key)
        request.query = [(name: "uploadId", value: uploadID)]
        do {
            try await send(request) { try await Self.drain($0) }
        } catch let error as S3Error where error.code == .noSuchUpload || error.code == .notFound {
            return
        }
    }

    /// The parts that the store has, by number.
    package func listParts(_ key: String, _ uploadID: String) async throws -> [S3Part] {
        var parts: [S3Part] = []
        var marker: Int?
        while parts.count <= 10_000 {
            var request = S3Request(.listParts, .GET, key: key)
            request.query = [(name: "max-parts", value: "1000"), (name: "uploadId", value: uploadID)]
            if let marker { request.query.append((name: "part-number-marker", value: String(marker))) }
            let (page, next) = try await send(request) { response in
                let root = try await Self.document(response, "ListPartsResult", .listParts)
                let page = try root.all("Part").map { entry in
                    guard let number = entry.number("PartNumber"), let etag = entry.text("ETag"),
                        let length = entry.number("Size")
                    else { throw S3Error(.malformedAnswer, in: .listParts) }
                    return S3Part(number: number, etag: etag, length: length)
                }
                return (page, root.text("IsTruncated") == "true" ? page.last?.number : nil)
            }
            parts += page
            guard let next, next > (marker ?? 0) else { return parts }
            marker = next
        }
        throw S3Error(.malformedAnswer, in: .listParts)
    }

    /// Up to 1,000 uploads that were begun under a prefix and have not ended.
    package func listUploads(prefix: String) async throws -> [S3PendingUpload] {
        var request = S3Request(.listUploads, .GET, key: nil)
        request.query = [(name: "prefix", value: prefix), (name: "uploads", value: "")]
        return try await send(request) { response in
            let root = try await Self.document(response, "ListMultipartUploadsResult", .listUploads)
            return root.all("Upload").compactMap { entry in
                guard let key = entry.text("Key"), let id = entry.text("UploadId"),
                    let time = entry.text("Initiated").flatMap({ UTCTime.milliseconds(iso: $0) }),
                    key.hasPrefix(prefix)
                else { return nil }
                return S3PendingUpload(key: key, uploadID: id, initiated: time)
            }
        }
    }
}
