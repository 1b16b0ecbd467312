import CDeflate

/// PNG with eight bits a sample, not interlaced (ISO/IEC 15948), compressed by libdeflate.
enum PNGFile {
    /// Rendered images are noise for the most part: more work makes them hardly smaller.
    private static let compressionLevel: Int32 = 1
    /// A chunk has no more bytes.
    private static let chunkLimit = Int(Int32.max)

    static func encode(_ image: RenderedImage) throws(RenderingError) -> [UInt8] {
        let filtered = PNGFilter.apply(to: image)
        guard let compressor = libdeflate_alloc_compressor(compressionLevel) else {
            throw RenderingError(.encoderFailed)
        }
        defer { libdeflate_free_compressor(compressor) }
        let profile = try image.iccProfile.map { bytes throws(RenderingError) in try profileChunk(bytes, compressor) }
        let bound = libdeflate_zlib_compress_bound(compressor, filtered.count)
        guard bound <= chunkLimit else { throw RenderingError(.tooLargeForFormat) }

        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        file.reserveCapacity(bound + 1024 + (profile?.count ?? 0))
        var header = bigEndian(image.width) + bigEndian(image.height)
        // Depth, colour type, compression, filter, interlace.
        header += [8, image.colorSpace == .gray ? 0 : 2, 0, 0, 0]
        append("IHDR", header, to: &file)
        if let profile { append("iCCP", profile, to: &file) }
        // The image data goes to its place at once; its length becomes known then.
        let start = file.count
        file += bigEndian(0) + Array("IDAT".utf8)
        let body = file.count
        file.append(contentsOf: repeatElement(0, count: bound))
        let count = file.withUnsafeMutableBytes { file in
            filtered.withUnsafeBytes { source in
                libdeflate_zlib_compress(
                    compressor, source.baseAddress, source.count, file.baseAddress.map { $0 + body }, bound)
            }
        }
        guard count > 0 else { throw RenderingError(.encoderFailed) }
        file.removeLast(bound - count)
        file.replaceSubrange(start..<start + 4, with: bigEndian(count))
        file += bigEndian(checksum(file[(start + 4)...]))
        append("IEND", [], to: &file)
        return file
    }

    /// Name, compression method, compressed profile (11.3.3.3).
    private static func profileChunk(
        _ profile: [UInt8], _ compressor: OpaquePointer
    ) throws(RenderingError) -> [UInt8] {
        var compressed = [UInt8](repeating: 0, count: libdeflate_zlib_compress_bound(compressor, profile.count))
        let count = libdeflate_zlib_compress(compressor, profile, profile.count, &compressed, compressed.count)
        guard count > 0 else { throw RenderingError(.encoderFailed) }
        return Array("ICC profile\0\0".utf8) + compressed.prefix(count)
    }

    private static func append(_ type: String, _ body: [UInt8], to file: inout [UInt8]) {
        let start = file.count + 4
        file += bigEndian(body.count) + Array(type.utf8) + body
        file += bigEndian(checksum(file[start...]))
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { Int(libdeflate_crc32(0, $0.baseAddress, $0.count)) }
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
