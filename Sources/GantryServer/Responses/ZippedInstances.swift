import Archive
import BlobStorage
import HTTPTypes
import Hummingbird
import NIOCore

/// Instances as one `application/zip`: a Part 10 file for each (PS3.18 8.7.3).
///
/// The archive is made while it is sent: the client's pace holds back the reading, and what is in memory is a piece of
/// one file and the next small one.
struct ZippedInstances: Sendable {
    let contents: [InstanceContent]
    let blobs: any BlobStore
    /// How many files are made ready at once, while those before them are sent.
    let parallelism: Int

    /// The answer; the archive bears the name of the study.
    func response(study: String) async throws -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/zip", .acceptRanges: "none",
                .contentDisposition: "attachment; filename=\"\(study).zip\"",
            ], body: try await body())
    }

    private func body() async throws -> ResponseBody {
        // What cannot be had is told with a status: later instances can only cut the answer off.
        let instances = MadeAhead(contents.count, ahead: max(parallelism, blobs.readsAtOnce)) {
            [contents, blobs] index in
            try await ReadyInstance(contents[index], from: blobs)
        }
        let first = try await instances.next()
        return ResponseBody { output in
            let zip = try ZipWriter()
            var next = first
            while let ready = next {
                let content = ready.content
                try zip.begin(
                    Self.name(of: content.instance), length: ready.length,
                    modified: content.instance.storedAt / 1000)
                if let file = ready.file {
                    try zip.write(file)
                } else {
                    var pieces = try await content.pieces(from: blobs)
                    while let piece = try await pieces.next() {
                        try zip.write(piece)
                        try await output.write(contentsOf: zip.takeOutput())
                    }
                }
                try zip.end()
                try await output.write(contentsOf: zip.takeOutput())
                next = try await instances.next()
            }
            try zip.finish()
            try await output.write(contentsOf: zip.takeOutput())
            try await output.finish(nil)
        }
    }

    /// At most 133 bytes of digits, dots and a slash, whoever sent the instance. The study is not in it: the archive is
    /// named so, and with three UIDs in a row the paths of unpacked files get longer than Windows takes.
    static func name(of instance: StoredInstance) -> String {
        "\(instance.identity.series)/\(instance.identity.instance).dcm"
    }
}
