import Glibc

extension DiskUploadLanding {
    package func beginMultipart(_ key: UploadKey, contentType: String?) async throws -> MultipartUpload {
        var generator = SystemRandomNumberGenerator()
        let id = BlobKey(using: &generator)
        try await blocking { [folder] in try PartFolder(id, in: folder).begin(key) }
        return MultipartUpload(key: key, id: id.description)
    }

    package func parts(of upload: MultipartUpload) async throws -> [LandedPart] {
        let id = try id(of: upload)
        return try await blocking { [folder] in
            let parts = PartFolder(id, in: folder)
            guard try parts.begun()?.key == upload.key else { throw UploadLandingError(.noSuchUpload) }
            return try parts.parts()
        }
    }

    package func completeMultipart(_ upload: MultipartUpload, parts named: [LandedPart]) async throws -> LandedObject {
        let id = try id(of: upload)
        return try await blocking { [folder, limits] in
            let key = upload.key
            let parts = PartFolder(id, in: folder)
            guard try parts.begun()?.key == key else {
                guard let object = try Self.object(key, in: .incoming, folder) else {
                    throw UploadLandingError(.noSuchUpload)
                }
                return object
            }
            try Self.check(named, against: parts.parts(), limits)
            var generator = SystemRandomNumberGenerator()
            let joined = folder.receivingPath(BlobKey(using: &generator))
            do {
                try parts.join(named, into: joined)
                try folder.place(joined, at: folder.path(key, in: .incoming))
            } catch let error as UploadLandingError where error.code == .alreadyThere {
                // Completed at the same time, or before a crash.
                unlink(joined)
            } catch {
                unlink(joined)
                throw error
            }
            try parts.remove()
            guard let object = try Self.object(key, in: .incoming, folder) else {
                throw UploadLandingError(.noSuchUpload)
            }
            return object
        }
    }

    package func abortMultipart(_ upload: MultipartUpload) async throws {
        let id = try id(of: upload)
        try await blocking { [folder] in
            let parts = PartFolder(id, in: folder)
            guard let begun = try parts.begun() else { return }
            guard begun.key == upload.key else { throw UploadLandingError(.noSuchUpload) }
            try parts.remove()
        }
    }

    package func multipartUploads(begunBefore time: Int64) async throws -> [MultipartUpload] {
        try await blocking { [folder] in
            var uploads: [MultipartUpload] = []
            for name in try folder.names(in: folder.parts) {
                guard let id = BlobKey(name) else { continue }
                let parts = PartFolder(id, in: folder)
                guard let begun = try parts.begun() else {
                    // Its removal, or its beginning, was cut short.
                    if let changed = try parts.changed(), changed < time { try parts.remove() }
                    continue
                }
                if begun.at < time { uploads.append(MultipartUpload(key: begun.key, id: name)) }
            }
            return uploads
        }
    }

    private func id(of upload: MultipartUpload) throws(UploadLandingError) -> BlobKey {
        guard let id = BlobKey(upload.id) else { throw UploadLandingError(.noSuchUpload) }
        return id
    }

    /// Whether the parts that the sender names are those that are there, each large enough.
    private static func check(
        _ named: [LandedPart], against there: [LandedPart], _ limits: UploadLandingLimits
    ) throws(UploadLandingError) {
        guard !named.isEmpty, named.count <= limits.parts else { throw UploadLandingError(.invalidPart(named.count)) }
        let known = Dictionary(there.map { ($0.number, $0) }) { first, _ in first }
        var last = 0
        var total = 0
        for (index, part) in named.enumerated() {
            guard part.number > last else { throw UploadLandingError(.invalidPart(part.number)) }
            last = part.number
            guard let found = known[part.number], found.etag == part.etag, let length = found.length else {
                throw UploadLandingError(.noSuchPart(part.number))
            }
            guard index == named.count - 1 || length >= limits.part.lowerBound else {
                throw UploadLandingError(.invalidPart(part.number))
            }
            total += length
        }
        guard total <= limits.total else { throw UploadLandingError(.wrongLength) }
    }
}
