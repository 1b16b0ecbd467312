package import BlobStorage
package import SQLStorage

/// Moves an archive to another database and, where asked, its instances' bytes to another blob store.
///
/// The source stays as it is. A move that was broken off goes on when it is run again; bytes that arrived and whose row did not are left
/// to the sweep.
package struct ArchiveMove: Sendable {
    /// Why an instance could not be moved.
    package struct Failure: Error, Hashable, CustomStringConvertible {
        package enum Code: Hashable, Sendable {
            /// Its bytes cannot be read.
            case unreadable(BlobError.Code)
            /// Its bytes are not those that were stored.
            case otherDigest
            /// The target does not take its bytes.
            case unwritable(BlobError.Code)
        }

        package var code: Code
        /// The SOP Instance UID.
        package var instance: String

        package var description: String {
            switch code {
            case .unreadable(let code): "the bytes of instance \(instance) cannot be read: \(code)"
            case .otherDigest: "the bytes of instance \(instance) are not those that were stored"
            case .unwritable(let code): "the bytes of instance \(instance) cannot be stored: \(code)"
            }
        }
    }

    /// Where bytes go from and to.
    package struct Blobs: Sendable {
        package var source: any BlobStore
        package var target: any BlobStore

        package init(from source: any BlobStore, to target: any BlobStore) {
            self.source = source
            self.target = target
        }
    }

    /// What has arrived since the last time.
    package struct Progress: Hashable, Sendable {
        package var rows = 0
        package var bytes = 0
    }

    private let source: any SQLDatabase
    private let target: any SQLDatabase
    private let blobs: Blobs?

    /// Instances whose bytes go across at a time, and those whose rows are then written together.
    private static let width = 8
    private static let batch: Int64 = 64

    /// - Parameters:
    ///   - source: Nobody else may work on it during the move.
    ///   - target: Migrated, and empty but for what an earlier move from the same source brought.
    ///   - blobs: `nil` where the bytes stay and both databases name the same places.
    package init(from source: any SQLDatabase, to target: any SQLDatabase, blobs: Blobs?) {
        self.source = source
        self.target = target
        self.blobs = blobs
    }

    /// The rows that there are to move.
    package func rowCount() async throws -> Int { try await TableMove(from: source, to: target).rowCount() }

    /// Moves everything and compares it; answers what was moved, table by table.
    package func run(progress: @escaping @Sendable (Progress) -> Void = { _ in }) async throws -> [TableMove.Table] {
        let exchange = blobs.map { blobs in
            TableMove.Exchange(table: "instances", column: "location", batch: Self.batch) { rows in
                try await Self.move(rows, blobs) { progress(Progress(bytes: $0)) }
            }
        }
        return try await TableMove(from: source, to: target, exchanging: exchange).run {
            progress(Progress(rows: $0))
        }
    }

    // MARK: - Bytes

    private static func move(
        _ rows: [[String: SQLValue]], _ blobs: Blobs, _ progress: @escaping @Sendable (Int) -> Void
    ) async throws -> [SQLValue] {
        try await withThrowingTaskGroup(of: (Int, BlobLocation).self) { group in
            var locations = [SQLValue](repeating: .null, count: rows.count)
            var next = 0
            func addNext() {
                guard next < rows.count else { return }
                let (index, row) = (next, rows[next])
                next += 1
                group.addTask {
                    let location = try await move(row, blobs)
                    progress(location.length)
                    return (index, location)
                }
            }
            for _ in 0..<width { addNext() }
            while let (index, location) = try await group.next() {
                locations[index] = .text(location.rawValue)
                addNext()
            }
            return locations
        }
    }

    private static func move(_ row: [String: SQLValue], _ blobs: Blobs) async throws -> BlobLocation {
        guard case .text(let uid) = row["uid"], case .text(let place) = row["location"],
            case .bytes(let digest) = row["digest"]
        else { throw SQLError(.schema, "instances lacks a column") }
        guard let location = BlobLocation(rawValue: place) else {
            throw Failure(code: .unreadable(.notFound), instance: uid)
        }
        let staged = try await stage(location, of: uid, blobs)
        guard staged.digest == digest else {
            await blobs.target.discard([staged])
            throw Failure(code: .otherDigest, instance: uid)
        }
        guard let result = await blobs.target.makeDurable([staged]).first else {
            throw Failure(code: .unwritable(.unavailable), instance: uid)
        }
        do throws(BlobError) {
            return try result.get()
        } catch {
            throw Failure(code: .unwritable(error.code), instance: uid)
        }
    }

    /// Streams the bytes across. What the target computes while it takes them is their digest.
    private static func stage(_ location: BlobLocation, of uid: String, _ blobs: Blobs) async throws -> StagedBlob {
        let writer: any BlobWriter
        do {
            writer = try await blobs.target.stage(expectedLength: location.length)
        } catch let error as BlobError {
            throw Failure(code: .unwritable(error.code), instance: uid)
        }
        do {
            var chunks = blobs.source.chunks(location).makeAsyncIterator()
            while let chunk = try await reading(uid, { try await chunks.next() }) {
                try await writer.write(chunk)
            }
            return try await writer.finish()
        } catch {
            await writer.abort()
            guard let error = error as? BlobError else { throw error }
            throw Failure(code: .unwritable(error.code), instance: uid)
        }
    }

    private static func reading<T>(_ uid: String, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as BlobError {
            throw Failure(code: .unreadable(error.code), instance: uid)
        }
    }
}
