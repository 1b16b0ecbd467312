package import NIOCore

/// Where presigned uploads land before they are ingested: a folder of the gateway's own, or an S3 bucket.
///
/// A landing issues grants, which are the URLs that senders PUT to; where it is a bucket their bytes never pass through the gateway. What has landed
/// is looked at, read, and then deleted or put into quarantine. A landing knows nothing of who may upload and of what became of it: that is in
/// the table of uploads.
///
/// Every call may be repeated: what it asks for may have happened already, by another process or before a crash.
package protocol UploadLanding: Sendable {
    /// What one upload may be.
    var limits: UploadLandingLimits { get }

    /// Whether PUTs come to the gateway itself, so that it knows of each without being told.
    var isGateway: Bool { get }

    // MARK: Issuing

    /// Leave to put one object under the key, once.
    func grant(_ key: UploadKey, _ constraints: UploadConstraints) async throws -> UploadGrant

    /// Begins an upload in parts.
    ///
    /// - Parameter contentType: What the whole will be, where the store keeps that.
    func beginMultipart(_ key: UploadKey, contentType: String?) async throws -> MultipartUpload

    /// Leave to put one part. Putting it again replaces it until the upload is complete.
    ///
    /// - Parameter part: Counted from 1.
    func grant(part: Int, of upload: MultipartUpload, _ constraints: UploadConstraints) async throws -> UploadGrant

    /// The parts that are there, in the order of their numbers. An upload that was completed or given up is
    /// ``UploadLandingError/Code-swift.enum/noSuchUpload``.
    func parts(of upload: MultipartUpload) async throws -> [LandedPart]

    /// Makes one object of the parts, in the order in which they are given, and forgets the upload.
    ///
    /// Succeeds also where the object is there already and the upload is not any more: an answer was lost.
    func completeMultipart(_ upload: MultipartUpload, parts: [LandedPart]) async throws -> LandedObject

    /// Gives the upload and its parts up. One that is not there any more is no error.
    func abortMultipart(_ upload: MultipartUpload) async throws

    // MARK: What has landed

    /// What has landed under the key; `nil` when nothing has.
    func head(_ key: UploadKey) async throws -> LandedObject?

    /// A piece of an object. Where it is not any more the object that was looked at, this throws
    /// ``UploadLandingError/Code-swift.enum/changed`` (SEC-26), and ``BlobError/Code-swift.enum/notFound`` when it is gone.
    func read(_ object: LandedObject, _ range: Range<Int>) async throws -> ByteBuffer

    /// An object's bytes piece by piece, the next piece being read while the caller is busy with the last.
    func chunks(_ object: LandedObject, _ range: Range<Int>, chunkSize: Int) -> BlobChunks

    /// A page of what is in an area, in the order of the keys, behind the cursor of the page before.
    func list(_ area: LandingArea, after cursor: BlobCursor?, limit: Int) async throws -> LandingPage

    /// Uploads in parts that were begun before a time (milliseconds since 1970) and neither completed nor given up.
    func multipartUploads(begunBefore time: Int64) async throws -> [MultipartUpload]

    /// Deletes objects for good. One that is not there any more is no error.
    func delete(_ keys: [UploadKey], from area: LandingArea) async throws

    /// Moves an object from where it landed into quarantine. One that is there already is no error.
    func quarantine(_ key: UploadKey) async throws

    /// A writer that stages an object as a blob without taking its bytes: the caller reads the object from its beginning to its end and writes what
    /// it reads, which is only hashed; ``BlobWriter/finish()`` then has the store link or copy the object by itself. The object stays where it
    /// landed, to be deleted when the blob is in the index.
    ///
    /// - Returns: `nil` where that cannot be done, or does not pay: then the bytes go through ``BlobStore/stage(expectedLength:)``.
    func adopting(_ object: LandedObject, into blobs: any BlobStore) async throws -> (any BlobWriter)?

    /// Lets go of files and threads.
    func close() async throws
}

extension UploadLanding {
    package func adopting(_ object: LandedObject, into blobs: any BlobStore) async throws -> (any BlobWriter)? { nil }

    /// All of an object in pieces of 1 MiB.
    package func chunks(_ object: LandedObject) -> BlobChunks {
        chunks(object, 0..<object.length, chunkSize: 1 << 20)
    }
}

/// What a landing takes.
package struct UploadLandingLimits: Hashable, Sendable {
    /// The most bytes of one PUT.
    package var object: Int
    /// The fewest bytes of a part that is not the last one, and the most of any.
    package var part: ClosedRange<Int>
    /// The most parts.
    package var parts: Int
    /// The most bytes of all parts together.
    package var total: Int

    /// Those of S3: 5 GiB in one go, parts of 5 MiB to 5 GiB, 10,000 of them, 5 TiB together.
    package static let s3 = UploadLandingLimits(
        object: 5 << 30, part: (5 << 20)...(5 << 30), parts: 10_000, total: 5 << 40)

    package init(object: Int, part: ClosedRange<Int>, parts: Int, total: Int) {
        self.object = object
        self.part = part
        self.parts = parts
        self.total = total
    }
}

