/// Three samples a pixel, and how they become RGB (PS3.3 C.7.6.3.1.2).
struct ColorSamples: Hashable {
    enum Encoding: Hashable {
        case rgb
        case ybrFull
        /// Luminance from 16 to 235, chroma from 16 to 240.
        case ybrPartial
        /// The reversible transformation of JPEG 2000, chroma around the middle.
        case ybrReversible
    }

    /// Where the samples of pixel `p` are.
    enum Arrangement: Hashable {
        case interleaved
        /// Each sample in a plane of this many.
        case planes(Int)
        /// Y Y Cb Cr for two pixels, counted through the whole frame: an odd width is no exception.
        case subsampled
    }

    let encoding: Encoding
    let arrangement: Arrangement
    /// 1 or 2.
    let bytesPerSample: Int
    /// For all but 8-bit samples that fill their byte: a sample to eight bits.
    let table: RenderingTable?

    init(_ description: ImagePixelDescription) throws(RenderingError) {
        guard description.samplesPerPixel == 3, description.bitsAllocated == 8 || description.bitsAllocated == 16 else {
            throw RenderingError(
                .unsupportedPixels(
                    bitsAllocated: description.bitsAllocated, samplesPerPixel: description.samplesPerPixel))
        }
        switch description.photometricInterpretation {
        case .ybrFull, .ybrFull422, .ybrICT: encoding = .ybrFull
        case .ybrPartial422, .ybrPartial420: encoding = .ybrPartial
        case .ybrRCT: encoding = .ybrReversible
        default: encoding = .rgb
        }
        arrangement =
            if description.photometricInterpretation.isSubsampledHorizontally {
                .subsampled
            } else if description.planarConfiguration == 1 {
                .planes(description.rows * description.columns)
            } else {
                .interleaved
            }
        bytesPerSample = description.bitsAllocated / 8
        var unsigned = description
        unsigned.isSigned = false
        let bits = StoredBits(unsigned)
        table = bits.count == 8 && bits.shift == 0 && bytesPerSample == 1 ? nil : RenderingTable(scaling: bits)
    }

    /// Writes `count` pixels from the `first` of the frame.
    func render(_ bytes: UnsafeRawBufferPointer, from first: Int, count: Int, into output: UnsafeMutablePointer<UInt8>)
    {
        guard count > 0 else { return }
        if table == nil { gatherBytes(bytes, first, count, output) } else { gatherWords(bytes, first, count, output) }
        switch encoding {
        case .rgb: return
        case .ybrFull: Self.convert(output, count, Self.full)
        case .ybrPartial: Self.convert(output, count, Self.partial)
        case .ybrReversible: Self.convertReversible(output, count)
        }
    }

    // MARK: - Gathering

    private func gatherBytes(
        _ bytes: UnsafeRawBufferPointer, _ first: Int, _ count: Int, _ output: UnsafeMutablePointer<UInt8>
    ) {
        guard let base = bytes.baseAddress else { return }
        let source = base.assumingMemoryBound(to: UInt8.self)
        switch arrangement {
        case .interleaved: output.update(from: source + 3 * first, count: 3 * count)
        case .planes(let plane):
            for index in 0..<count {
                output[3 &* index] = source[first &+ index]
                output[3 &* index &+ 1] = source[plane &+ first &+ index]
                output[3 &* index &+ 2] = source[2 &* plane &+ first &+ index]
            }
        case .subsampled:
            for index in 0..<count {
                for channel in 0..<3 {
                    output[3 * index + channel] = source[subsampledIndex(first + index, channel, bytes.count)]
                }
            }
        }
    }

    private func gatherWords(
        _ bytes: UnsafeRawBufferPointer, _ first: Int, _ count: Int, _ output: UnsafeMutablePointer<UInt8>
    ) {
        guard let table, case .gray(let grays) = table.entries else { return }
        let (shift, mask) = (UInt16(truncatingIfNeeded: table.bits.shift), UInt16(truncatingIfNeeded: table.bits.mask))
        let sampleCount = bytes.count / bytesPerSample
        func word(_ index: Int) -> UInt16 {
            bytesPerSample == 1
                ? UInt16(bytes[index])
                : UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self))
        }
        grays.withUnsafeBufferPointer { grays in
            for index in 0..<count {
                let pixel = first &+ index
                for channel in 0..<3 {
                    let at =
                        switch arrangement {
                        case .interleaved: 3 &* pixel &+ channel
                        case .planes(let plane): channel &* plane &+ pixel
                        case .subsampled: subsampledIndex(pixel, channel, sampleCount)
                        }
                    output[3 &* index &+ channel] = grays[Int((word(at) &>> shift) & mask)]
                }
            }
        }
    }

    /// The sample of a channel of a pixel; the last pixel of an odd number has the chroma of the one before.
    private func subsampledIndex(_ pixel: Int, _ channel: Int, _ sampleCount: Int) -> Int {
        let group = pixel / 2 * 4
        if channel == 0 { return group + pixel % 2 }
        let chroma = group + 1 + channel
        return chroma < sampleCount ? chroma : max(0, chroma - 4) < sampleCount ? max(0, chroma - 4) : 0
    }

    // MARK: - Converting

    /// Coefficients in units of 2^-16.
    private struct Matrix {
        let offset: Int32
        let luminance: Int32
        let red: Int32
        let greenBlue: Int32
        let greenRed: Int32
        let blue: Int32
    }

    /// The inverse of the matrix of PS3.3 C.7.6.3.1.2, which is that of JPEG (ITU-T T.871).
    private static let full = Matrix(
        offset: 0, luminance: 65536, red: 91881, greenBlue: -22554, greenRed: -46802, blue: 116130)
    /// Of ITU-R BT.601 with its narrow range.
    private static let partial = Matrix(
        offset: 16, luminance: 76309, red: 104597, greenBlue: -25675, greenRed: -53279, blue: 132201)

    private static func convert(_ pixels: UnsafeMutablePointer<UInt8>, _ count: Int, _ matrix: Matrix) {
        for index in 0..<count {
            let pixel = pixels + 3 &* index
            let luminance = (Int32(pixel[0]) &- matrix.offset) &* matrix.luminance &+ 32768
            let blue = Int32(pixel[1]) &- 128
            let red = Int32(pixel[2]) &- 128
            pixel[0] = clamped((luminance &+ matrix.red &* red) &>> 16)
            pixel[1] = clamped((luminance &+ matrix.greenBlue &* blue &+ matrix.greenRed &* red) &>> 16)
            pixel[2] = clamped((luminance &+ matrix.blue &* blue) &>> 16)
        }
    }

    private static func convertReversible(_ pixels: UnsafeMutablePointer<UInt8>, _ count: Int) {
        for index in 0..<count {
            let pixel = pixels + 3 &* index
            let u = Int32(pixel[1]) &- 128
            let v = Int32(pixel[2]) &- 128
            let green = Int32(pixel[0]) &- ((u &+ v) &>> 2)
            pixel[0] = clamped(v &+ green)
            pixel[1] = clamped(green)
            pixel[2] = clamped(u &+ green)
        }
    }

    private static func clamped(_ value: Int32) -> UInt8 { UInt8(truncatingIfNeeded: max(0, min(255, value))) }
}
