import DICOMCore
import Testing

@Suite struct InflaterTests {
    let plain = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }

    func inflate(_ bytes: [UInt8], _ format: DeflateFormat, limits: InflateLimits) throws -> [UInt8] {
        let inflater = Inflater(format, limits: limits)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 100) {
            try bytes[start..<min(start + 100, bytes.count)].withUnsafeBytes { piece in
                _ = try inflater.receive(piece) { result.append(contentsOf: $0) }
            }
        }
        #expect(inflater.isAtEnd)
        return result
    }

    @Test(arguments: [DeflateFormat.raw, .zlib, .gzip])
    func `inflates what was deflated`(format: DeflateFormat) throws {
        var bytes: [UInt8] = []
        let deflater = Deflater(format)
        for start in stride(from: 0, to: plain.count, by: 33_333) {
            plain[start..<min(start + 33_333, plain.count)].withUnsafeBytes { deflater.receive($0, into: &bytes) }
        }
        deflater.flush(into: &bytes)
        deflater.finish(into: &bytes)
        let limits = InflateLimits(bytes: plain.count, ratio: 200, ratioFloor: 1000)
        #expect(try inflate(bytes, format, limits: limits) == plain)
        #expect(throws: InflateError.limit(plain.count - 1)) {
            try inflate(
                bytes, format, limits: InflateLimits(bytes: plain.count - 1, ratio: 200, ratioFloor: 1000))
        }
        #expect(throws: InflateError.corrupt) {
            try inflate([0xFF] + bytes, format, limits: limits)
        }
    }
}
