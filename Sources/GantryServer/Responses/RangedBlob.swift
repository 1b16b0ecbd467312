import BlobStorage
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// A range of a stored blob as a body of its own, of which the client may ask a part (RFC 9110 14).
struct RangedBlob {
    let location: BlobLocation
    let range: Range<Int>
    let blobs: any BlobStore

    private static let oneReadLimit = 1 << 20

    func response(_ request: Request, headers: HTTPFields) async throws -> Response {
        var headers = headers
        headers[.acceptRanges] = "bytes"
        let asked = ByteRange(request.headers[.range], length: range.count)
        headers[.contentRange] = asked.contentRange(length: range.count)
        let part: Range<Int>
        switch asked {
        case .whole: part = range
        case .part(let inside): part = range.lowerBound + inside.lowerBound..<range.lowerBound + inside.upperBound
        case .unsatisfiable:
            throw Problem(
                .rangeNotSatisfiable, "The resource has \(range.count) bytes.",
                headers: [.contentRange: "bytes */\(range.count)"])
        }
        return Response(
            status: asked == .whole ? .ok : .partialContent, headers: headers, body: try await body(of: part))
    }

    private func body(of part: Range<Int>) async throws -> ResponseBody {
        if part.count <= Self.oneReadLimit {
            return ResponseBody(byteBuffer: try await blobs.read(location, part))
        }
        let (blobs, location) = (blobs, location)
        return ResponseBody(contentLength: part.count) { writer in
            for try await chunk in blobs.chunks(location, part, chunkSize: Self.oneReadLimit) {
                try await writer.write(chunk)
            }
            try await writer.finish(nil)
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
        let (blobs, source, range) = (blobs, self.location, range)
        let body = ResponseBody { output in
            var parts = writer
            try await output.write(
                ByteBuffer(
                    bytes: parts.partBegins(contentType: contentType, location: location, length: range.count)))
            for try await chunk in blobs.chunks(source, range, chunkSize: Self.oneReadLimit) {
                try await output.write(chunk)
            }
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
