/// What the bits above those that are coded have to be, and how samples are laid out.
///
/// A codestream of `precision` bits holds the stored values modulo 2^precision: the data set, not the codestream, says
/// whether they have a sign (PS3.5 8.2.1, 8.2.4).
enum SampleBits {
    /// Fills the bits above `precision` of each sample: with the sign where the data set has one, else with zeros.
    static func extend(_ bytes: UnsafeMutableRawBufferPointer, sampleBytes: Int, precision: Int, isSigned: Bool) {
        let unused = sampleBytes * 8 - precision
        guard unused > 0 else { return }
        switch (sampleBytes, isSigned) {
        case (1, false): extend(bytes, as: UInt8.self, unused)
        case (1, true): extend(bytes, as: Int8.self, unused)
        case (2, false): extend(bytes, as: UInt16.self, unused)
        case (2, true): extend(bytes, as: Int16.self, unused)
        case (4, false): extend(bytes, as: UInt32.self, unused)
        default: extend(bytes, as: Int32.self, unused)
        }
    }

    private static func extend<Sample: FixedWidthInteger>(
        _ bytes: UnsafeMutableRawBufferPointer, as: Sample.Type, _ unused: Int
    ) {
        bytes.withMemoryRebound(to: Sample.self) { samples in
            let shift = Sample(truncatingIfNeeded: unused)
            for index in samples.indices {
                samples[index] = Sample(littleEndian: (samples[index].littleEndian &<< shift) &>> shift)
            }
        }
    }

    /// The bits that an encoder has to code: Bits Stored where all other bits follow from them, else all that are
    /// allocated.
    static func precision(of frame: FrameBuffer) -> Int {
        let image = frame.description
        let allocated = image.bitsAllocated
        guard image.highBit == image.bitsStored - 1, (1..<allocated).contains(image.bitsStored) else {
            return allocated
        }
        let unused = allocated - image.bitsStored
        let follows = frame.bytes.withUnsafeBytes { (bytes) -> Bool in
            switch (allocated, image.isSigned) {
            case (8, false): areBitsImplied(bytes, as: UInt8.self, unused)
            case (8, true): areBitsImplied(bytes, as: Int8.self, unused)
            case (16, false): areBitsImplied(bytes, as: UInt16.self, unused)
            case (16, true): areBitsImplied(bytes, as: Int16.self, unused)
            default: false
            }
        }
        return follows ? image.bitsStored : allocated
    }

    private static func areBitsImplied<Sample: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, as: Sample.Type, _ unused: Int
    ) -> Bool {
        bytes.withMemoryRebound(to: Sample.self) { samples in
            let shift = Sample(truncatingIfNeeded: unused)
            var difference: Sample = 0
            for sample in samples {
                let value = sample.littleEndian
                difference |= ((value &<< shift) &>> shift) ^ value
            }
            return difference == 0
        }
    }

    /// Samples of planes, by pixel.
    static func interleave(
        _ planes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, samples: Int, sampleBytes: Int
    ) {
        switch sampleBytes {
        case 1: interleave(planes, output, samples, as: UInt8.self)
        case 2: interleave(planes, output, samples, as: UInt16.self)
        default: interleave(planes, output, samples, as: UInt32.self)
        }
    }

    private static func interleave<Sample: FixedWidthInteger>(
        _ planes: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, _ samples: Int, as: Sample.Type
    ) {
        let source = planes.assumingMemoryBound(to: Sample.self)
        let target = output.assumingMemoryBound(to: Sample.self)
        let pixels = source.count / samples
        for sample in 0..<samples {
            let plane = source.baseAddress.map { $0 + sample * pixels }
            guard let plane, let first = target.baseAddress else { return }
            for pixel in 0..<pixels { first[pixel &* samples &+ sample] = plane[pixel] }
        }
    }

    /// The bytes of a frame by pixel, as encoders take them.
    static func byPixel(_ frame: FrameBuffer) throws(CodecError) -> [UInt8] {
        let image = frame.description
        guard image.samplesPerPixel > 1, image.planarConfiguration == 1 else { return frame.bytes }
        return try makeBytes(frame.bytes.count) { (output) in
            frame.bytes.withUnsafeBytes {
                interleave($0, into: output, samples: image.samplesPerPixel, sampleBytes: image.bitsAllocated / 8)
            }
        }
    }
}

extension FrameBuffer {
    /// The shape of a frame that encoders of images take: 1 or 3 samples of 8 or 16 bits, none of them left out.
    func shapeToEncode() throws(CodecError) -> FrameShape {
        let shape = try FrameShape(description, limits: CodecLimits(frameBytes: .max))
        guard shape.sampleBytes <= 2, [1, 3].contains(shape.samples) else {
            throw .unsupported("not 1 or 3 samples of 8 or 16 bits")
        }
        // Horizontally subsampled frames have two samples a pixel.
        guard shape.byteCount == bytes.count else { throw .unsupported("subsampled colour") }
        return shape
    }
}

extension SampleBits {
    /// Samples of a byte, in more bytes than they need.
    static func widen(_ bytes: [UInt8], to sampleBytes: Int) throws(CodecError) -> [UInt8] {
        try makeBytes(bytes.count * sampleBytes) { output in
            _ = output.initializeMemory(as: UInt8.self, repeating: 0)
            for index in bytes.indices { output[index * sampleBytes] = bytes[index] }
        }
    }
}
