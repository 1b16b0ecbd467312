import NIOCore
import NIOHTTP1
import Synchronization

/// What a store can do beyond what every store can. Found out at start, on an object of our own that is removed again.
package struct S3Capabilities: Hashable, Sendable {
    /// Whether `If-None-Match: *` keeps a PUT from replacing an object.
    package var conditionalPut = false
    /// Whether a body is refused whose `x-amz-checksum-sha256` is wrong.
    package var checksumHeader = false
    /// Whether many objects can be deleted by one request.
    package var batchDelete = false
    /// What is checked of every body we send.
    package var bodyCheck = S3BodyCheck.none

    package init() {}
}

extension S3Capabilities: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        "conditional put \(conditionalPut ? "yes" : "no"), checksum header \(checksumHeader ? "yes" : "no"), "
            + "batch delete \(batchDelete ? "yes" : "no"), bodies checked by \(bodyCheck.rawValue)"
    }
}

extension S3Client {
    /// Finds out what the store can do, and sends bodies from now on so that what it can check is checked.
    ///
    /// Throws when the bucket is not there, we are not let in, or nothing answers.
    package func probe() async throws -> S3Capabilities {
        var generator = SystemRandomNumberGenerator()
        let key = configuration.prefix + "probe/" + hexDigits((0..<16).map { _ in generator.next() as UInt8 })
        let body = ByteBuffer(string: "gantry")
        let other = ByteBuffer(string: "other")
        var result = S3Capabilities()
        try await put(key, .bytes(body))
        do {
            result.conditionalPut = try await isRefused { try await self.put(key, .bytes(other), ifNoneMatch: true) }
            let wrong32 = [UInt8](repeating: 1, count: 32)
            result.checksumHeader = try await isRefused {
                try await self.putDamaged(key, .bytes(body), (name: "x-amz-checksum-sha256", value: base64(wrong32)))
            }
            // The hash that we sign is not that of the bytes.
            if try await isRefused({ try await self.putDamaged(key, .bytes(body, sha256: wrong32)) }) {
                result.bodyCheck = .sha256
            } else if try await isRefused({
                let wrong16 = [UInt8](repeating: 1, count: 16)
                try await self.putDamaged(key, .bytes(body), (name: "content-md5", value: base64(wrong16)))
            }) {
                result.bodyCheck = .md5
            }
            bodyCheck.withLock { $0 = result.bodyCheck }
            result.batchDelete = try await canDeleteInBatches(key)
        } catch {
            try? await delete(key)
            throw error
        }
        if !result.batchDelete { try await delete(key) }
        return result
    }

    /// Puts an object whose bytes do not fit what is said of them.
    private func putDamaged(_ key: String, _ body: S3Body, _ field: (name: String, value: String)? = nil) async throws {
        var request = S3Request(.probe, .PUT, key: key)
        request.isDamaged = true
        request.body = body
        if let field { request.headers.append(field) }
        try await send(request) { try await Self.drain($0) }
    }

    /// Whether the store refuses what should be refused. That it does not answer is another thing.
    private func isRefused(_ attempt: () async throws -> Void) async throws -> Bool {
        do {
            try await attempt()
            return false
        } catch let error as S3Error {
            switch error.code {
            case .preconditionFailed, .badDigest, .rejected, .unsupported, .conflict, .denied: return true
            default: throw error
            }
        }
    }

    private func canDeleteInBatches(_ key: String) async throws -> Bool {
        do {
            guard try await deleteBatch([key]).isEmpty else { return false }
            _ = try await head(key)
            return false
        } catch let error as S3Error {
            switch error.code {
            case .notFound: return true
            case .unsupported, .rejected, .malformedAnswer, .denied, .badDigest: return false
            default: throw error
            }
        }
    }
}
