/// What is shown for each stored value of at most 16 bits: the whole grayscale transformation, or a palette, in one
/// table.
///
/// Made once for the attributes and window of an image, it serves all frames that share them.
public struct RenderingTable: Hashable, Sendable {
    enum Entries: Hashable, Sendable {
        case gray([UInt8])
        /// `0xRRGGBB`
        case color([UInt32])
    }

    /// The stored bits that the table is for.
    public let bits: StoredBits
    /// One for each value, by its bits as an unsigned number.
    let entries: Entries

    /// The greatest number of stored bits that tables are made for.
    static let maximumBits = 16

    /// A table of grays. `nil` for more than 16 bits.
    public init?(_ transformation: GrayscaleTransformation, bits: StoredBits) {
        guard bits.count <= Self.maximumBits else { return nil }
        self.bits = bits
        entries = .gray(Self.grays(transformation, bits))
    }

    /// A table of the colours of a palette. Where a transformation is given, values without a colour stay gray.
    init?(_ palette: ColorPalette, others: GrayscaleTransformation? = nil, bits: StoredBits) {
        guard bits.count <= Self.maximumBits else { return nil }
        self.bits = bits
        let grays = others.map { Self.grays($0, bits) }
        entries = .color(
            (0..<1 << bits.count).map { index in
                let value = bits.value(ofIndex: index)
                guard let grays, !palette.contains(value) else { return palette.color(value) }
                return UInt32(grays[index]) * 0x010101
            })
    }

    /// Samples as they are, spread over eight bits.
    init?(scaling bits: StoredBits) {
        guard let window = VOIWindow(spreading: 0, Double(bits.mask)) else { return nil }
        self.init(
            GrayscaleTransformation(modality: .identity, valuesOfInterest: .window(window)),
            bits: bits)
    }

    // MARK: - Composing

    private static func grays(_ transformation: GrayscaleTransformation, _ bits: StoredBits) -> [UInt8] {
        let count = 1 << bits.count
        var grays = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // Values that are not negative come first, the negative ones in the upper half.
            let half = bits.isSigned ? count / 2 : count
            fill(UnsafeMutableBufferPointer(rebasing: buffer[..<half]), from: 0, transformation)
            if half < count {
                fill(UnsafeMutableBufferPointer(rebasing: buffer[half...]), from: Double(half - count), transformation)
            }
            initialized = count
        }
        if let padding = transformation.padding {
            for index in grays.indices where padding.contains(Double(bits.value(ofIndex: index))) { grays[index] = 0 }
        }
        return grays
    }

    /// Fills in the output for consecutive values, padding not considered. The usual case is one loop without branches.
    private static func fill(
        _ grays: UnsafeMutableBufferPointer<UInt8>, from first: Double, _ transformation: GrayscaleTransformation
    ) {
        guard case .rescale(let slope, let intercept) = transformation.modality,
            case .window(let window) = transformation.valuesOfInterest, window.function != .sigmoid,
            let (base, sign) = transformation.presentation.line
        else {
            var plain = transformation
            plain.padding = nil
            for index in grays.indices { grays.initializeElement(at: index, to: plain.output(first + Double(index))) }
            return
        }
        let isExact = window.function == .linearExact
        let center = isExact ? window.center : window.center - 0.5
        let width = isExact ? window.width : window.width - 1
        let (low, high) = (center - width / 2, center + width / 2)
        for index in 0..<grays.count {
            let value = (first + Double(index)) * slope + intercept
            let ramp = ((value - center) / width + 0.5) * 255
            let gray = value <= low ? 0 : value > high ? 255 : ramp
            grays.initializeElement(at: index, to: GrayscaleTransformation.rounded(base + sign * gray))
        }
    }
}

extension PresentationLUT {
    /// What a gray is added to, and with which sign; `nil` where it is no line.
    fileprivate var line: (base: Double, sign: Double)? {
        switch self {
        case .identity: (0, 1)
        case .inverse: (255, -1)
        case .table: nil
        }
    }
}
