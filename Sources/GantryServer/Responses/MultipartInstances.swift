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
    /// How many files are made ready at once, while those before them are sent.
    let parallelism: Int

    /// The body; its boundary is in `writer`, whose Content-Type the answer has to carry.
    func body(_ writer: MultipartRelatedWriter) async throws -> ResponseBody {
        // What cannot be had is told with a status: later instances can only cut the answer off.
        let instances = MadeAhead(contents.count, ahead: max(parallelism, blobs.readsAtOnce)) {
            [contents, blobs] index in
            try await ReadyInstance(contents[index], from: blobs)
        }
        let first = try await instances.next()
        // One instance in memory is one write, with its length.
        if contents.count == 1, let only = first, let file = only.file {
            var parts = writer
            let head = ByteBuffer(bytes: header(of: only.content, &parts, length: file.readableBytes))
            return ResponseBody(contentsOf: [head, file, ByteBuffer(bytes: parts.end())])
        }
        return ResponseBody { output in
            var parts = writer
            var next = first
            while let ready = next {
                let head = ByteBuffer(bytes: header(of: ready.content, &parts, length: ready.length))
                if let file = ready.file {
                    try await output.write(contentsOf: [head, file])
                } else {
                    try await output.write(head)
                    try await ready.content.write(from: blobs, to: &output)
                }
                next = try await instances.next()
            }
            try await output.write(ByteBuffer(bytes: parts.end()))
            try await output.finish(nil)
        }
    }

    private func header(
        of content: InstanceContent, _ parts: inout MultipartRelatedWriter, length: Int?
    ) -> [UInt8] {
        let identity = content.instance.identity
        return parts.partBegins(
            contentType: "application/dicom; transfer-syntax=\(content.transferSyntaxUID)",
            location: "\(base)/studies/\(identity.study)/series/\(identity.series)/instances/\(identity.instance)",
            length: length)
    }
}
