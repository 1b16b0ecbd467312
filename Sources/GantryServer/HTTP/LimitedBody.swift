import DICOMCore
import HTTPTypes
import Hummingbird
import NIOCore

/// How a body was coded for its transport (RFC 9110 8.4).
enum ContentCoding: Hashable, Sendable {
    case identity
    case gzip
    case deflate

    /// Reads a Content-Encoding field; 415 for one that we don't decode, and for several on top of each other.
    init(_ field: String?) throws {
        switch field?.trimmingSpaces.lowercased() {
        case nil, "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        default:
            throw Problem(
                .unsupportedMediaType, "The body's Content-Encoding is none of gzip, deflate and identity.",
                headers: [.acceptEncoding: "gzip, deflate, identity"])
        }
    }
}

/// A request body that is decoded and counted while it streams.
///
/// Reading it throws a `Problem` when there is more than the limit or the coding is broken.
struct LimitedBody: AsyncSequence {
    typealias Element = ByteBuffer

    private let body: RequestBody
    private let limit: Int
    private let coding: ContentCoding

    init(_ body: RequestBody, limit: Int, coding: ContentCoding) {
        self.body = body
        self.limit = limit
        self.coding = coding
    }

    static func tooLarge(limit: Int) -> Problem {
        var problem = Problem(.tooLarge, "A request may have \(limit) bytes.")
        problem.closesConnection = true
        return problem
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(
            base: body.makeAsyncIterator(), limit: limit,
            inflater: coding == .identity
                ? nil : Inflater(coding == .gzip ? .gzip : .zlib, limits: InflateLimits(.standard)))
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: RequestBody.AsyncIterator
        fileprivate let limit: Int
        fileprivate let inflater: Inflater?
        private var count = 0
        private var isFinished = false
        private var coded = ByteBuffer()

        fileprivate init(base: RequestBody.AsyncIterator, limit: Int, inflater: Inflater?) {
            self.base = base
            self.limit = limit
            self.inflater = inflater
        }

        @concurrent
        mutating func next() async throws -> ByteBuffer? {
            while true {
                if coded.readableBytes == 0 {
                    guard let chunk = try await base.next() else { break }
                    coded = chunk
                }
                let length = inflater == nil ? coded.readableBytes : Swift.min(Self.codedPiece, coded.readableBytes)
                let decoded = try decode(coded.readSlice(length: length) ?? ByteBuffer())
                count += decoded.readableBytes
                guard count <= limit else { throw LimitedBody.tooLarge(limit: limit) }
                if decoded.readableBytes > 0 { return decoded }
            }
            if !isFinished, let inflater, inflater.inputCount > 0 {
                isFinished = true
                guard inflater.isAtEnd else {
                    throw Problem(.invalidBody, "The coded body ends before its end mark.")
                }
            }
            return nil
        }

        /// What is decoded in one go: a KiB may become a MiB.
        private static let codedPiece = 1 << 10

        private mutating func decode(_ chunk: ByteBuffer) throws -> ByteBuffer {
            guard let inflater else { return chunk }
            var output: [UInt8] = []
            do {
                try chunk.withUnsafeReadableBytes { bytes in
                    _ = try inflater.receive(bytes) { output.append(contentsOf: $0) }
                }
            } catch {
                throw Problem(
                    .invalidBody, "The body is not what its Content-Encoding says, or inflates beyond measure.")
            }
            return ByteBuffer(bytes: output)
        }
    }
}

extension Request {
    /// The Content-Length; `nil` for a chunked body.
    var declaredLength: Int? {
        get throws {
            guard let field = headers[.contentLength] else { return nil }
            guard let length = Int(field), length >= 0 else {
                throw Problem(.invalidHeader, "The Content-Length is not a number of bytes.")
            }
            return length
        }
    }

    /// Whether `?dry-run=true` asks for the verdict alone.
    var isDryRun: Bool {
        get throws {
            switch uri.queryParameters["dry-run"] {
            case nil, "false": return false
            case "true": return true
            default: throw Problem(.invalidQuery, "The parameter dry-run is true or false.")
            }
        }
    }

    /// 417 for an expectation that is not `100-continue` (RFC 9110 10.1.1).
    func checkExpectation() throws {
        guard let expectation = headers[.expect], expectation.lowercased() != "100-continue" else { return }
        throw Problem(.expectationFailed, "Only Expect: 100-continue is understood.")
    }
}
