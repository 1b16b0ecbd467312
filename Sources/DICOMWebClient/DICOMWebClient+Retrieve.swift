import AsyncHTTPClient
import DICOMWeb
import NIOCore
import NIOHTTP1

extension DICOMWebClient {
    package enum RetrieveEvent: Sendable {
        case bytes(Int)
        /// A file is complete.
        case file(path: String)
    }

    /// What a retrieve brought.
    package struct Retrieved: Sendable {
        package var paths: [String]
        /// Texts of `Warning` fields.
        package var warnings: [String]
        /// Whether the server left instances out (206).
        package var isPartial: Bool
    }

    /// Retrieves instances into files of a folder, `<SOP Instance UID>.dcm` (PS3.18 10.4).
    /// - Parameters:
    ///   - resource: the path behind the base, as `studies/1.2.3`.
    ///   - transferSyntax: a UID, or `*` for the instances as they are stored.
    package func retrieve(
        _ resource: String, transferSyntax: String = "*", into folder: String,
        onEvent: @Sendable (RetrieveEvent) -> Void = { _ in }
    ) async throws -> Retrieved {
        let address = "\(base)/\(resource)"
        let response = try await sender.send {
            var request = HTTPClientRequest(url: address)
            request.headers.add(
                name: "accept",
                value: "multipart/related; type=\"application/dicom\"; transfer-syntax=\(transferSyntax)")
            return request
        }
        let status = Int(response.status.code)
        guard status == 200 || status == 206 else {
            let body = try await response.body.collect(upTo: 1 << 20)
            throw DICOMWebAnswerError(
                status: status, explanation: String(decoding: body.readableBytesView.prefix(500), as: UTF8.self))
        }
        let type = response.headers.first(name: "content-type").flatMap { MediaType($0) }
        let boundary = try Self.boundary(of: type, status: status)

        var files = try await DiskQueue.run { try RetrievedFiles(folder: folder, boundary: boundary) }
        for try await piece in response.body {
            let (next, paths) = try await DiskQueue.run { [files] in
                var files = files
                let paths = try files.take(piece)
                return (files, paths)
            }
            files = next
            onEvent(.bytes(piece.readableBytes))
            for path in paths { onEvent(.file(path: path)) }
        }
        let (paths, isComplete) = try await DiskQueue.run { [files] in
            var files = files
            let isComplete = try files.finish()
            return (files.paths, isComplete)
        }
        guard isComplete else {
            throw DICOMWebAnswerError(
                status: status, explanation: "the answer ended before its end; \(paths.count) files are complete")
        }
        if boundary == nil, let path = paths.last { onEvent(.file(path: path)) }
        return Retrieved(paths: paths, warnings: response.headers["warning"], isPartial: status == 206)
    }

    /// The boundary of a multipart answer, `nil` for a single instance.
    private static func boundary(of type: MediaType?, status: Int) throws -> MultipartBoundary? {
        switch type?.essence {
        case "application/dicom": return nil
        case "multipart/related":
            let text = type?.parameters.first { $0.name.lowercased() == "boundary" }?.value
            if let boundary = text.flatMap({ MultipartBoundary($0) }) { return boundary }
            throw DICOMWebAnswerError(status: status, explanation: "the answer is multipart without a boundary")
        default:
            throw DICOMWebAnswerError(status: status, explanation: "the answer is not DICOM")
        }
    }
}