/// What a grant allows; what is `nil` was not said and is free within the landing's limits.
package struct UploadConstraints: Hashable, Sendable {
    /// The exact number of bytes.
    package var contentLength: Int?
    /// SHA-256 of the bytes, 32 bytes.
    package var sha256: [UInt8]?
    /// The media type, as the Content-Type field will have it.
    package var contentType: String?
    /// The last moment at which the PUT may begin, in milliseconds since 1970; whole seconds count.
    package var expiresAt: Int64

    package init(
        contentLength: Int? = nil, sha256: [UInt8]? = nil, contentType: String? = nil, expiresAt: Int64
    ) {
        self.contentLength = contentLength
        self.sha256 = sha256
        self.contentType = contentType
        self.expiresAt = expiresAt
    }
}

/// Leave to PUT once. Its target is a secret: it is never logged.
package struct UploadGrant: Hashable, Sendable {
    /// Where to PUT.
    package enum Target: Hashable, Sendable {
        /// Path and query on the gateway, `/uploads/…`; whoever answers the sender puts the public address before it.
        case gateway(String)
        /// A whole URL.
        case url(String)
    }

    package var target: Target
    /// Header fields that the PUT must have, as they are signed, besides Host.
    package var headers: [(name: String, value: String)]
    /// In milliseconds since 1970.
    package var expiresAt: Int64

    /// The only method that is granted.
    package static let method = "PUT"

    package init(target: Target, headers: [(name: String, value: String)], expiresAt: Int64) {
        self.target = target
        self.headers = headers
        self.expiresAt = expiresAt
    }

    package static func == (left: UploadGrant, right: UploadGrant) -> Bool {
        left.target == right.target && left.expiresAt == right.expiresAt
            && left.headers.elementsEqual(right.headers) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(target) }
}

/// An upload in parts.
package struct MultipartUpload: Hashable, Sendable {
    package var key: UploadKey
    /// The landing's own name for it.
    package var id: String

    package init(key: UploadKey, id: String) {
        self.key = key
        self.id = id
    }
}

/// A part that is there.
package struct LandedPart: Hashable, Sendable {
    /// Counted from 1.
    package var number: Int
    /// As the answer to its PUT had it, without quotation marks.
    package var etag: String
    /// Number of bytes; `nil` where only the sender names the part.
    package var length: Int?

    package init(number: Int, etag: String, length: Int? = nil) {
        self.number = number
        self.etag = etag
        self.length = length
    }
}

/// An object that is there.
package struct LandedObject: Hashable, Sendable {
    package var key: UploadKey
    /// Number of bytes.
    package var length: Int
    /// Changes when the object does, without quotation marks; `nil` where an object cannot change.
    package var etag: String?
    /// When it was there, in milliseconds since 1970.
    package var modified: Int64

    package init(key: UploadKey, length: Int, etag: String?, modified: Int64) {
        self.key = key
        self.length = length
        self.etag = etag
        self.modified = modified
    }
}

/// The two places of a landing.
package enum LandingArea: String, Hashable, Sendable, CaseIterable {
    /// Where PUTs arrive.
    case incoming
    /// Where what was rejected is kept for a time.
    case quarantine
}

/// A page of a listing.
package struct LandingPage: Sendable {
    /// What was found, possibly nothing even when there are more pages.
    package var objects: [LandedObject]
    /// Where the next page begins, `nil` at the end.
    package var next: BlobCursor?

    package init(objects: [LandedObject], next: BlobCursor?) {
        self.objects = objects
        self.next = next
    }
}

/// Why a landing refused; what goes wrong with files or a bucket is a ``BlobError``.
package struct UploadLandingError: Error, Hashable, Sendable {
    /// What kind of refusal, as callers tell them apart.
    package enum Code: Hashable, Sendable {
        /// Something has landed under the key before.
        case alreadyThere
        /// More or fewer bytes than granted.
        case wrongLength
        /// The bytes have another SHA-256 than granted.
        case wrongDigest
        /// The upload in parts is not there: never begun, completed, or given up.
        case noSuchUpload
        /// A part is not there, or is another one than named.
        case noSuchPart(Int)
        /// A part is too small, or their order is wrong.
        case invalidPart(Int)
        /// The object is not any more the one that was looked at.
        case changed
    }

    package var code: Code

    package init(_ code: Code) { self.code = code }
}
