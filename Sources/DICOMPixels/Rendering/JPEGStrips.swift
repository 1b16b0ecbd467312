/// Encodes a JPEG strip by strip, each of them a restart interval (ITU-T T.81 B.2.1, E.1.4), so that there is never more
/// than a strip of samples.
///
/// libjpeg-turbo makes a whole file of each strip; their tables are the same. The first one's header, with the height of
/// the image and a restart interval, is followed by the entropy-coded data of all, with a restart marker between them.
enum JPEGStrips {
    /// Bytes of a strip: it should be in the cache still when it is encoded.
    private static let stripBytes = 1 << 18

    /// - Parameter render: writes a row.
    static func encode(
        width: Int, height: Int, _ colorSpace: RenderedImage.ColorSpace, quality: Int,
        render: (Int, UnsafeMutablePointer<UInt8>) -> Void
    ) throws(RenderingError) -> [UInt8] {
        guard width <= 65500, height <= 65500 else { throw RenderingError(.tooLargeForFormat) }
        let compressor = try JPEGCompressor(width: width, colorSpace, quality: quality)
        let unit = compressor.unit
        let stride = width * colorSpace.channels
        let unitsAcross = (width + unit - 1) / unit
        // Rows of units; an interval has no more units than 16 bits can count.
        let unitRows = max(1, min(stripBytes / (stride * unit), 0xFFFF / unitsAcross))
        let stripRows = unitRows * unit
        var strip = [UInt8](repeating: 0, count: stride * min(stripRows, height))
        var file: [UInt8] = []
        var intervals = 0
        for first in Swift.stride(from: 0, to: height, by: stripRows) {
            let rows = min(stripRows, height - first)
            try strip.withUnsafeMutableBufferPointer { strip throws(RenderingError) in
                guard let pixels = strip.baseAddress else { return }
                for row in 0..<rows { render(first + row, pixels + row * stride) }
                let part = try compressor.compress(pixels, rows: rows)
                guard let scan = Scan(part) else { throw RenderingError(.encoderFailed) }
                if intervals == 0 {
                    file += header(part, scan, height: height, interval: unitRows * unitsAcross)
                } else {
                    file += [0xFF, 0xD0 + UInt8((intervals - 1) % 8)]
                }
                file += part[scan.data]
            }
            intervals += 1
        }
        file += [0xFF, 0xD9]
        return file
    }

    /// Everything up to the entropy-coded data.
    private static func header(
        _ file: UnsafeBufferPointer<UInt8>, _ scan: Scan, height: Int, interval: Int
    ) -> [UInt8] {
        var header = Array(file[..<scan.start])
        header[scan.height] = UInt8(height >> 8)
        header[scan.height + 1] = UInt8(height & 0xFF)
        // DRI.
        header += [0xFF, 0xDD, 0, 4, UInt8(interval >> 8), UInt8(interval & 0xFF)]
        return header + file[scan.start..<scan.data.lowerBound]
    }

    /// Where things are in a file of one scan.
    private struct Scan {
        /// The two bytes of the frame header that say the number of lines.
        let height: Int
        /// The SOS marker.
        let start: Int
        /// Entropy-coded data, without EOI.
        let data: Range<Int>

        init?(_ file: UnsafeBufferPointer<UInt8>) {
            var at = 2
            var frame: Int?
            while at + 4 <= file.count, file[at] == 0xFF {
                let end = at + 2 + (Int(file[at + 2]) << 8 | Int(file[at + 3]))
                if file[at + 1] == 0xC0 { frame = at }
                if file[at + 1] == 0xDA {
                    guard let frame, frame + 7 <= at, end <= file.count - 2 else { return nil }
                    height = frame + 5
                    start = at
                    data = end..<file.count - 2
                    return
                }
                at = end
            }
            return nil
        }
    }
}
