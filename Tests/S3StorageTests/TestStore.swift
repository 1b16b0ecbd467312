import GantryTesting
import Glibc
import Logging
import Testing

@testable import S3Storage

/// A logger that writes nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Milliseconds since 1970.
let systemClock: @Sendable () -> Int64 = {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

extension S3Server {
    /// How to reach it, with short times and small parts.
    func configuration(through port: Int? = nil) throws -> S3Configuration {
        var configuration = S3Configuration(
            endpoint: try #require(S3Endpoint("http://127.0.0.1:\(port ?? self.port)")), bucket: Self.bucket,
            credentials: .fixed(
                S3Credentials(accessKeyID: Self.accessKeyID, secretAccessKey: Self.secretAccessKey)))
        configuration.prefix = "archive/"
        configuration.partSize = 5 << 20
        return configuration
    }
}

/// Runs a test on an empty bucket of a server of its own.
func withStore(_ body: (S3BlobStore, S3Server) async throws -> Void) async throws {
    let server = try await S3Server.start()
    do {
        let store = try await S3BlobStore(server.configuration(), logger: quiet, clock: systemClock)
        do {
            try await body(store, server)
        } catch {
            try await store.close()
            throw error
        }
        try await store.close()
    } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

/// Writes a small file.
func writeFile(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
}
