import DICOMCore
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import GantryServer

@Suite struct ContentCodingTests {
    @Test(
        arguments: [
            (nil, .identity), ("", .identity), ("identity", .identity), ("gzip", .gzip), (" GZip ", .gzip),
            ("x-gzip", .gzip),
            ("deflate", .deflate),
        ] as [(String?, ContentCoding)])
    func `reads the codings that are decoded`(field: String?, coding: ContentCoding) throws {
        #expect(try ContentCoding(field) == coding)
    }

    @Test(arguments: ["br", "zstd", "gzip, gzip", "gzip;x", "compress"])
    func `refuses all others with 415 and names what it takes`(field: String) {
        let problem = #expect(throws: Problem.self) { try ContentCoding(field) }
        #expect(problem?.kind == .unsupportedMediaType && problem?.headers[.acceptEncoding]?.contains("gzip") == true)
    }
}

@Suite struct LimitedBodyTests {
    private func read(_ bytes: [UInt8], limit: Int, _ coding: ContentCoding) async throws -> [UInt8] {
        var result: [UInt8] = []
        for try await chunk in LimitedBody(RequestBody(buffer: ByteBuffer(bytes: bytes)), limit: limit, coding: coding)
        {
            result += chunk.readableBytesView
        }
        return result
    }

    private func coded(_ bytes: [UInt8], _ form: DeflateFormat) -> [UInt8] {
        let deflater = Deflater(form, level: 6)
        var output: [UInt8] = []
        bytes.withUnsafeBytes { deflater.receive($0, into: &output) }
        deflater.finish(into: &output)
        return output
    }

    private let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    @Test func `decodes what was coded for the transport`() async throws {
        #expect(try await read(bytes, limit: 5000, .identity) == bytes)
        #expect(try await read(coded(bytes, .gzip), limit: 5000, .gzip) == bytes)
        #expect(try await read(coded(bytes, .zlib), limit: 5000, .deflate) == bytes)
        #expect(try await read([], limit: 5000, .gzip) == [])
    }

    @Test func `the limit counts decoded bytes and closes the connection`() async {
        for (body, coding) in [(bytes, ContentCoding.identity), (coded(bytes, .gzip), .gzip)] {
            let problem = await #expect(throws: Problem.self) { try await read(body, limit: 4999, coding) }
            #expect(problem?.kind == .tooLarge && problem?.closesConnection == true)
        }
    }

    @Test func `a coded body that is broken or cut off is no body`() async {
        for body in [bytes, Array(coded(bytes, .gzip).dropLast(9))] {
            let problem = await #expect(throws: Problem.self) { try await read(body, limit: 9999, .gzip) }
            #expect(problem?.kind == .invalidBody)
        }
    }
}
