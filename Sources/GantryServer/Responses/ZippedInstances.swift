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
    /// Up to this many bytes a file is read ahead while the one before it is sent.
    private static let readAheadLimit = 2 << 20

    /// The answer; the archive bears the name of the study.
    func response(study: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "application/zip", .acceptRanges: "none",
                .contentDisposition: "attachment; filename=\"\(study).zip\"",
            ], body: body)
    }

    var body: ResponseBody {
        ResponseBody { output in
            let zip = try ZipWriter()
            var ahead = try await readAhead(0)
            for index in contents.indices {
                let content = contents[index]
                try zip.begin(
                    Self.name(of: content.instance), length: content.length,
                    modified: content.instance.storedAt / 1000)
                if let data = ahead {
                    async let next = readAhead(index + 1)
                    try zip.write(data)
                    try zip.end()
                    try await output.write(contentsOf: zip.takeOutput())
                    ahead = try await next
                } else {
                    var pieces = content.pieces(from: blobs)
                    while let piece = try await pieces.next() {
                        try zip.write(piece)
                        try await output.write(contentsOf: zip.takeOutput())
                    }
                    try zip.end()
                    ahead = try await readAhead(index + 1)
                }
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

    private func readAhead(_ index: Int) async throws -> ByteBuffer? {
        guard index < contents.count, let length = contents[index].length, length <= Self.readAheadLimit else {
            return nil
        }
        return try await contents[index].bytes(from: blobs)
    }
}
