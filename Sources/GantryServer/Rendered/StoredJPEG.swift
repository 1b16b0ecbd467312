import Archive
import DICOMCore
import DICOMPixels
import NIOCore

/// Stored frames that every browser shows right as they are: JPEG baseline in YCbCr, or gray without anything to apply
/// (PS3.18 8.3.5.1.2 allows to pass them on).
enum StoredJPEG {
    /// The stored codestream; `nil` when the frame has to be rendered.
    static func bytes(of frame: StoredFrame, by access: PixelAccess) async throws -> ByteBuffer? {
        guard frame.instance.transferSyntaxUID == TransferSyntax.jpegBaseline.uid else { return nil }
        let head = try await access.head(of: frame.instance)
        guard let image = head.image, isShownAsIs(image, RenderingAttributes(head.dataSet, frame: frame.number))
        else { return nil }
        let stored = try await frame.bytes(from: access.blobs)
        guard let length = stored.withUnsafeReadableBytes({ length(ofBaselineJPEG: $0, showing: image) }) else {
            return nil
        }
        return stored.getSlice(at: stored.readerIndex, length: length)
    }

    private static func isShownAsIs(_ image: ImagePixelDescription, _ attributes: RenderingAttributes) -> Bool {
        guard attributes.overlays.isEmpty, attributes.iccProfile == nil, attributes.presentation == .identity else {
            return false
        }
        switch image.photometricInterpretation {
        case .ybrFull422, .ybrFull: return image.samplesPerPixel == 3
        case .monochrome2:
            // Without a window the pixels decide about it, and are looked at.
            guard case .rescale(1, 0) = attributes.modality, !attributes.hasSupplementalPalette,
                case .window(let window) = attributes.valuesOfInterest
            else { return false }
            return image.samplesPerPixel == 1 && !image.isSigned && window.output(0) < 0.5
                && (0...255).allSatisfy { abs(window.output(Double($0)) - Double($0)) <= 0.5 }
        default: return false
        }
    }

    /// Bytes up to the end of the image, when the segments in front of the first scan say that it is baseline, of this
    /// size and these components, and in YCbCr to whoever knows nothing of DICOM (ITU-T T.81 B.2, T.871).
    static func length(ofBaselineJPEG bytes: UnsafeRawBufferPointer, showing image: ImagePixelDescription) -> Int? {
        // Fragments are padded to an even length; the image ends with its marker.
        var end = bytes.count
        while end > 4, bytes.count - end < 16, !(bytes[end - 1] == 0xD9 && bytes[end - 2] == 0xFF) { end -= 1 }
        guard end > 4, bytes[end - 1] == 0xD9, bytes[end - 2] == 0xFF, bytes[0] == 0xFF, bytes[1] == 0xD8 else {
            return nil
        }
        var position = 2
        var hasFrame = false
        while position + 4 <= end {
            guard bytes[position] == 0xFF else { return nil }
            let marker = bytes[position + 1]
            if marker == 0xFF {
                position += 1
                continue
            }
            let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            guard length >= 2, position + 2 + length <= end else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: bytes[(position + 4)..<(position + 2 + length)])
            switch marker {
            case 0xC0:
                guard !hasFrame, isFrame(body, of: image) else { return nil }
                hasFrame = true
            // Other kinds of frames, and tables that change them.
            case 0xC1...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF, 0xDC, 0xDE, 0xDF: return nil
            case 0xEE:
                // Adobe's segment says how colours are coded: 1 is YCbCr.
                if body.starts(with: "Adobe".utf8), body.count < 12 || body[11] != 1 || image.samplesPerPixel != 3 {
                    return nil
                }
            case 0xDA: return hasFrame ? end : nil
            case 0xC4, 0xDB, 0xDD, 0xE0...0xED, 0xEF, 0xFE: break
            default: return nil
            }
            position += 2 + length
        }
        return nil
    }

    private static func isFrame(_ body: UnsafeRawBufferPointer, of image: ImagePixelDescription) -> Bool {
        guard body.count >= 6, body[0] == 8, Int(body[1]) << 8 | Int(body[2]) == image.rows,
            Int(body[3]) << 8 | Int(body[4]) == image.columns, Int(body[5]) == image.samplesPerPixel,
            body.count >= 6 + 3 * Int(body[5])
        else { return false }
        // Components that are called R, G and B are taken for such.
        return image.samplesPerPixel == 1 || !(body[6] == 0x52 && body[9] == 0x47 && body[12] == 0x42)
    }
}
