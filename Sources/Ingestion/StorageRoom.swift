package import BlobStorage
import Synchronization

/// How much of the medium may be used before new instances are refused (reliability.md rule 7).
package struct StorageWatermarks: Hashable, Sendable {
    /// The used share, 0 to 1, at which instances are no longer taken; 1 or more: there is no such mark.
    package var high: Double
    /// The used share at which they are taken again.
    package var low: Double
    /// While so many bytes are free, the marks are not looked at.
    package var ample: Int64
    /// Bytes that are kept free for the index and for what has no other place. Of a small medium at most a twentieth.
    package var reserve: Int64

    package init(high: Double = 1, low: Double = 1, ample: Int64 = .max, reserve: Int64 = 0) {
        self.high = high
        self.low = low
        self.ample = ample
        self.reserve = reserve
    }

    /// Takes instances until nothing more can be written.
    package static let off = StorageWatermarks()

    func reserve(of space: BlobSpace) -> Int64 { min(reserve, space.total / 20) }

    /// Whether instances are refused, seeing whether they were. What ends a refusal is more than what avoids one, so that
    /// it does not come and go.
    func isFull(_ space: BlobSpace, wasFull: Bool) -> Bool {
        let reserve = reserve(of: space)
        guard space.available >= reserve else { return true }
        let hasMark = high < 1
        if hasMark, space.usedShare >= high, space.available < ample { return true }
        guard wasFull else { return false }
        guard space.available - reserve >= reserve / 4 else { return true }
        return hasMark && space.usedShare > low && space.available - ample < ample / 4
    }
}

/// Whether there is room for more instances. Asking is reading a flag: the medium is looked at in the background, and in
/// between after every 64 MiB that were written.
package final class StorageRoom: Sendable {
    private let watermarks: StorageWatermarks
    private let space: @Sendable () async throws -> BlobSpace
    private let unnoticed = Atomic<Int>(0)
    private let isFullNow = Atomic<Bool>(false)
    private let isBelowReserve = Atomic<Bool>(false)

    private static let mostUnnoticed = 64 << 20

    /// - Parameter space: looks at the medium.
    package init(_ watermarks: StorageWatermarks, space: @escaping @Sendable () async throws -> BlobSpace) {
        self.watermarks = watermarks
        self.space = space
    }

    /// Whether no further instance is taken.
    package var isFull: Bool { isFullNow.load(ordering: .relaxed) }

    /// Whether the used share is at the high mark, whatever is free: someone should look.
    package func isAtMark(_ space: BlobSpace) -> Bool { space.usedShare >= watermarks.high }

    /// Looks at the medium. Where that fails, what was known before goes on; writing will tell.
    @discardableResult
    package func refresh() async -> BlobSpace? {
        unnoticed.store(0, ordering: .relaxed)
        guard let space = try? await space() else { return nil }
        isBelowReserve.store(space.available < watermarks.reserve(of: space), ordering: .relaxed)
        isFullNow.store(watermarks.isFull(space, wasFull: isFull), ordering: .relaxed)
        return space
    }

    /// Counts bytes that are about to be written; whether they may be. An instance that is being received is cut off only
    /// where the reserve begins.
    package func admits(_ count: Int) async -> Bool {
        let total = unnoticed.wrappingAdd(count, ordering: .relaxed).newValue
        if total >= Self.mostUnnoticed { await refresh() }
        return !isBelowReserve.load(ordering: .relaxed)
    }
}
