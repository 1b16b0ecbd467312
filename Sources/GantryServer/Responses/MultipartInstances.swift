import Archive
import BlobStorage
import DICOMWeb
import Hummingbird
import NIOCore

/// The body of a retrieve: one `application/dicom` part for each instance (PS3.18 10.4.3).
struct MultipartInstances: Sendable {
    let contents: [InstanceContent]
    let blobs: any BlobStore
    let base: String
    /// Up to this many bytes a file is read ahead while the one before it is sent.
    private static let readAheadLimit = 2 << 20

    /// The body; its boundary is in `writer`, whose Content-Type the answer has to carry.
    func body(_ writer: MultipartRelatedWriter) async throws -> ResponseBody {
        // One instance of a known and small size is one write, with its length.
        if contents.count == 1, let length = contents[0].length, length <= Self.readAheadLimit {
            var parts = writer
            let head = ByteBuffer(bytes: header(of: contents[0], &parts))
            let data = try await contents[0].bytes(from: blobs)
            return ResponseBody(contentsOf: [head, data, ByteBuffer(bytes: parts.end())])
        }
        return ResponseBody { output in
            var parts = writer
            var ahead = try await readAhead(0)
            for index in contents.indices {
                let head = ByteBuffer(bytes: header(of: contents[index], &parts))
                guard let data = ahead else {
                    try await output.write(head)
                    try await contents[index].write(from: blobs, to: &output)
                    ahead = try await readAhead(index + 1)
                    continue
                }
                async let next = readAhead(index + 1)
                try await output.write(contentsOf: [head, data])
                ahead = try await next
            }
            try await output.write(ByteBuffer(bytes: parts.end()))
            try await output.finish(nil)
        }
    }

    private func readAhead(_ index: Int) async throws -> ByteBuffer? {
        guard index < contents.count, let length = contents[index].length, length <= Self.readAheadLimit else {
            return nil
        }
        return try await contents[index].bytes(from: blobs)
    }

    private func header(of content: InstanceContent, _ parts: inout MultipartRelatedWriter) -> [UInt8] {
        let identity = content.instance.identity
        return parts.partBegins(
            contentType: "application/dicom; transfer-syntax=\(content.transferSyntaxUID)",
            location: "\(base)/studies/\(identity.study)/series/\(identity.series)/instances/\(identity.instance)",
            length: content.length)
    }
}
