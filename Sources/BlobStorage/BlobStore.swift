package import NIOCore

/// Where the bytes of instances are kept, unchanged.
///
/// A blob is staged while it comes in, becomes durable together with others, and is read by the location it got then. What the index does not
/// name is an orphan: ``storedBlobs(olderThan:after:limit:)`` lists what there is, so that the archive can delete them (reliability D.2 1).
package protocol BlobStore: Sendable {
    /// Begins a blob that nobody sees yet. The length is a hint.
    func stage(expectedLength: Int?) async throws -> any BlobWriter

    /// Makes the blobs survive power loss, all of them in one act.
    ///
    /// Answers in the order of `blobs`. A blob that failed is gone; the others are at their locations.
    func makeDurable(_ blobs: [StagedBlob]) async -> [Result<BlobLocation, BlobError>]

    /// The same on the calling thread, which it blocks for the flush; `nil` where that would mean to wait for a network.
    /// Who has a thread that may block saves two changes of threads with it.
    var blockingCommit: (@Sendable ([StagedBlob]) -> [Result<BlobLocation, BlobError>])? { get }

    /// Gives staged blobs up.
    func discard(_ blobs: [StagedBlob]) async

    /// A piece of a staged blob, before it is durable.
    func read(_ blob: StagedBlob, _ range: Range<Int>) async throws -> ByteBuffer

    /// A piece of a stored blob. A range outside the blob is ``BlobError/Code-swift.enum/outOfBounds``.
    func read(_ location: BlobLocation, _ range: Range<Int>) async throws -> ByteBuffer

    /// A stored blob's bytes piece by piece, the next piece being read while the caller is busy with the last.
    func chunks(_ location: BlobLocation, _ range: Range<Int>, chunkSize: Int) -> BlobChunks

    /// How many reads should be under way at a time, so that nobody waits for each one alone: 1 for a disk, more where each costs a round trip.
    var readsAtOnce: Int { get }

    /// Deletes blobs for good. One that is not there any more is no error.
    func delete(_ locations: [BlobLocation]) async throws

    /// A page of what is stored and was stored before `cutoff` (milliseconds since 1970), in a stable order, behind the cursor of the page before.
    func storedBlobs(olderThan cutoff: Int64, after cursor: BlobCursor?, limit: Int) async throws -> BlobPage

    /// Removes what was begun before a time (milliseconds since 1970) and never became a blob, because its process died. Answers how much there was.
    @discardableResult
    func removeUnfinished(olderThan cutoff: Int64) async throws -> Int

    /// Checks a blob's bytes against what was recorded when it was stored: ``BlobError/Code-swift.enum/corrupt`` when they differ. Answers the digest.
    func verify(_ location: BlobLocation) async throws -> [UInt8]

    /// Rewrites what is left in stores that are mostly dead, and answers the bytes that were freed.
    ///
    /// - Parameters:
    ///   - cutoff: Only what was stored before this time (milliseconds since 1970) is touched: younger blobs may not be in the index yet.
    ///   - isLive: Whether the index names the location.
    ///   - relocate: Changes the index rows from the first location to the second, durably. A pair whose first location is no longer named is skipped there.
    @discardableResult
    func compact(
        olderThan cutoff: Int64,
        isLive: @Sendable (BlobLocation) async throws -> Bool,
        relocate: @Sendable ([(from: BlobLocation, to: BlobLocation)]) async throws -> Void
    ) async throws -> Int64

    /// The object of this name, written by somebody else, with its length; `nil` where there is none.
    func blob(named name: ObjectName) async throws -> BlobLocation?

    /// How much room there is.
    func space() async throws -> BlobSpace

    /// Finishes what runs and lets go of files and threads.
    func close() async throws
}

extension BlobStore {
    package var blockingCommit: (@Sendable ([StagedBlob]) -> [Result<BlobLocation, BlobError>])? { nil }

    package var readsAtOnce: Int { 1 }

    package func removeUnfinished(olderThan cutoff: Int64) async throws -> Int { 0 }

    package func blob(named name: ObjectName) async throws -> BlobLocation? { nil }

    /// The whole blob in one piece: for blobs known to be small.
    package func read(_ location: BlobLocation) async throws -> ByteBuffer {
        try await read(location, 0..<location.length)
    }

    /// The whole blob in pieces of 1 MiB.
    package func chunks(_ location: BlobLocation) -> BlobChunks {
        chunks(location, 0..<location.length, chunkSize: 1 << 20)
    }
}

/// Takes the bytes of one blob. One task owns it and its calls do not overlap.
package protocol BlobWriter: AnyObject, Sendable {
    /// Bytes taken so far.
    var length: Int { get }
    /// Takes the next bytes; returns when there is room for more.
    func write(_ bytes: ByteBuffer) async throws
    /// Ends the blob. Nothing may be written any more.
    func finish() async throws -> StagedBlob
    /// Gives the blob up. Allowed at any time before ``finish()`` has returned; later it does nothing.
    func abort() async
}

/// A blob that is complete and not yet durable.
package struct StagedBlob: Sendable {
    /// Where its bytes wait.
    package enum Content: Sendable {
        case memory(BytePieces)
        /// On the medium under that key, where nobody looks for it yet.
        case object(key: BlobKey)
    }

    /// Number of bytes.
    package let length: Int
    /// SHA-256 of the bytes, 32 bytes.
    package let digest: [UInt8]
    /// Where its bytes wait.
    package let content: Content

    package init(length: Int, digest: [UInt8], content: Content) {
        self.length = length
        self.digest = digest
        self.content = content
    }
}

/// Where a listing goes on.
package struct BlobCursor: Hashable, Sendable {
    /// Opaque; ordered as the listing is.
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// A page of a listing.
package struct BlobPage: Sendable {
    /// The blobs found, possibly none even when there are more pages.
    package var blobs: [BlobLocation]
    /// Where the next page begins, `nil` at the end.
    package var next: BlobCursor?

    package init(blobs: [BlobLocation], next: BlobCursor?) {
        self.blobs = blobs
        self.next = next
    }
}

/// Room on the medium, in bytes.
package struct BlobSpace: Hashable, Sendable {
    package var total: Int64
    package var available: Int64

    package init(total: Int64, available: Int64) {
        self.total = total
        self.available = available
    }

    /// The used share, 0 to 1, for the watermarks (reliability D.2 7).
    package var usedShare: Double {
        total > 0 ? 1 - Double(available) / Double(total) : 0
    }
}
