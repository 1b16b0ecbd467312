import BlobStorage
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// A range of a stored blob, or several that belong together, as a body of its own, of which the client may ask a part
/// (RFC 9110 14).
struct RangedBlob {
    let location: BlobLocation
    let ranges: [Range<Int>]
    let blobs: any BlobStore

    static let oneReadLimit = 1 << 20

    init(location: BlobLocation, ranges: [Range<Int>], blobs: any BlobStore) {
        self.location = location
        self.ranges = ranges
        self.blobs = blobs
    }

    init(location: BlobLocation, range: Range<Int>, blobs: any BlobStore) {
        self.init(location: location, ranges: [range], blobs: blobs)
    }

    /// Bytes of all of it.
    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    func response(_ request: Request, headers: HTTPFields) async throws -> Response {
        var headers = headers
        headers[.acceptRanges] = "bytes"
        let count = count
        let asked = ByteRange(request.headers[.range], length: count)
        headers[.contentRange] = asked.contentRange(length: count)
        let part: Range<Int>
        switch asked {
        case .whole: part = 0..<count
        case .part(let inside): part = inside
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "The resource has \(count) bytes.",
                headers: [.contentRange: "bytes */\(count)"])
        }
        return Response(
            status: asked == .whole ? .ok : .partialContent, headers: headers, body: try await body(of: part))
    }

    private func body(of part: Range<Int>) async throws -> ResponseBody {
        let wanted = Self.stored(part, of: ranges)
        if wanted.count == 1, part.count <= Self.oneReadLimit {
            return ResponseBody(byteBuffer: try await blobs.read(location, wanted[0]))
        }
        let blob = RangedBlob(location: location, ranges: wanted, blobs: blobs)
        return ResponseBody(contentLength: part.count) { writer in
            try await blob.write(to: &writer)
            try await writer.finish(nil)
        }
    }

    /// Sends all of it piece by piece.
    @concurrent
    func write(to writer: inout any ResponseBodyWriter) async throws {
        for range in ranges {
            for try await chunk in blobs.chunks(location, range, chunkSize: Self.oneReadLimit) {
                try await writer.write(chunk)
            }
        }
    }

    /// Where a part of the whole lies in the blob.
    private static func stored(_ part: Range<Int>, of ranges: [Range<Int>]) -> [Range<Int>] {
        var start = 0
        return ranges.compactMap { range in
            let inside = part.clamped(to: start..<start + range.count)
            defer { start += range.count }
            guard !inside.isEmpty else { return nil }
            return range.lowerBound + inside.lowerBound - start..<range.lowerBound + inside.upperBound - start
        }
    }
}

extension RangedBlob {
    /// As a body of its own, or as the one part of a multipart body.
    func response(
        _ request: Request, as form: Representation, contentType: String, location: String
    ) async throws -> Response {
        guard form.packaging == .multipart else {
            return try await response(
                request,
                headers: [.contentType: contentType, .contentLocation: location, .contentDisposition: "attachment"])
        }
        var generator = SystemRandomNumberGenerator()
        let writer = MultipartRelatedWriter(partType: form.mediaType, using: &generator)
        let blob = self
        let body = ResponseBody { output in
            var parts = writer
            try await output.write(
                ByteBuffer(
                    bytes: parts.partBegins(contentType: contentType, location: location, length: blob.count)))
            try await blob.write(to: &output)
            try await output.write(ByteBuffer(bytes: parts.end()))
            try await output.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: writer.contentType, .acceptRanges: "none"], body: body)
    }
}

/// Bytes in memory as a body, of which the client may ask a part.
struct RangedBytes {
    let bytes: ByteBuffer

    func response(
        _ request: Request, as form: Representation, contentType: String, location: String
    ) throws -> Response {
        guard form.packaging == .single else {
            var generator = SystemRandomNumberGenerator()
            var parts = MultipartRelatedWriter(partType: form.mediaType, using: &generator)
            let head = parts.partBegins(contentType: contentType, location: location, length: bytes.readableBytes)
            return Response(
                status: .ok, headers: [.contentType: parts.contentType, .acceptRanges: "none"],
                body: ResponseBody(contentsOf: [ByteBuffer(bytes: head), bytes, ByteBuffer(bytes: parts.end())]))
        }
        var headers: HTTPFields = [
            .contentType: contentType, .contentLocation: location, .acceptRanges: "bytes",
            .contentDisposition: "attachment",
        ]
        let asked = ByteRange(request.headers[.range], length: bytes.readableBytes)
        headers[.contentRange] = asked.contentRange(length: bytes.readableBytes)
        switch asked {
        case .whole: return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
        case .part(let part):
            let slice = bytes.getSlice(at: bytes.readerIndex + part.lowerBound, length: part.count) ?? ByteBuffer()
            return Response(status: .partialContent, headers: headers, body: ResponseBody(byteBuffer: slice))
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "The resource has \(bytes.readableBytes) bytes.",
                headers: [.contentRange: "bytes */\(bytes.readableBytes)"])
        }
    }
}
