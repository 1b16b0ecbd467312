import BlobStorage
import Foundation
import GantryTesting
import NIOCore
import Testing

struct DiskUploadLandingTests {
    /// Lends a landing and blobs in a folder of their own.
    private func withLanding(
        flush: (@Sendable (Int32) -> Int32)? = nil, _ body: (DiskUploadLanding, String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/landing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = DiskUploadLandingConfiguration(
            folder: folder + "/landing", keyFile: folder + "/upload-keys")
        configuration.limits.part = (1 << 16)...(1 << 30)
        if let flush { configuration.flush = flush }
        let landing = try DiskUploadLanding(configuration)
        try await body(landing, folder)
        try await landing.close()
    }

    /// Puts bytes as the server does for a request to the grant's path and query.
    @Sendable
    private static func put(
        _ landing: DiskUploadLanding, _ grant: UploadGrant, _ bytes: [UInt8], piece: Int = 50_000
    ) async throws -> String? {
        guard case .gateway(let target) = grant.target else { return nil }
        let writer = try landing.receive(try signature(target, landing))
        do {
            var rest = bytes[...]
            while !rest.isEmpty {
                try await writer.write(ByteBuffer(bytes: rest.prefix(piece)))
                rest = rest.dropFirst(piece)
            }
            return try await writer.finish()
        } catch let error as UploadLandingError where error.code == .alreadyThere {
            return nil
        }
    }

    private static func signature(_ target: String, _ landing: DiskUploadLanding) throws -> UploadSignature {
        let halves = target.split(separator: "?")
        let key = try #require(UploadKey(halves[0].dropFirst("/uploads/".count)))
        let parameters = halves[1].split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return (name: String(parts[0]), value: String(parts[1]).removingPercentEncoding ?? "")
        }
        return try UploadSignature.checked(key, parameters: parameters, against: landing.signingKeys)
    }

    private func files(_ folder: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder)
                && !isFolder.boolValue
        }
    }

    @Test(arguments: UploadLandingContract.allCases)
    func `keeps the contract of landings`(clause: UploadLandingContract) async throws {
        try await withLanding { landing, _ in
            try await clause.check(landing) { try await Self.put(landing, $0, $1) }
        }
    }

    @Test
    func `a large object becomes a blob by a second name for its file`() async throws {
        try await withLanding { landing, folder in
            let blobs = try DiskBlobStore(DiskBlobConfiguration(folder: folder + "/blobs") { 1_800_000_000_000 })
            let bytes = BlobStoreContract.pattern(3 << 20, seed: 1)
            let key = UploadKey(milliseconds: 1_800_000_000_000)
            let grant = try await landing.grant(key, UploadConstraints(expiresAt: 1_900_000_000_000))
            _ = try await Self.put(landing, grant, bytes)
            let object = try #require(try await landing.head(key))
            let writer = try #require(try await landing.adopting(object, into: blobs))
            for try await piece in landing.chunks(object) { try await writer.write(piece) }
            let staged = try await writer.finish()
            let durable = await blobs.makeDurable([staged])
            let location = try #require(durable.first).get()
            #expect(try await Array(blobs.read(location).readableBytesView) == bytes)
            #expect(try await blobs.verify(location) == staged.digest)
            // The landing's own name goes; the blob stays.
            try await landing.delete([key], from: .incoming)
            #expect(try await Array(blobs.read(location, 5..<9).readableBytesView) == Array(bytes[5..<9]))
            try await blobs.close()
        }
    }

    @Test
    func `a small object is not adopted, for it goes into a pack`() async throws {
        try await withLanding { landing, folder in
            let blobs = try DiskBlobStore(DiskBlobConfiguration(folder: folder + "/blobs") { 0 })
            let object = LandedObject(key: UploadKey(milliseconds: 0), length: 1 << 20, etag: nil, modified: 0)
            #expect(try await landing.adopting(object, into: blobs) == nil)
            try await blobs.close()
        }
    }

    @Test
    func `what is too long, too short, has another digest, or is given up leaves nothing`() async throws {
        try await withLanding { landing, folder in
            let constraints = UploadConstraints(
                contentLength: 2_000_000, sha256: [UInt8](repeating: 7, count: 32), expiresAt: 1_900_000_000_000)
            for length in [1_000_000, 1_999_999, 2_000_000, 2_000_001] {
                let grant = try await landing.grant(UploadKey(milliseconds: 0), constraints)
                await #expect(throws: UploadLandingError.self) {
                    _ = try await Self.put(landing, grant, [UInt8](repeating: 1, count: length))
                }
            }
            let granted = UploadSignature(.object(UploadKey(milliseconds: 0)), UploadConstraints(expiresAt: 0))
            let writer = try landing.receive(granted)
            try await writer.write(ByteBuffer(repeating: 1, count: 3 << 20))
            await writer.abort()
            #expect(files(folder + "/landing").isEmpty)
        }
    }

    @Test
    func `a flush that fails fails the PUT, and nothing lands`() async throws {
        try await withLanding(flush: { _ in
            errno = EIO
            return -1
        }) { landing, folder in
            let grant = try await landing.grant(UploadKey(milliseconds: 0), UploadConstraints(expiresAt: 1_000_000))
            await #expect(throws: BlobError.self) { _ = try await Self.put(landing, grant, [1, 2, 3]) }
            #expect(files(folder + "/landing").isEmpty)
        }
    }

    @Test
    func `what was being received when the process died is removed at the next start`() async throws {
        try await withLanding { landing, folder in
            let stray = folder + "/landing/receiving/stray"
            try Data([1]).write(to: URL(fileURLWithPath: stray))
            let configuration = DiskUploadLandingConfiguration(
                folder: folder + "/landing", keyFile: folder + "/upload-keys")
            let next = try DiskUploadLanding(configuration)
            #expect(!FileManager.default.fileExists(atPath: stray))
            try await next.close()
        }
    }

    @Test
    func `empty folders of earlier days go, others stay`() async throws {
        try await withLanding { landing, folder in
            let (old, new) = (UploadKey(milliseconds: 0), UploadKey(milliseconds: 400 * 86_400_000))
            for key in [old, new] {
                let grant = try await landing.grant(key, UploadConstraints(expiresAt: 1_000_000))
                _ = try await Self.put(landing, grant, [1])
            }
            try await landing.delete([old, new], from: .incoming)
            try await landing.removeEmptyFolders(before: 400 * 86_400_000)
            let left = try FileManager.default.subpathsOfDirectory(atPath: folder + "/landing/incoming")
            #expect(left.sorted() == ["1971", "1971/02", "1971/02/05"])
        }
    }

    @Test
    func `64 PUTs to one key at once land one object`() async throws {
        try await withLanding { landing, _ in
            let key = UploadKey(milliseconds: 0)
            let grant = try await landing.grant(key, UploadConstraints(expiresAt: 1_000_000))
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<64 {
                    group.addTask { try await Self.put(landing, grant, [UInt8(number)]) != nil }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(taken == 1)
            #expect(try await landing.head(key)?.length == 1)
        }
    }
}
