package import BlobStorage

extension S3BlobStore {
    package func delete(_ locations: [BlobLocation]) async throws {
        let keys = locations.compactMap { location in
            if case .object(let key) = location.place { self.keys.key(key) } else { nil }
        }
        do {
            try await deleteObjects(keys)
        } catch {
            throw Self.failure(error, in: "delete")
        }
    }

    /// Deletes objects, many by one request where the store can do that.
    func deleteObjects(_ keys: [String]) async throws {
        var rest = keys[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(1000))
            rest = rest.dropFirst(1000)
            var single = batch
            if capabilities.batchDelete, batch.count > 1 {
                single = try await client.deleteBatch(batch)
                if !single.isEmpty { single = batch.filter(Set(single).contains) }
            }
            for key in single { try await client.delete(key) }
        }
    }

    package func storedBlobs(
        olderThan cutoff: Int64, after cursor: BlobCursor?, limit: Int
    ) async throws -> BlobPage {
        let after = try cursor.map { cursor throws(BlobError) in
            guard keys.blob(keys.prefix + cursor.rawValue) != nil else { throw BlobError(.notFound, in: "cursor") }
            return keys.prefix + cursor.rawValue
        }
        let page: S3ObjectPage
        do {
            page = try await client.list(prefix: keys.prefix, after: after, limit: limit)
        } catch {
            throw Self.failure(error, in: "storedBlobs")
        }
        let storeCutoff = storeTime(cutoff)
        let blobs = page.objects.compactMap { object -> BlobLocation? in
            guard object.lastModified < storeCutoff, let key = keys.blob(object.key) else { return nil }
            return BlobLocation(.object(key), length: object.length)
        }
        // A key that is not ours cannot be a cursor; the last one of ours can.
        let last = page.objects.last { keys.blob($0.key) != nil }
        let next =
            page.isTruncated ? last.map { BlobCursor(rawValue: String($0.key.dropFirst(keys.prefix.count))) } : nil
        return BlobPage(blobs: blobs, next: next)
    }

    /// A time of ours by the store's clock, which objects carry.
    private func storeTime(_ time: Int64) -> Int64 {
        let (sum, overflows) = time.addingReportingOverflow(client.storeTime - client.clock())
        return overflows ? time : sum
    }

    /// There is nothing to rewrite: what is dead is deleted.
    @discardableResult
    package func compact(
        olderThan cutoff: Int64,
        isLive: @Sendable (BlobLocation) async throws -> Bool,
        relocate: @Sendable ([(from: BlobLocation, to: BlobLocation)]) async throws -> Void
    ) async throws -> Int64 {
        0
    }

    /// Aborts uploads in parts that were begun and neither completed nor given up.
    @discardableResult
    package func removeUnfinished(olderThan cutoff: Int64) async throws -> Int {
        do {
            let pending = try await client.listUploads(prefix: keys.prefix)
            let storeCutoff = storeTime(cutoff)
            let old = pending.filter { $0.initiated < storeCutoff && keys.blob($0.key) != nil }
            for upload in old { try await client.abortUpload(upload.key, upload.uploadID) }
            return old.count
        } catch let error as S3Error where error.code == .unsupported {
            return 0
        } catch {
            throw Self.failure(error, in: "removeUnfinished")
        }
    }
}
