/// The rows of a frame as gray or RGB bytes in the size they are stored in, made one at a time as they are needed.
///
/// Lives inside of a `withUnsafeBytes` of the frame. Whoever makes one has checked that there are as many bytes as the
/// description asks for.
struct FrameRows {
    /// How samples become bytes.
    enum Samples {
        /// One sample of at most 16 bits, by a table.
        case table(RenderingTable)
        /// One sample, by computing.
        case computed(WideSamples, GrayscaleTransformation)
        /// Three samples of 8 or 16 bits.
        case color(ColorSamples)
    }

    let bytes: UnsafeRawBufferPointer
    let description: ImagePixelDescription
    let samples: Samples
    let overlays: [OverlayPlane]
    let colorSpace: RenderedImage.ColorSpace

    init(
        bytes: UnsafeRawBufferPointer, description: ImagePixelDescription, samples: Samples, overlays: [OverlayPlane]
    ) {
        self.bytes = bytes
        self.description = description
        self.samples = samples
        self.overlays = overlays
        colorSpace =
            switch samples {
            case .table(let table): if case .gray = table.entries { .gray } else { .rgb }
            case .computed: .gray
            case .color: .rgb
            }
    }

    /// Bytes of a row of the whole image.
    var rowByteCount: Int { description.columns * colorSpace.channels }

    /// Writes the pixels of some columns of a row to consecutive bytes.
    func render(row: Int, columns: Range<Int>, into output: UnsafeMutablePointer<UInt8>) {
        let first = row * description.columns + columns.lowerBound
        switch samples {
        case .table(let table):
            switch table.entries {
            case .gray(let grays):
                grays.withUnsafeBufferPointer { lookUp(from: first, columns.count, table.bits, $0, into: output) }
            case .color(let colors):
                colors.withUnsafeBufferPointer { lookUp(from: first, columns.count, table.bits, $0, into: output) }
            }
        case .computed(let wide, let transformation):
            for index in 0..<columns.count {
                output[index] = transformation.output(wide.value(bytes, at: first + index))
            }
        case .color(let color): color.render(bytes, from: first, count: columns.count, into: output)
        }
        for overlay in overlays { draw(overlay, row: row, columns: columns, into: output) }
    }

    // MARK: - Tables

    /// Grays. What a table holds is one entry for each value that the mask lets through.
    private func lookUp(
        from first: Int, _ count: Int, _ bits: StoredBits, _ table: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutablePointer<UInt8>
    ) {
        guard let table = table.baseAddress, let base = bytes.baseAddress else { return }
        let shift = UInt16(truncatingIfNeeded: bits.shift)
        let mask = UInt16(truncatingIfNeeded: bits.mask)
        switch description.bitsAllocated {
        case 8:
            let source = base.assumingMemoryBound(to: UInt8.self) + first
            for index in 0..<count { output[index] = table[Int((UInt16(source[index]) &>> shift) & mask)] }
        case 16:
            let source = base + 2 * first
            var index = 0
            // Eight pixels for one store.
            while index &+ 8 <= count {
                var eight: UInt64 = 0
                for lane in 0..<8 {
                    let word = UInt16(
                        littleEndian: source.loadUnaligned(fromByteOffset: 2 &* (index &+ lane), as: UInt16.self))
                    eight |= UInt64(table[Int((word &>> shift) & mask)]) &<< UInt64(8 &* lane)
                }
                UnsafeMutableRawPointer(output + index).storeBytes(of: eight.littleEndian, as: UInt64.self)
                index &+= 8
            }
            while index < count {
                let word = UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self))
                output[index] = table[Int((word &>> shift) & mask)]
                index &+= 1
            }
        default:
            for index in 0..<count { output[index] = table[Int(truncatingIfNeeded: word(first + index, bits))] }
        }
    }

    private func lookUp(
        from first: Int, _ count: Int, _ bits: StoredBits, _ table: UnsafeBufferPointer<UInt32>,
        into output: UnsafeMutablePointer<UInt8>
    ) {
        for index in 0..<count {
            let color = table[Int(truncatingIfNeeded: word(first + index, bits))]
            output[3 * index] = UInt8(truncatingIfNeeded: color >> 16)
            output[3 * index + 1] = UInt8(truncatingIfNeeded: color >> 8)
            output[3 * index + 2] = UInt8(truncatingIfNeeded: color)
        }
    }

    /// The stored bits of a sample.
    private func word(_ index: Int, _ bits: StoredBits) -> UInt64 {
        rawWord(index) >> UInt64(bits.shift) & bits.mask
    }

    private func rawWord(_ index: Int) -> UInt64 {
        WideSamples.rawWord(bytes, at: index, bitsAllocated: description.bitsAllocated)
    }

    // MARK: - Overlays

    private func draw(
        _ overlay: OverlayPlane, row: Int, columns: Range<Int>, into output: UnsafeMutablePointer<UInt8>
    ) {
        guard let covered = overlay.columns(inRow: row, of: columns) else { return }
        let channels = colorSpace.channels
        for column in covered {
            let isSet: Bool
            switch overlay.bits {
            case .data(let data):
                let bit =
                    overlay.firstBit + (row - overlay.originRow) * overlay.columns + column - overlay.originColumn
                let index = data.startIndex + bit / 8
                isSet = index < data.endIndex && data[index] >> UInt8(bit % 8) & 1 != 0
            case .pixelBit(let position):
                // Planes in the pixels have their extent.
                guard description.samplesPerPixel == 1, position < description.bitsAllocated else { return }
                isSet = rawWord(row * description.columns + column) >> UInt64(position) & 1 != 0
            }
            guard isSet else { continue }
            for channel in 0..<channels { output[(column - columns.lowerBound) * channels + channel] = 255 }
        }
    }
}
