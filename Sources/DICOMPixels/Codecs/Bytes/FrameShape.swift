/// Rows, columns, samples and sample size of a frame whose samples are whole bytes, checked against the limits.
struct FrameShape {
    let rows: Int
    let columns: Int
    let samples: Int
    /// 1, 2 or 4.
    let sampleBytes: Int
    /// Bytes of all samples.
    let byteCount: Int

    var pixels: Int { rows * columns }
    var bitsAllocated: Int { sampleBytes * 8 }

    /// Refuses what is larger than `limits`, and bits that are no whole bytes.
    init(_ image: ImagePixelDescription, limits: CodecLimits) throws(CodecError) {
        guard [8, 16, 32].contains(image.bitsAllocated) else {
            throw .unsupported("\(image.bitsAllocated) bits allocated")
        }
        guard (1...0xFFFF).contains(image.rows), (1...0xFFFF).contains(image.columns),
            (1...0xFFFF).contains(image.samplesPerPixel)
        else { throw .unsupported("a size that no image has") }
        rows = image.rows
        columns = image.columns
        samples = image.samplesPerPixel
        sampleBytes = image.bitsAllocated / 8
        // 48 bits and a factor of 4: no overflow.
        byteCount = rows * columns * samples * sampleBytes
        guard byteCount <= limits.frameBytes else { throw .tooLarge }
    }

    /// The size that a codestream claims has to be that of the data set.
    func require(rows: Int, columns: Int, samples: Int) throws(CodecError) {
        guard rows == self.rows, columns == self.columns else { throw .disagrees("another number of rows or columns") }
        guard samples == self.samples else { throw .disagrees("another number of samples per pixel") }
    }

    /// Samples of so many bits have to fit into those allocated.
    func require(precision: Int) throws(CodecError) {
        guard precision >= 1 else { throw .corrupt("samples without bits") }
        guard precision <= bitsAllocated else { throw .disagrees("more bits per sample than are allocated") }
    }
}

extension ImagePixelDescription {
    /// Of a frame that was decoded: by pixel, unless said otherwise, and nothing subsampled any more.
    func decoded(
        planarConfiguration: Int = 0, photometricInterpretation: PhotometricInterpretation? = nil
    ) -> ImagePixelDescription {
        var description = self
        description.numberOfFrames = 1
        if samplesPerPixel > 1 { description.planarConfiguration = planarConfiguration }
        if let photometricInterpretation {
            description.photometricInterpretation = photometricInterpretation
        } else if samplesPerPixel == 3 {
            switch self.photometricInterpretation {
            case .ybrFull422: description.photometricInterpretation = .ybrFull
            default: break
            }
        }
        return description
    }
}

/// Makes an array of bytes that `fill` writes, all of them unless it throws.
func makeBytes(
    _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(CodecError) -> Void
) throws(CodecError) -> [UInt8] {
    var failure: CodecError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        do throws(CodecError) {
            try fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
            initialized = count
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return bytes
}

extension FrameBuffer {
    /// What a decoder made; that there are as many bytes as described is its own doing.
    init(decoded bytes: [UInt8], _ description: ImagePixelDescription) throws(CodecError) {
        guard let frame = FrameBuffer(description, bytes: bytes) else {
            throw .disagrees("another number of bytes in the frame")
        }
        self = frame
    }
}
