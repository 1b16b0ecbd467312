package import BlobStorage
import Glibc
import NIOCore

/// The time by which a store notes when it stored a blob.
package enum ContractTime: Sendable {
    /// The store was given this clock.
    case manual(ManualClock)
    /// The store is a server with a clock of its own.
    case real

    /// Lets a moment pass, and answers the time at its end in milliseconds since 1970: what was stored before is older, what is stored
    /// from now on is not.
    func pass() async throws -> Int64 {
        switch self {
        case .manual(let clock):
            clock.advance(by: 1000)
            return clock.now
        case .real:
            // Servers tell whole seconds.
            try await Task.sleep(for: .milliseconds(1100))
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
        }
    }
}

/// What every ``BlobStore`` promises. Each clause wants a store that is empty and whose clock is the one passed in.
package enum BlobStoreContract: String, CaseIterable, Sendable {
    case lengths = "gives back what was written, at any length and in any pieces"
    case ranges = "reads ranges and refuses others"
    case chunks = "gives chunks in order"
    case staged = "reads a staged blob and forgets a discarded one"
    case groups = "makes many durable at once, from many tasks"
    case deletion = "does not find what was deleted"
    case listing = "lists everything older than a time, page by page"
    case digests = "verifies"

    /// Throws a ``ContractViolation`` or the store's own error.
    package func check(_ store: any BlobStore, time: ContractTime) async throws {
        switch self {
        case .lengths: try await checkLengths(store)
        case .ranges: try await checkRanges(store)
        case .chunks: try await checkChunks(store)
        case .staged: try await checkStaged(store)
        case .groups: try await checkGroups(store)
        case .deletion: try await checkDeletion(store)
        case .listing: try await checkListing(store, time)
        case .digests: try await checkDigests(store)
        }
    }

    /// Bytes that tell their place.
    package static func pattern(_ length: Int, seed: Int = 0) -> [UInt8] {
        (0..<length).map { UInt8(truncatingIfNeeded: ($0 &+ seed) &* 31 &+ $0 >> 8) }
    }

    /// Stages bytes in pieces.
    package static func stage(
        _ bytes: [UInt8], in store: any BlobStore, pieces: Int = 1 << 16, expected: Int? = nil
    ) async throws -> StagedBlob {
        let writer = try await store.stage(expectedLength: expected)
        var rest = bytes[...]
        while !rest.isEmpty {
            try await writer.write(ByteBuffer(bytes: rest.prefix(pieces)))
            rest = rest.dropFirst(pieces)
        }
        return try await writer.finish()
    }

    /// Stores bytes durably.
    package static func store(_ bytes: [UInt8], in store: any BlobStore) async throws -> BlobLocation {
        let staged = try await stage(bytes, in: store)
        guard let location = try await store.makeDurable([staged]).first?.get() else {
            throw ContractViolation(description: "one result for one blob")
        }
        return location
    }

    private func code(_ body: () async throws -> Void) async throws -> BlobError.Code? {
        do {
            try await body()
            return nil
        } catch let error as BlobError {
            return error.code
        }
    }

    private func checkLengths(_ store: any BlobStore) async throws {
        let mebibyte = 1 << 20
        for length in [0, 1, 4095, 4096, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 17] {
            for (pieces, expected) in [(1 << 16, nil), (mebibyte * 2, length), (77_777, 5)] {
                let bytes = Self.pattern(length)
                let staged = try await Self.stage(bytes, in: store, pieces: pieces, expected: expected)
                try require(staged.length == length && staged.digest.count == 32, "length and digest")
                guard let location = try await store.makeDurable([staged]).first?.get() else {
                    throw ContractViolation(description: "one result for one blob")
                }
                try require(BlobLocation(rawValue: location.rawValue) == location, "the location is a text")
                try require(try await Array(store.read(location).readableBytesView) == bytes, "\(length) bytes")
            }
        }
    }

    private func checkRanges(_ store: any BlobStore) async throws {
        for length in [1000, 2 << 20] {
            let bytes = Self.pattern(length)
            let location = try await Self.store(bytes, in: store)
            for range in [0..<0, 0..<1, 10..<999, length - 1..<length, length..<length] {
                let read = try await store.read(location, range)
                try require(Array(read.readableBytesView) == Array(bytes[range]), "range \(range)")
            }
            for range in [0..<length + 1, -1..<5, length + 1..<length + 1] {
                let code = try await code { _ = try await store.read(location, range) }
                try require(code == .outOfBounds, "no range \(range)")
            }
        }
    }

    private func checkChunks(_ store: any BlobStore) async throws {
        let bytes = Self.pattern(2_500_000)
        let location = try await Self.store(bytes, in: store)
        for (range, size) in [(0..<bytes.count, 1 << 20), (5..<70_000, 1000), (7..<7, 10)] {
            var read: [UInt8] = []
            for try await chunk in store.chunks(location, range, chunkSize: size) {
                try require(chunk.readableBytes <= size, "no longer than asked for")
                read += chunk.readableBytesView
            }
            try require(read == Array(bytes[range]), "chunks of \(range)")
        }
    }

    private func checkStaged(_ store: any BlobStore) async throws {
        for length in [100, 2 << 20] {
            let bytes = Self.pattern(length)
            let staged = try await Self.stage(bytes, in: store)
            let read = try await store.read(staged, 50..<90)
            try require(Array(read.readableBytesView) == Array(bytes[50..<90]), "staged bytes")
            await store.discard([staged])
            let writer = try await store.stage(expectedLength: nil)
            try await writer.write(ByteBuffer(bytes: bytes))
            await writer.abort()
            let code = try await code { _ = try await writer.finish() }
            try require(code == .closed, "given up is given up")
        }
        let page = try await store.storedBlobs(olderThan: .max, after: nil, limit: 10)
        try require(page.blobs.isEmpty && page.next == nil, "nothing was stored")
    }

    private func checkGroups(_ store: any BlobStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var staged: [StagedBlob] = []
                    for number in 0..<40 {
                        let length = number == 20 ? 1_100_000 : number * 97
                        staged.append(try await Self.stage(Self.pattern(length, seed: task), in: store))
                    }
                    let locations = await store.makeDurable(staged)
                    try require(locations.count == 40, "one result for each")
                    for (number, location) in locations.enumerated() {
                        let length = number == 20 ? 1_100_000 : number * 97
                        let read = try await store.read(location.get())
                        try require(Array(read.readableBytesView) == Self.pattern(length, seed: task), "in order")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func checkDeletion(_ store: any BlobStore) async throws {
        let location = try await Self.store(Self.pattern(2 << 20), in: store)
        _ = try await store.read(location, 0..<10)
        try await store.delete([location])
        try await store.delete([location])
        let code = try await code { _ = try await store.read(location, 0..<10) }
        try require(code == .notFound, "a large blob is gone at once")
    }

    private func checkListing(_ store: any BlobStore, _ time: ContractTime) async throws {
        var locations: Set<BlobLocation> = []
        for number in 0..<25 {
            locations.insert(try await Self.store(Self.pattern(number % 5 == 0 ? 1_200_000 : 50 + number), in: store))
        }
        let cutoff = try await time.pass()
        let young = try await Self.store([1, 2, 3], in: store)
        for limit in [1, 4, 1000] {
            var listed: [BlobLocation] = []
            var cursor: BlobCursor?
            repeat {
                let page = try await store.storedBlobs(olderThan: cutoff, after: cursor, limit: limit)
                try require(page.blobs.count <= limit, "no more than asked for")
                listed += page.blobs
                cursor = page.next
            } while cursor != nil
            try require(listed.count == 25 && Set(listed) == locations, "all of them, once")
            try require(!listed.contains(young), "not the young one")
        }
    }

    private func checkDigests(_ store: any BlobStore) async throws {
        for length in [0, 300, 1_500_000] {
            let staged = try await Self.stage(Self.pattern(length), in: store)
            guard let location = try await store.makeDurable([staged]).first?.get() else {
                throw ContractViolation(description: "one result for one blob")
            }
            try require(try await store.verify(location) == staged.digest, "the digest is that of the bytes")
        }
    }
}
