import DICOMWeb
import FoundationEssentials
import NIOCore
import Testing

@testable import DICOMWebClient

struct RetrievedFilesTests {
    private let folder = TemporaryFolder()
    private var first: [UInt8] { part10(sopInstanceUID: "1.2.3", content: Array(repeating: 7, count: 300)) }
    private var second: [UInt8] { Array("no Part 10".utf8) }

    private var body: [UInt8] {
        let heading = Array("--b\r\nContent-Type: application/dicom\r\n\r\n".utf8)
        return heading + first + [13, 10] + heading + second + Array("\r\n--b--\r\n".utf8)
    }

    private func contents(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }

    @Test(arguments: [1, 7, 64, 10_000])
    func `each part becomes a file named after its instance`(chunkSize: Int) throws {
        var files = try RetrievedFiles(folder: folder.path + "/x/y", boundary: MultipartBoundary("b"))
        for start in stride(from: 0, to: body.count, by: chunkSize) {
            _ = try files.take(ByteBuffer(bytes: body[start..<min(start + chunkSize, body.count)]))
        }
        #expect(try files.finish())
        #expect(files.paths == [folder.path + "/x/y/1.2.3.dcm", folder.path + "/x/y/part-2.dcm"])
        #expect(try contents(files.paths[0]) == first)
        #expect(try contents(files.paths[1]) == second)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/x/y").count == 2)
    }

    @Test func `a body that breaks off leaves only whole files`() throws {
        var files = try RetrievedFiles(folder: folder.path, boundary: MultipartBoundary("b"))
        _ = try files.take(ByteBuffer(bytes: body.dropLast(12)))
        #expect(try !files.finish())
        #expect(files.paths == [folder.path + "/1.2.3.dcm"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["1.2.3.dcm"])
    }

    @Test func `a single instance is one file`() throws {
        var files = try RetrievedFiles(folder: folder.path, boundary: nil)
        _ = try files.take(ByteBuffer(bytes: first))
        #expect(try files.finish())
        #expect(files.paths == [folder.path + "/1.2.3.dcm"])
    }
}
