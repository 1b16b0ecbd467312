/// What the header of a compressed image says about it: enough to fill the Image Pixel module when a store leaves it
/// out (PS3.18 10.5.2; dicomweb.md 3.7).
struct CodestreamHeader: Hashable, Sendable {
    var rows: Int
    var columns: Int
    var samplesPerPixel: Int
    /// Bits of one sample.
    var precision: Int
    var isSigned: Bool
    var photometricInterpretation: String
    /// The transfer syntax that the codestream is of, whatever its media type says.
    var transferSyntaxUID: String
    /// Where in the part the codestream lies: a JP2 file has boxes around it, which a fragment must not (PS3.5 A.4.4).
    var codestream: Range<Int>?

    /// Recognises JPEG, JPEG-LS and JPEG 2000 by their first bytes; `nil` for anything else.
    init?(_ bytes: [UInt8], partLength: Int) {
        let header = bytes.withUnsafeBytes { bytes -> CodestreamHeader? in
            let reader = BigEndianReader(bytes: bytes)
            return switch reader.uint16(at: 0) {
            case 0xFFD8: Self.jpeg(reader)
            case 0xFF4F: Self.jpeg2000(reader, from: 0, to: partLength)
            default: reader.uint32(at: 4) == 0x6A50_2020 ? Self.jp2(reader, partLength: partLength) : nil
            }
        }
        guard let header else { return nil }
        self = header
    }

    private init(
        rows: Int, columns: Int, samplesPerPixel: Int, precision: Int, isSigned: Bool,
        photometricInterpretation: String, transferSyntaxUID: String, codestream: Range<Int>?
    ) {
        self.rows = rows
        self.columns = columns
        self.samplesPerPixel = samplesPerPixel
        self.precision = precision
        self.isSigned = isSigned
        self.photometricInterpretation = photometricInterpretation
        self.transferSyntaxUID = transferSyntaxUID
        self.codestream = codestream
    }

    /// Bits that a sample takes in memory.
    var bitsAllocated: Int { precision <= 8 ? 8 : precision <= 16 ? 16 : 32 }
}

// MARK: - JPEG and JPEG-LS (ISO/IEC 10918-1 B.2, 14495-1 C.2)

extension CodestreamHeader {
    private struct Frame {
        var marker: UInt8
        var precision, rows, columns: Int
        var components: [UInt8]
    }

    /// Walks the marker segments up to the start of the first scan.
    private static func jpeg(_ reader: BigEndianReader) -> CodestreamHeader? {
        var position = 2
        var frame: Frame?
        var adobeTransform: UInt8?
        while let lead = reader.uint8(at: position), lead == 0xFF, let marker = reader.uint8(at: position + 1) {
            guard marker != 0xFF else {
                position += 1
                continue
            }
            guard let length = reader.uint16(at: position + 2).map(Int.init), length >= 2 else { return nil }
            let body = position + 4
            switch marker {
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF, 0xF7:
                frame = self.frame(marker, at: body, in: reader)
            case 0xEE where reader.uint32(at: body) == 0x4164_6F62:
                adobeTransform = reader.uint8(at: body + 11)
            case 0xDA:
                guard let frame, let count = reader.uint8(at: body) else { return nil }
                let parameters = body + 1 + 2 * Int(count)
                guard let selection = reader.uint8(at: parameters) else { return nil }
                return header(of: frame, scanParameter: selection, adobeTransform: adobeTransform)
            default: break
            }
            position += 2 + length
        }
        return nil
    }

    private static func frame(_ marker: UInt8, at body: Int, in reader: BigEndianReader) -> Frame? {
        guard let precision = reader.uint8(at: body), let rows = reader.uint16(at: body + 1),
            let columns = reader.uint16(at: body + 3), let count = reader.uint8(at: body + 5),
            precision > 0, rows > 0, columns > 0, (1...4).contains(count)
        else { return nil }
        let components = (0..<Int(count)).compactMap { reader.uint8(at: body + 6 + 3 * $0) }
        guard components.count == Int(count) else { return nil }
        return Frame(
            marker: marker, precision: Int(precision), rows: Int(rows), columns: Int(columns), components: components)
    }

