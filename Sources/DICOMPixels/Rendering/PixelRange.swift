/// The least and the greatest value of a frame behind the modality LUT, padding left out: what a window is made of when
/// the data set has none.
struct PixelRange {
    private(set) var bounds: ClosedRange<Double>?

    /// Every frame has as many bytes as its description asks for.
    init(_ frame: FrameBuffer, _ attributes: RenderingAttributes) {
        let description = frame.description
        let bits = StoredBits(description)
        let isInteger = attributes.sampleKind == .integer
        frame.bytes.withUnsafeBytes { bytes in
            let count = description.rows * description.columns
            if isInteger, bits.count <= RenderingTable.maximumBits, description.bitsAllocated <= 16 {
                scanPresence(bytes, count, description, bits, attributes)
            } else {
                let wide: WideSamples =
                    isInteger
                    ? .integer(bitsAllocated: description.bitsAllocated, bits)
                    : description.bitsAllocated == 32 ? .float32 : .float64
                for index in 0..<count { include(wide.value(bytes, at: index), attributes) }
            }
        }
    }

    var window: VOIWindow? { bounds.flatMap { VOIWindow(spreading: $0.lowerBound, $0.upperBound) } }

    private mutating func include(_ stored: Double, _ attributes: RenderingAttributes) {
        if let padding = attributes.padding, padding.contains(stored) { return }
        let value = attributes.modality.output(stored)
        guard value.isFinite else { return }
        guard let bounds else {
            self.bounds = value...value
            return
        }
        if value < bounds.lowerBound { self.bounds = value...bounds.upperBound }
        if value > bounds.upperBound { self.bounds = bounds.lowerBound...value }
    }

    /// Marks which values there are, then looks at each once.
    private mutating func scanPresence(
        _ bytes: UnsafeRawBufferPointer, _ count: Int, _ description: ImagePixelDescription, _ bits: StoredBits,
        _ attributes: RenderingAttributes
    ) {
        var isPresent = [Bool](repeating: false, count: 1 << bits.count)
        isPresent.withUnsafeMutableBufferPointer { isPresent in
            guard let isPresent = isPresent.baseAddress, let base = bytes.baseAddress else { return }
            let shift = UInt16(truncatingIfNeeded: bits.shift)
            let mask = UInt16(truncatingIfNeeded: bits.mask)
            if description.bitsAllocated == 16 {
                for index in 0..<count {
                    let word = UInt16(littleEndian: base.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self))
                    isPresent[Int((word &>> shift) & mask)] = true
                }
            } else {
                for index in 0..<count {
                    let word = WideSamples.rawWord(bytes, at: index, bitsAllocated: description.bitsAllocated)
                    isPresent[Int(truncatingIfNeeded: word >> UInt64(bits.shift) & bits.mask)] = true
                }
            }
        }
        for index in isPresent.indices where isPresent[index] {
            include(Double(bits.value(ofIndex: index)), attributes)
        }
    }
}
