import DICOMCore
import DICOMPixels

/// Descriptions and frames for the tests of codecs.
enum TestFrame {
    static func description(
        rows: Int, columns: Int, samples: Int = 1, bits: Int = 8, stored: Int? = nil, isSigned: Bool = false,
        planar: Int = 0, photometric: PhotometricInterpretation? = nil
    ) throws -> ImagePixelDescription {
        let elements = [
            (0x0002, samples), (0x0006, planar), (0x0010, rows), (0x0011, columns), (0x0100, bits),
            (0x0101, stored ?? bits), (0x0102, (stored ?? bits) - 1), (0x0103, isSigned ? 1 : 0),
        ].map { (element, value) in
            DataElement(
                Tag(0x0028, UInt16(element)), .US,
                .bytes([UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]))
        }
        let name = photometric ?? (samples == 3 ? .rgb : .monochrome2)
        let text = DataElement(Tag(0x0028, 0x0004), .CS, .bytes(Array(name.rawValue.utf8)[...]))
        guard let description = ImagePixelDescription(DataSet(elements + [text])) else { throw Unusable() }
        return description
    }

    struct Unusable: Error {}

    /// A frame with a slope, a disc and some noise, which is the same for the same seed, over the whole range of
    /// Bits Stored.
    static func frame(_ description: ImagePixelDescription, seed: UInt64 = 1, noise: Int = 16) throws -> FrameBuffer {
        var random = SeededGenerator(seed: seed)
        let range = 1 << description.bitsStored
        let lowest = description.isSigned ? -range / 2 : 0
        let sampleBytes = description.bitsAllocated / 8
        var values: [Int] = []
        for y in 0..<description.rows {
            for x in 0..<description.columns {
                for sample in 0..<description.samplesPerPixel {
                    let slope = (x * (sample + 2) + y * 3) * range / (4 * (description.columns + description.rows))
                    let dx = 2 * x - description.columns
                    let dy = 2 * y - description.rows
                    let disc = dx * dx + dy * dy < description.columns * description.columns / 2 ? range / 3 : 0
                    let grain = Int(random.next() % UInt64(max(1, noise))) - noise / 2
                    values.append(lowest + min(max(slope + disc + grain, 0), range - 1))
                }
            }
        }
        // The corners are the ends of the range.
        if values.count > 1 {
            values[0] = lowest
            values[values.count - 1] = lowest + range - 1
        }
        if description.samplesPerPixel > 1, description.planarConfiguration == 1 {
            let samples = description.samplesPerPixel
            values = (0..<samples).flatMap { sample in
                stride(from: sample, to: values.count, by: samples).map { values[$0] }
            }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * sampleBytes)
        for value in values {
            for byte in 0..<sampleBytes { bytes.append(UInt8(truncatingIfNeeded: value >> (byte * 8))) }
        }
        guard let frame = FrameBuffer(description, bytes: bytes) else { throw Unusable() }
        return frame
    }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
