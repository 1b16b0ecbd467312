import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// An object as a listing tells of it.
package struct S3ListedObject: Hashable, Sendable {
    package var key: String
    package var length: Int
    /// Milliseconds since 1970.
    package var lastModified: Int64
    package var etag: String?
}

/// A page of a listing, in the order of the keys' bytes.
package struct S3ObjectPage: Hashable, Sendable {
    package var objects: [S3ListedObject]
    /// Whether there are more behind the last one.
    package var isTruncated: Bool
    /// The last key that was looked at.
    package var lastKey: String?
}

extension S3Client {
    /// Objects whose keys begin with `prefix`, behind the key `after` (ListObjectsV2).
    package func list(prefix: String, after: String?, limit: Int) async throws -> S3ObjectPage {
        var request = S3Request(.listObjects, .GET, key: nil)
        request.query = [
            (name: "list-type", value: "2"), (name: "max-keys", value: String(min(max(1, limit), 1000))),
            (name: "prefix", value: prefix),
        ]
        if let after { request.query.append((name: "start-after", value: after)) }
        return try await send(request) { response in
            let root = try await Self.document(response, "ListBucketResult", .listObjects)
            let objects = try root.all("Contents").map { entry in
                guard let key = entry.text("Key"), let length = entry.number("Size"),
                    let time = entry.text("LastModified").flatMap({ UTCTime.milliseconds(iso: $0) })
                else { throw S3Error(.malformedAnswer, in: .listObjects) }
                return S3ListedObject(key: key, length: length, lastModified: time, etag: entry.text("ETag"))
            }
            return S3ObjectPage(
                objects: objects, isTruncated: root.text("IsTruncated") == "true" && !objects.isEmpty,
                lastKey: objects.last?.key)
        }
    }
}
