import BlobStorage
import Foundation
import GantryTesting
import NIOCore
import Synchronization
import Testing

@Suite struct BlobStoreTests {
    @Test(arguments: BlobStoreContract.allCases)
    func `memory keeps the contract`(clause: BlobStoreContract) async throws {
        let clock = ManualClock()
        try await clause.check(MemoryBlobStore(clock: { clock.now }), time: .manual(clock))
    }

    @Test(arguments: BlobStoreContract.allCases)
    func `the disk keeps the contract`(clause: BlobStoreContract) async throws {
        try await withFolder { folder in
            let clock = ManualClock()
            var configuration = DiskBlobConfiguration(folder: folder, clock: { clock.now })
            configuration.packLimit = 100_000
            let store = try DiskBlobStore(configuration)
            try await clause.check(store, time: .manual(clock))
            try await store.close()
        }
    }

    @Test func `finds everything again after a restart and drops what was unfinished`() async throws {
        try await withFolder { folder in
            let clock = ManualClock()
            let configuration = DiskBlobConfiguration(folder: folder, clock: { clock.now })
            let first = try DiskBlobStore(configuration)
            let small = try await BlobStoreContract.store([1, 2, 3], in: first)
            let large = try await BlobStoreContract.store(BlobStoreContract.pattern(2 << 20), in: first)
            _ = try await BlobStoreContract.stage(BlobStoreContract.pattern(2 << 20), in: first)
            try await first.close()
            let pack = try #require(FileManager.default.contentsOfDirectory(atPath: folder + "/packs").first)
            let handle = try #require(FileHandle(forWritingAtPath: folder + "/packs/" + pack))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(repeating: 0x47, count: 200))
            try handle.close()
            let second = try DiskBlobStore(configuration)
            #expect(try await Array(second.read(small).readableBytesView) == [1, 2, 3])
            #expect(try await second.verify(large).count == 32)
            let next = try await BlobStoreContract.store([4], in: second)
            let page = try await second.storedBlobs(olderThan: .max, after: nil, limit: 10)
            #expect(Set(page.blobs) == [small, large, next])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/incoming").isEmpty)
            try await second.close()
        }
    }

    @Test func `never writes again to a pack whose flush failed`() async throws {
        try await withFolder { folder in
            let shared = FlushSwitch()
            var configuration = DiskBlobConfiguration(folder: folder, clock: { 1 })
            configuration.flush = { shared.flush($0) }
            let store = try DiskBlobStore(configuration)
            let before = try await BlobStoreContract.store([1], in: store)
            shared.isBroken.withLock { $0 = true }
            let staged = try await BlobStoreContract.stage([2], in: store)
            let result = await store.makeDurable([staged])
            #expect(throws: BlobError(.io(errno: EIO), in: "fdatasync")) { try result[0].get() }
            shared.isBroken.withLock { $0 = false }
            let after = try await BlobStoreContract.store([3], in: store)
            guard case .pack(let first, _) = before.place, case .pack(let second, _) = after.place else {
                Issue.record("small blobs go into packs")
                return
            }
            #expect(first != second)
            #expect(try await Array(store.read(before).readableBytesView) == [1])
            #expect(try await Array(store.read(after).readableBytesView) == [3])
            try await store.close()
        }
    }

    @Test func `notices a flipped bit`() async throws {
        try await withFolder { folder in
            let store = try DiskBlobStore(DiskBlobConfiguration(folder: folder, clock: { 1 }))
            let location = try await BlobStoreContract.store([UInt8](repeating: 9, count: 100), in: store)
            let pack = try #require(FileManager.default.contentsOfDirectory(atPath: folder + "/packs").first)
            let handle = try #require(FileHandle(forWritingAtPath: folder + "/packs/" + pack))
            try handle.seek(toOffset: 130)
            try handle.write(contentsOf: Data([8]))
            try handle.close()
            await #expect(throws: BlobError(.corrupt, in: "verify")) { try await store.verify(location) }
            try await store.close()
        }
    }

    @Test func `compacts packs that are mostly dead`() async throws {
        try await withFolder { folder in
            var configuration = DiskBlobConfiguration(folder: folder, clock: { 1 })
            configuration.packLimit = 10_000
            let store = try DiskBlobStore(configuration)
            var live: [BlobLocation: UInt8] = [:]
            for number in 0..<UInt8(60) {
                let location = try await BlobStoreContract.store([UInt8](repeating: number, count: 1000), in: store)
                if number % 5 == 0 { live[location] = number } else { try await store.delete([location]) }
            }
            let index = LocationIndex(live)
            let freed = try await store.compact(
                olderThan: 2, isLive: { index.contains($0) }, relocate: { index.relocate($0) })
            #expect(freed > 30_000)
            try await store.compact(olderThan: 2, isLive: { index.contains($0) }, relocate: { index.relocate($0) })
            for (location, number) in index.all {
                #expect(
                    try await Array(store.read(location).readableBytesView) == [UInt8](repeating: number, count: 1000))
            }
            #expect(index.all.count == 12)
            try await store.close()
        }
    }

    @Test func `one process has the folder`() async throws {
        try await withFolder { folder in
            let store = try DiskBlobStore(DiskBlobConfiguration(folder: folder, clock: { 1 }))
            #expect(throws: BlobError(.locked, in: "flock")) {
                try DiskBlobStore(DiskBlobConfiguration(folder: folder, clock: { 1 }))
            }
            #expect(try await store.space().total > 0)
            try await store.close()
        }
    }

    @Test(arguments: [
        "", "p/1/2", "p/01/2/3", "p/-1/2/3", "p/1/2/3/", "o/../../etc/3", "o/0123/5", "p/1/9223372036854775807/1",
        "x/1/2", "p/1/2/03", "p/1/00/3", "p//2/3", "p/4294967296/0/1", "p/1/2/3/4", "p/1/2/3 ",
    ])
    func `refuses a location that it would not write`(text: String) {
        #expect(BlobLocation(rawValue: text) == nil)
    }

    @Test(arguments: [
        "p/0/0/0", "p/4294967295/999999999999999999/999999999999999999", "p/1/9223372036854775000/7", "p/7/80/2932",
    ])
    func `reads a place in a pack as it was written`(text: String) {
        #expect(BlobLocation(rawValue: text)?.rawValue == text)
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gantry-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }
}

/// A disk whose flush can be made to fail.
private final class FlushSwitch: Sendable {
    let isBroken = Mutex(false)

    func flush(_ descriptor: Int32) -> Int32 {
        guard isBroken.withLock({ $0 }) else { return fdatasync(descriptor) }
        errno = EIO
        return -1
    }
}

/// The index, as far as compaction sees it.
private final class LocationIndex: Sendable {
    private let rows: Mutex<[BlobLocation: UInt8]>

    init(_ rows: [BlobLocation: UInt8]) { self.rows = Mutex(rows) }

    var all: [BlobLocation: UInt8] { rows.withLock { $0 } }

    func contains(_ location: BlobLocation) -> Bool { rows.withLock { $0[location] != nil } }

    func relocate(_ pairs: [(from: BlobLocation, to: BlobLocation)]) {
        rows.withLock { rows in
            for pair in pairs { rows[pair.to] = rows.removeValue(forKey: pair.from) }
        }
    }
}
