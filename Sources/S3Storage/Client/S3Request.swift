import Crypto
package import NIOCore
import NIOHTTP1

/// A request before it has an address and a signature.
struct S3Request: Sendable {
    var operation: S3Operation
    var method: HTTPMethod
    /// The whole key, with the prefix; `nil` for the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    /// Names are in small letters. All of them are signed.
    var headers: [(name: String, value: String)] = []
    var body = S3Body.none
    /// Whether the store may take long before it answers.
    var isSlow = false
    /// Whether the body is meant to be found damaged: then it is not sent again.
    var isDamaged = false

    init(_ operation: S3Operation, _ method: HTTPMethod, key: String?) {
        self.operation = operation
        self.method = method
        self.key = key
    }
}

/// What goes along with a request. It can be sent again.
package enum S3Body: Sendable {
    case none
    /// Bytes in memory. Their hash is passed along by who knows it already.
    case bytes(ByteBuffer, sha256: [UInt8]? = nil)
    /// As many bytes, from pieces that are asked for anew at each attempt; the store's pace holds them back.
    case stream(length: Int, sha256: [UInt8]?, pieces: @Sendable () -> AsyncThrowingStream<ByteBuffer, any Error>)

    var length: Int {
        switch self {
        case .none: 0
        case .bytes(let bytes, _): bytes.readableBytes
        case .stream(let length, _, _): length
        }
    }

    /// SHA-256 of the bytes, where it can be known before they are sent.
    var sha256: [UInt8]? {
        switch self {
        case .none: nil
        case .bytes(let bytes, let known): known ?? bytes.withUnsafeReadableBytes { Array(SHA256.hash(data: $0)) }
        case .stream(_, let known, _): known
        }
    }

    /// MD5 of the bytes, for stores that check nothing better.
    var md5: [UInt8]? {
        guard case .bytes(let bytes, _) = self else { return nil }
        return bytes.withUnsafeReadableBytes { Array(Insecure.MD5.hash(data: $0)) }
    }
}

/// What a store checks of the bytes that it is sent.
package enum S3BodyCheck: String, Hashable, Sendable, CaseIterable {
    /// `x-amz-content-sha256`, which every signed request has.
    case sha256
    /// `content-md5`.
    case md5
    case none
}
