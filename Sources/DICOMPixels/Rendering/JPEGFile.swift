/// JPEG baseline with eight bits (ITU-T T.81), written by libjpeg-turbo.
enum JPEGFile {
    static func encode(_ image: RenderedImage, quality: Int) throws(RenderingError) -> [UInt8] {
        guard image.width <= 65500, image.height <= 65500 else { throw RenderingError(.tooLargeForFormat) }
        let compressor = try JPEGCompressor(width: image.width, image.colorSpace, quality: quality)
        return try image.samples.withUnsafeBufferPointer { samples throws(RenderingError) in
            let file = try compressor.compress(samples.baseAddress, rows: image.height)
            guard let profile = image.iccProfile else { return Array(file) }
            return try embedding(profile, in: file)
        }
    }

    /// Puts the profile behind the first segments, in as many APP2 segments as it takes (ICC.1 B.4).
    private static func embedding(
        _ profile: [UInt8], in file: UnsafeBufferPointer<UInt8>
    ) throws(RenderingError) -> [UInt8] {
        // SOI, then JFIF's APP0, which has to stay the first.
        var end = 2
        if file.count > 6, file[2] == 0xFF, file[3] == 0xE0 { end += 2 + (Int(file[4]) << 8 | Int(file[5])) }
        let capacity = 65533 - 14
        let chunks = (profile.count + capacity - 1) / capacity
        guard end <= file.count, chunks <= 255 else { throw RenderingError(.tooLargeForFormat) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(file.count + profile.count + 18 * chunks)
        bytes += file[..<end]
        for chunk in 0..<chunks {
            let part = profile[chunk * capacity..<min((chunk + 1) * capacity, profile.count)]
            let length = part.count + 16
            bytes += [0xFF, 0xE2, UInt8(length >> 8), UInt8(length & 0xFF)]
            bytes += Array("ICC_PROFILE\0".utf8) + [UInt8(chunk + 1), UInt8(chunks)]
            bytes += part
        }
        bytes += file[end...]
        return bytes
    }
}
