import BlobStorage
import GantryTesting
import NIOCore
import Synchronization
import Testing

@testable import Ingestion

/// A disk of 1,000 GiB that is as full as the test says.
private final class FakeDisk: Sendable {
    private let free: Mutex<Int64?>

    init(free: Int64?) { self.free = Mutex(free) }

    /// `nil`: it does not answer.
    func setFree(_ gibibytes: Int64?) { free.withLock { $0 = gibibytes } }

    func room(_ watermarks: StorageWatermarks) -> StorageRoom {
        StorageRoom(watermarks) {
            guard let free = self.free.withLock({ $0 }) else { throw BlobError(.closed, in: "statvfs") }
            return BlobSpace(total: 1000 << 30, available: free << 30)
        }
    }
}

@Suite struct StorageRoomTests {
    private static let watermarks = StorageWatermarks(high: 0.85, low: 0.75, ample: 1000 << 30, reserve: 10 << 30)

    /// What is free, and whether instances are refused then, one after the other.
    @Test(
        arguments: [
            (watermarks, [(500, false), (151, false), (150, true), (249, true), (250, false), (200, false)]),
            (watermarks, [(9, true), (11, true), (200, true), (260, false)]),
            // Much is free although little of the disk is.
            (
                StorageWatermarks(high: 0.85, low: 0.75, ample: 100 << 30, reserve: 10 << 30),
                [(110, false), (100, false), (99, true), (124, true), (125, false)]
            ),
            // Only the reserve.
            (
                StorageWatermarks(high: 1, low: 1, ample: 100 << 30, reserve: 10 << 30),
                [(50, false), (10, false), (9, true), (12, true), (13, false)]
            ),
            // A reserve that is larger than a twentieth of the disk.
            (StorageWatermarks(reserve: 500 << 30), [(50, false), (49, true), (62, true), (63, false)]),
            (StorageWatermarks.off, [(1, false), (0, false)]),
        ] as [(StorageWatermarks, [(Int64, Bool)])])
    func `refuses from the high mark to the low one`(watermarks: StorageWatermarks, course: [(Int64, Bool)]) async {
        let disk = FakeDisk(free: 1000)
        let room = disk.room(watermarks)
        for (free, isFull) in course {
            disk.setFree(free)
            await room.refresh()
            #expect(room.isFull == isFull, "\(free) GiB free")
        }
    }

    @Test func `what was known goes on while the disk does not answer`() async {
        let disk = FakeDisk(free: 5)
        let room = disk.room(Self.watermarks)
        await room.refresh()
        disk.setFree(nil)
        #expect(await room.refresh() == nil && room.isFull)
    }

    @Test func `looks again after much was written`() async {
        let disk = FakeDisk(free: 500)
        let room = disk.room(Self.watermarks)
        await room.refresh()
        disk.setFree(5)
        #expect(await room.admits(63 << 20))
        #expect(!room.isFull)
        #expect(await room.admits(1 << 20) == false)
        #expect(room.isFull)
    }

    /// reliability.md rule 7: per part, not once for a request.
    @Test func `each part is refused with A700, and taken when there is room again`() async throws {
        let disk = FakeDisk(free: 500)
        let room = disk.room(Self.watermarks)
        try await IngestionHarness.run(room: room) { (harness) async throws in
            #expect(await harness.store(TestInstance().part10()).isStored)
            disk.setFree(100)
            await room.refresh()
            #expect(await harness.store(TestInstance(instance: 2).part10()).code == 0xA700)
            #expect(harness.blobs.staged == 0 && harness.blobs.stored.count == 1)
            disk.setFree(500)
            await room.refresh()
            #expect(await harness.store(TestInstance(instance: 2).part10()).isStored)
        }
    }

    @Test func `an instance that is being received goes on beyond the mark, and not into the reserve`() async throws {
        let disk = FakeDisk(free: 500)
        let room = disk.room(Self.watermarks)
        try await IngestionHarness.run(room: room) { (harness) async throws in
            for (free, isTaken) in [(Int64(100), true), (5, false)] {
                disk.setFree(500)
                await room.refresh()
                let bytes = TestInstance().part10()
                var receiver = await harness.pipeline.receive(
                    expectedLength: nil, origin: IngestionOrigin(door: .stow, requestID: "r", remoteAddress: nil))
                await receiver.write(ByteBuffer(bytes: bytes.prefix(200)))
                disk.setFree(free)
                await room.refresh()
                await receiver.write(ByteBuffer(bytes: bytes.dropFirst(200)))
                let outcome = await harness.pipeline.ingest(await receiver.finish())
                #expect(outcome.isStored == isTaken && (outcome.code == 0xA700) == !isTaken)
                #expect(harness.blobs.staged == 0)
            }
        }
    }
}
