import DICOMPixels
import Testing

@testable import GantryServer

@Suite struct StoredJPEGTests {
    private func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] {
        let length = body.count + 2
        return [0xFF, marker, UInt8(length >> 8), UInt8(length & 0xFF)] + body
    }

    private func frame(_ rows: UInt8 = 8, bits: UInt8 = 8, components: [UInt8] = [1, 2, 3]) -> [UInt8] {
        segment(0xC0, [bits, 0, rows, 0, 16, UInt8(components.count)] + components.flatMap { [$0, 0x11, 0] })
    }

    private func file(_ segments: [UInt8]...) -> [UInt8] {
        [0xFF, 0xD8] + segments.flatMap(\.self) + segment(0xDA, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]) + [
            1, 2, 3, 0xFF, 0xD9,
        ]
    }

    private func length(_ bytes: [UInt8], samples: Int = 3) throws -> Int? {
        let image = try #require(
            ImagePixelDescription(
                rows: 8, columns: 16, samplesPerPixel: samples, bitsAllocated: 8, bitsStored: 8, highBit: 7,
                isSigned: false, planarConfiguration: 0,
                photometricInterpretation: samples == 3 ? .ybrFull422 : .monochrome2, numberOfFrames: 1))
        return bytes.withUnsafeBytes { StoredJPEG.length(ofBaselineJPEG: $0, showing: image) }
    }

    @Test func `what a browser shows right is passed on, without padding`() throws {
        let jfif = segment(0xE0, Array("JFIF\0".utf8) + [1, 1, 0, 0, 1, 0, 1, 0, 0])
        let ycc = segment(0xEE, Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 1])
        for bytes in [file(frame()), file(jfif, frame()), file(ycc, frame()), file(segment(0xFE, [1]), frame())] {
            #expect(try length(bytes) == bytes.count)
            #expect(try length(bytes + [0]) == bytes.count)
        }
        let gray = file(frame(components: [1]))
        #expect(try length(gray, samples: 1) == gray.count)
    }

    @Test func `what could be shown wrong is rendered`() throws {
        let rgb = segment(0xEE, Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 0])
        for bytes in [
            file(rgb, frame()), file(frame(components: [0x52, 0x47, 0x42])), file(frame(9)), file(frame(bits: 12)),
            file(frame(components: [1])), file(), file(frame(), frame()), file(segment(0xC2, [8, 0, 8, 0, 16, 3])),
            Array(file(frame()).dropLast(2)), [], [0xFF, 0xD8, 0xFF, 0xD9],
            file(frame()) + [UInt8](repeating: 0, count: 40),
        ] {
            #expect(try length(bytes) == nil)
        }
        for count in 0..<file(frame()).count { #expect(try length(Array(file(frame()).prefix(count))) == nil) }
    }
}
