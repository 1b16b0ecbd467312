import DICOMCore
import DICOMPixels

extension HostileInputs {
    /// A codestream and what the data set says about it: six bytes, as `Fuzz/README.md` has them, and the codestream.
    public static func codecs(_ input: [UInt8]) {
        guard input.count > 6, let image = description(input) else { return }
        let transferSyntax = codecSyntaxes[Int(input[0]) % codecSyntaxes.count]
        let codestream = Array(input[6...])
        let limits = CodecLimits(frameBytes: 1 << 18)

        // 1. An error, or a frame of the announced size; the same each time.
        let frame = try? CodecTable.standard.decode(codestream, from: transferSyntax, as: image, limits: limits)
        let again = try? CodecTable.standard.decode(codestream, from: transferSyntax, as: image, limits: limits)
        hold(frame == again, "decoding twice differs in \(transferSyntax.uid)")
        guard let frame else { return }
        hold(frame.bytes.count == frame.description.frameByteCount, "the frame is not as long as it says")
        hold(frame.bytes.count <= limits.frameBytes, "the frame is larger than allowed")
        hold(
            frame.description.rows == image.rows && frame.description.columns == image.columns
                && frame.description.samplesPerPixel == image.samplesPerPixel
                && frame.description.bitsAllocated == image.bitsAllocated
                && frame.description.isSigned == image.isSigned, "the frame is another one than the data set's")

        // 2. What was decoded can be encoded without loss.
        for target in [TransferSyntax.rleLossless, .jpegLosslessSV1, .jpeglsLossless] {
            guard let encoded = try? CodecTable.standard.encode(frame, to: target) else { continue }
            let decoded = try? CodecTable.standard.decode(encoded.bytes, from: target, as: encoded.description)
            let isByPlane = frame.description.samplesPerPixel > 1 && frame.description.planarConfiguration == 1
            hold(
                decoded?.bytes == frame.bytes || isByPlane && decoded?.bytes.count == frame.bytes.count,
                "\(target.uid) does not give back what was encoded")
        }
    }

    private static let codecSyntaxes: [TransferSyntax] = [
        .rleLossless, .deflatedImageFrame, .encapsulatedUncompressed, .jpegBaseline, .jpegExtended, .jpegLosslessSV1,
        .jpeglsLossless, .jpeg2000, .htj2k, .jpegxl,
    ]

    private static let photometrics: [PhotometricInterpretation] = [
        .monochrome2, .rgb, .ybrFull, .ybrFull422, .ybrRCT,
    ]

    private static func description(_ input: [UInt8]) -> ImagePixelDescription? {
        let allocated = input[3] & 1 == 0 ? 8 : 16
        let stored = Int(input[4]) % allocated + 1
        let numbers = [
            (0x0002, input[3] & 2 == 0 ? 1 : 3), (0x0006, input[3] & 8 == 0 ? 0 : 1), (0x0010, Int(input[1]) + 1),
            (0x0011, Int(input[2]) + 1), (0x0100, allocated), (0x0101, stored), (0x0102, stored - 1),
            (0x0103, input[3] & 4 == 0 ? 0 : 1),
        ]
        let name = photometrics[Int(input[5]) % photometrics.count].rawValue
        return ImagePixelDescription(
            DataSet(
                numbers.map { element, value in
                    DataElement(
                        Tag(0x0028, UInt16(element)), .US,
                        .bytes([UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]))
                } + [DataElement(Tag(0x0028, 0x0004), .CS, .bytes(Array(name.utf8)[...]))]))
    }
}