    /// `scanParameter` is Ss of the first scan: the predictor of a lossless JPEG, NEAR of JPEG-LS.
    private static func header(of frame: Frame, scanParameter: UInt8, adobeTransform: UInt8?) -> CodestreamHeader? {
        let transferSyntaxUID: String
        let isLossy: Bool
        switch (frame.marker, scanParameter) {
        case (0xC0, _): (transferSyntaxUID, isLossy) = ("1.2.840.10008.1.2.4.50", true)
        case (0xC1, _): (transferSyntaxUID, isLossy) = ("1.2.840.10008.1.2.4.51", true)
        case (0xC2, _): (transferSyntaxUID, isLossy) = ("1.2.840.10008.1.2.4.55", true)
        case (0xC3, 1): (transferSyntaxUID, isLossy) = ("1.2.840.10008.1.2.4.70", false)
        case (0xC3, _): (transferSyntaxUID, isLossy) = ("1.2.840.10008.1.2.4.57", false)
        case (0xF7, 0): (transferSyntaxUID, isLossy) = ("1.2.840.10008.1.2.4.80", false)
        case (0xF7, _): (transferSyntaxUID, isLossy) = ("1.2.840.10008.1.2.4.81", false)
        default: return nil
        }
        let photometric: String
        switch frame.components.count {
        case 1: photometric = "MONOCHROME2"
        case 3:
            // Adobe's APP14 tells; then component ids R, G, B; else lossy JPEG is YCbCr as in JFIF.
            let isRGB = adobeTransform.map { $0 == 0 } ?? (!isLossy || frame.components == [0x52, 0x47, 0x42])
            photometric = isRGB ? "RGB" : "YBR_FULL_422"
        default: return nil
        }
        return CodestreamHeader(
            rows: frame.rows, columns: frame.columns, samplesPerPixel: frame.components.count,
            precision: frame.precision, isSigned: false, photometricInterpretation: photometric,
            transferSyntaxUID: transferSyntaxUID, codestream: nil)
    }
}

// MARK: - JPEG 2000 (ISO/IEC 15444-1 A.5, I.4)

extension CodestreamHeader {
    /// Reads SIZ and COD of the main header.
    private static func jpeg2000(_ reader: BigEndianReader, from start: Int, to end: Int) -> CodestreamHeader? {
        var position = start + 2
        var header: CodestreamHeader?
        var isHighThroughput = false
        while let marker = reader.uint16(at: position), marker != 0xFF90, let length = reader.uint16(at: position + 2),
            length >= 2
        {
            let body = position + 4
            switch marker {
            case 0xFF51: header = size(at: body, in: reader)
            case 0xFF50: isHighThroughput = true
            case 0xFF52:
                guard var header, let transform = reader.uint8(at: body + 4), let wavelet = reader.uint8(at: body + 9)
                else { return nil }
                let isReversible = wavelet == 1
                if header.samplesPerPixel == 3 {
                    header.photometricInterpretation =
                        transform == 0 ? "RGB" : isReversible ? "YBR_RCT" : "YBR_ICT"
                }
                header.transferSyntaxUID =
                    switch (isHighThroughput, isReversible) {
                    case (false, true): "1.2.840.10008.1.2.4.90"
                    case (false, false): "1.2.840.10008.1.2.4.91"
                    case (true, true): "1.2.840.10008.1.2.4.201"
                    case (true, false): "1.2.840.10008.1.2.4.203"
                    }
                header.codestream = start..<end
                return header
            default: break
            }
            position += 2 + Int(length)
        }
        return nil
    }

    private static func size(at body: Int, in reader: BigEndianReader) -> CodestreamHeader? {
        guard let right = reader.uint32(at: body + 2), let bottom = reader.uint32(at: body + 6),
            let left = reader.uint32(at: body + 10), let top = reader.uint32(at: body + 14),
            let components = reader.uint16(at: body + 34), let depth = reader.uint8(at: body + 36),
            right > left, bottom > top, right - left <= 0xFFFF, bottom - top <= 0xFFFF,
            components == 1 || components == 3
        else { return nil }
        let precision = Int(depth & 0x7F) + 1
        guard precision <= 32 else { return nil }
        return CodestreamHeader(
            rows: Int(bottom - top), columns: Int(right - left), samplesPerPixel: Int(components),
            precision: precision, isSigned: depth & 0x80 != 0,
            photometricInterpretation: components == 1 ? "MONOCHROME2" : "RGB", transferSyntaxUID: "",
            codestream: nil)
    }

    /// Finds the contiguous codestream box of a JP2 file.
    private static func jp2(_ reader: BigEndianReader, partLength: Int) -> CodestreamHeader? {
        var position = 0
        while let short = reader.uint32(at: position), let type = reader.uint32(at: position + 4) {
            var headerLength = 8
            var length = Int(short)
            if short == 1 {
                guard let long = reader.uint64(at: position + 8), let whole = Int(exactly: long) else { return nil }
                (length, headerLength) = (whole, 16)
            } else if short == 0 {
                length = partLength - position
            }
            guard length >= headerLength, length <= partLength - position else { return nil }
            if type == 0x6A70_3263 {
                return jpeg2000(reader, from: position + headerLength, to: position + length)
            }
            position += length
        }
        return nil
    }
}

/// Reads big endian numbers, `nil` past the end.
private struct BigEndianReader {
    let bytes: UnsafeRawBufferPointer

    func uint8(at offset: Int) -> UInt8? { number(at: offset) }
    func uint16(at offset: Int) -> UInt16? { number(at: offset) }
    func uint32(at offset: Int) -> UInt32? { number(at: offset) }
    func uint64(at offset: Int) -> UInt64? { number(at: offset) }

    private func number<T: FixedWidthInteger>(at offset: Int) -> T? {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<T>.size else { return nil }
        return T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}
