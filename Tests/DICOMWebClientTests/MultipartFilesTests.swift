import DICOMWeb
import FoundationEssentials
import NIOCore
import Synchronization
import Testing

@testable import DICOMWebClient

struct MultipartFilesTests {
    private let folder = TemporaryFolder()

    private func body(of files: [[UInt8]]) async throws -> (bytes: [UInt8], files: MultipartFiles, told: Int) {
        let parts = try files.enumerated().map { index, bytes in
            MultipartFiles.Part(path: try folder.write(bytes, to: "\(index)"), length: bytes.count)
        }
        let told = Mutex(0)
        let body = MultipartFiles(parts: parts, boundary: "xyz") { count in told.withLock { $0 += count } }
        var bytes: [UInt8] = []
        for try await piece in body { bytes += Array(piece.readableBytesView) }
        return (bytes, body, told.withLock { $0 })
    }

    @Test(arguments: [[0], [5], [1, 2, 3], [262_144], [262_143, 1, 0, 700_001]])
    func `files arrive as parts, whatever their lengths`(lengths: [Int]) async throws {
        let files = lengths.enumerated().map { index, length in
            (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
        }
        let (bytes, body, told) = try await body(of: files)
        #expect(bytes.count == body.length)
        #expect(told == bytes.count)

        var parser = MultipartRelatedParser(boundary: try #require(MultipartBoundary("xyz")))
        var parts: [[UInt8]] = []
        try bytes.withUnsafeBytes { raw in
            try parser.receive(raw) { event in
                switch event {
                case .partBegins(let header):
                    #expect(header.contentType?.essence == "application/dicom")
                    parts.append([])
                case .bytes(let range): parts[parts.count - 1] += raw[range]
                case .heldBytes(let held): parts[parts.count - 1] += held
                case .partEnds: break
                }
            }
        }
        #expect(parts == files)
        #expect(parser.finish() == .closed)
    }

    @Test func `a file that has changed stops the request`() async throws {
        let path = try folder.write([1, 2, 3], to: "a")
        let body = MultipartFiles(parts: [.init(path: path, length: 4)], boundary: "xyz") { _ in }
        await #expect(throws: FileChangedError(path: path)) {
            for try await _ in body {}
        }
    }

    @Test func `a file that is gone stops the request`() async throws {
        let body = MultipartFiles(parts: [.init(path: folder.path + "/none", length: 4)], boundary: "xyz") { _ in }
        await #expect(throws: FileReadError.self) {
            for try await _ in body {}
        }
    }
}
