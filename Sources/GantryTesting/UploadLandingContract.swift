package import BlobStorage
import NIOCore

/// What every ``UploadLanding`` promises. Each clause wants one that is empty, and a way to PUT to a grant as a sender would.
package enum UploadLandingContract: String, CaseIterable, Sendable {
    case objects = "gives back what was put, in pieces, and forgets what was deleted"
    case once = "takes one object under a key"
    case listing = "lists both areas in the order of the keys, page by page"
    case quarantine = "moves into quarantine, and once more"
    case parts = "joins parts in their order, and says so again"
    case wrongParts = "refuses parts that are not there, too small, or out of order"
    case abort = "forgets an upload in parts that is given up"
    case adoption = "makes blobs of what has landed"

    /// Puts bytes where a grant says, with the fields it names; answers the entity tag without quotation marks, `nil` when it was refused.
    package typealias Put = @Sendable (UploadGrant, [UInt8]) async throws -> String?

    /// The time that keys and grants are made for: grants end an hour later.
    package static let now: Int64 = 1_800_000_000_000

    /// Throws a ``ContractViolation`` or the landing's own error.
    package func check(_ landing: any UploadLanding, put: Put) async throws {
        switch self {
        case .objects: try await checkObjects(landing, put)
        case .once: try await checkOnce(landing, put)
        case .listing: try await checkListing(landing, put)
        case .quarantine: try await checkQuarantine(landing, put)
        case .parts: try await checkParts(landing, put)
        case .wrongParts: try await checkWrongParts(landing, put)
        case .abort: try await checkAbort(landing, put)
        case .adoption: try await checkAdoption(landing, put)
        }
    }

    private func land(
        _ bytes: [UInt8], in landing: any UploadLanding, _ put: Put, at time: Int64 = now
    ) async throws -> LandedObject {
        let key = UploadKey(milliseconds: time)
        let grant = try await landing.grant(
            key, UploadConstraints(contentLength: bytes.count, expiresAt: Self.now + 3_600_000))
        try require(try await put(grant, bytes) != nil, "a granted PUT is taken")
        guard let object = try await landing.head(key) else {
            throw ContractViolation(description: "what was put is there")
        }
        try require(object.length == bytes.count, "its length is known")
        return object
    }

    private func checkObjects(_ landing: any UploadLanding, _ put: Put) async throws {
        for length in [1, 70_000, 3 << 20] {
            let bytes = BlobStoreContract.pattern(length, seed: length)
            let object = try await land(bytes, in: landing, put)
            var read: [UInt8] = []
            for try await piece in landing.chunks(object, 0..<length, chunkSize: 65_536) {
                read += Array(piece.readableBytesView)
            }
            try require(read == bytes, "the pieces are what was put")
            let middle = length / 3..<length / 2 + 1
            let piece = try await landing.read(object, middle)
            try require(Array(piece.readableBytesView) == Array(bytes[middle]), "a range is what was put")
            try await landing.delete([object.key], from: .incoming)
            try require(try await landing.head(object.key) == nil, "what was deleted is gone")
            try await landing.delete([object.key], from: .incoming)
        }
        try require(
            try await landing.head(UploadKey(milliseconds: Self.now)) == nil, "nothing is where nothing was put")
    }

    private func checkOnce(_ landing: any UploadLanding, _ put: Put) async throws {
        let key = UploadKey(milliseconds: Self.now)
        let grant = try await landing.grant(
            key, UploadConstraints(contentLength: 4, expiresAt: Self.now + 3_600_000))
        try require(try await put(grant, [1, 2, 3, 4]) != nil, "the first PUT is taken")
        try require(try await put(grant, [5, 6, 7, 8]) == nil, "the second PUT is refused")
        guard let object = try await landing.head(key) else {
            throw ContractViolation(description: "the first object is there")
        }
        let bytes = try await landing.read(object, 0..<4)
        try require(Array(bytes.readableBytesView) == [1, 2, 3, 4], "the first object stays")
    }

    private func checkListing(_ landing: any UploadLanding, _ put: Put) async throws {
        var keys: [UploadKey] = []
        for day in [0, 1, 31, 366, 366] {
            let object = try await land([1], in: landing, put, at: Self.now - Int64(day) * 86_400_000)
            keys.append(object.key)
        }
        keys.sort()
        for limit in [1, 2, 100] {
            let found = try await list(.incoming, landing, limit)
            try require(found.map(\.key) == keys, "all keys are listed in their order, \(limit) at a time")
            try require(found.allSatisfy { $0.length == 1 }, "lengths are listed")
        }
        try await landing.quarantine(keys[2])
        let left = try await list(.incoming, landing, 2)
        try require(left.map(\.key) == [keys[0], keys[1], keys[3], keys[4]], "the rest is listed")
        try require(try await list(.quarantine, landing, 2).map(\.key) == [keys[2]], "quarantine is listed")
    }

    private func list(_ area: LandingArea, _ landing: any UploadLanding, _ limit: Int) async throws -> [LandedObject] {
        var objects: [LandedObject] = []
        var cursor: BlobCursor?
        repeat {
            let page = try await landing.list(area, after: cursor, limit: limit)
            objects += page.objects
            cursor = page.next
        } while cursor != nil
        return objects
    }

    private func checkQuarantine(_ landing: any UploadLanding, _ put: Put) async throws {
        let object = try await land([1, 2], in: landing, put)
        try await landing.quarantine(object.key)
        try require(try await landing.head(object.key) == nil, "it is not where it landed")
        try await landing.quarantine(object.key)
        try await landing.delete([object.key], from: .quarantine)
        try require(try await list(.quarantine, landing, 10).isEmpty, "it is deleted from quarantine")
    }

    private func begin(_ landing: any UploadLanding) async throws -> MultipartUpload {
        try await landing.beginMultipart(UploadKey(milliseconds: Self.now), contentType: "application/dicom")
    }

    private func put(
        _ bytes: [UInt8], as part: Int, of upload: MultipartUpload, _ landing: any UploadLanding, _ put: Put
    ) async throws -> LandedPart {
        let grant = try await landing.grant(
            part: part, of: upload,
            UploadConstraints(contentLength: bytes.count, expiresAt: Self.now + 3_600_000))
        guard let etag = try await put(grant, bytes) else {
            throw ContractViolation(description: "a part is taken")
        }
        return LandedPart(number: part, etag: etag)
    }

    private func checkParts(_ landing: any UploadLanding, _ put: Put) async throws {
        let upload = try await begin(landing)
        let least = landing.limits.part.lowerBound
        let (first, last) = (BlobStoreContract.pattern(least, seed: 1), BlobStoreContract.pattern(10, seed: 2))
        let second = try await self.put(last, as: 2, of: upload, landing, put)
        _ = try await self.put(last, as: 1, of: upload, landing, put)
        let replaced = try await self.put(first, as: 1, of: upload, landing, put)
        let there = try await landing.parts(of: upload)
        try require(there.map(\.number) == [1, 2] && there.map(\.length) == [least, 10], "both parts are there")
        try require(
            try await landing.multipartUploads(begunBefore: .max).contains(upload), "the upload is listed")
        let object = try await landing.completeMultipart(upload, parts: [replaced, second])
        try require(object.length == least + 10 && object.key == upload.key, "the whole has the length of its parts")
        let bytes = try await landing.read(object, 0..<object.length)
        try require(Array(bytes.readableBytesView) == first + last, "the whole is its parts")
        let again = try await landing.completeMultipart(upload, parts: [replaced, second])
        try require(again == object, "completing it again changes nothing")
        try require(
            try await !landing.multipartUploads(begunBefore: .max).contains(upload), "the upload is not listed any more"
        )
    }

    private func checkWrongParts(_ landing: any UploadLanding, _ put: Put) async throws {
        let upload = try await begin(landing)
        let small = try await self.put([1, 2, 3], as: 1, of: upload, landing, put)
        let other = try await self.put([4, 5], as: 2, of: upload, landing, put)
        for parts in [
            [], [other, small], [small, other], [LandedPart(number: 1, etag: other.etag)],
            [LandedPart(number: 3, etag: small.etag)],
        ] {
            do {
                _ = try await landing.completeMultipart(upload, parts: parts)
                throw ContractViolation(description: "wrong parts are refused")
            } catch is UploadLandingError {}
        }
        try require(try await landing.head(upload.key) == nil, "nothing has landed")
    }

    private func checkAbort(_ landing: any UploadLanding, _ put: Put) async throws {
        let upload = try await begin(landing)
        let part = try await self.put([1], as: 1, of: upload, landing, put)
        try await landing.abortMultipart(upload)
        try await landing.abortMultipart(upload)
        do {
            _ = try await landing.completeMultipart(upload, parts: [part])
            throw ContractViolation(description: "an upload that was given up cannot be completed")
        } catch let error as UploadLandingError {
            try require(error.code == .noSuchUpload, "the upload is gone")
        }
    }

    private func checkAdoption(_ landing: any UploadLanding, _ put: Put) async throws {
        let bytes = BlobStoreContract.pattern(3 << 20, seed: 5)
        let object = try await land(bytes, in: landing, put)
        let blobs = MemoryBlobStore { Self.now }
        // Memory cannot take over what is elsewhere: the bytes go through a writer.
        try require(try await landing.adopting(object, into: blobs) == nil, "another kind of store adopts nothing")
    }

    private func require(_ holds: Bool, _ what: String) throws {
        guard holds else { throw ContractViolation(description: what) }
    }
}
