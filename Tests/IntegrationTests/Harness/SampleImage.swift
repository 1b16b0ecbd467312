import Crypto
import DICOMCore
import GantryTesting

/// An image whose pixel data is as large as a test needs it and different in each instance.
struct SampleImage: Sendable {
    var instance: TestInstance
    var rows: Int
    var columns: Int
    var frames: Int?

    init(study: Int = 1, series: Int = 1, instance: Int = 1, rows: Int = 8, columns: Int = 8, frames: Int? = nil) {
        self.instance = TestInstance(study: study, series: series, instance: instance)
        self.instance.modality = "CT"
        self.rows = rows
        self.columns = columns
        self.frames = frames
    }

    var path: String {
        "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
    }

    /// 16 bits a pixel.
    var frameLength: Int { rows * columns * 2 }
    var pixelLength: Int { frameLength * (frames ?? 1) }

    /// Bytes that no compression would help with: they repeat after a MiB.
    private static let noise: [UInt8] = {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
            let words = UnsafeMutableRawBufferPointer(buffer).bindMemory(to: UInt64.self)
            for index in words.indices {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                words[index] = state
            }
            count = 1 << 20
        }
    }()

    /// The file up to the first byte of the pixel data.
    var head: [UInt8] {
        var image = instance
        func number(_ element: UInt16, _ value: Int) -> DataElement {
            DataElement(Tag(0x0028, element), .US, .bytes(TestBytes.uint16(value)[...]))
        }
        image.elements += [
            number(0x0002, 1),
            DataElement(Tag(0x0028, 0x0004), .CS, .bytes(Array("MONOCHROME2 ".utf8)[...])),
            number(0x0010, rows), number(0x0011, columns), number(0x0100, 16), number(0x0101, 16), number(0x0102, 15),
            number(0x0103, 0),
        ]
        if let frames {
            let text = "\(frames)"
            let padded = Array(text.utf8) + (text.utf8.count % 2 == 0 ? [] : [0x20])
            image.elements.append(DataElement(Tag(0x0028, 0x0008), .IS, .bytes(padded[...])))
        }
        return image.part10(hasPixelData: false)
            + TestBytes.element(Tag(0x7FE0, 0x0010), .OW, [], length: pixelLength)
    }

    /// The pixels of a frame from 1: noise that starts with the number of instance and frame.
    func frame(_ number: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(frameLength)
        bytes += TestBytes.uint32(instance.instanceNumber) + TestBytes.uint32(number)
        while bytes.count < frameLength { bytes += Self.noise[..<min(frameLength - bytes.count, Self.noise.count)] }
        return Array(bytes.prefix(frameLength))
    }

    /// The whole file.
    var bytes: [UInt8] {
        var bytes = head
        bytes.reserveCapacity(bytes.count + pixelLength)
        for number in 1...(frames ?? 1) { bytes += frame(number) }
        return bytes
    }

    static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
