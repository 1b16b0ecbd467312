/// The way of a stored value to what is shown: modality LUT, VOI LUT, presentation LUT (PS3.4 N.2).
///
/// This is the definition of the output, one value at a time. A `RenderingTable` holds its results.
public struct GrayscaleTransformation: Hashable, Sendable {
    /// Modality LUT (PS3.3 C.11.1).
    public enum Modality: Hashable, Sendable {
        case rescale(slope: Double, intercept: Double)
        case table(LookupTable)

        /// What the stored values are already.
        public static let identity = Modality.rescale(slope: 1, intercept: 0)

        public func output(_ stored: Double) -> Double {
            switch self {
            case .rescale(let slope, let intercept): stored * slope + intercept
            case .table(let table): Double(table[stored])
            }
        }
    }

    /// VOI LUT (PS3.3 C.11.2).
    public enum ValuesOfInterest: Hashable, Sendable {
        case window(VOIWindow)
        case table(LookupTable)

        /// From 0 to 255, not yet rounded.
        public func output(_ value: Double) -> Double {
            switch self {
            case .window(let window): window.output(value)
            case .table(let table): Double(table[value]) / table.maximum * 255
            }
        }
    }

    public var modality: Modality
    public var valuesOfInterest: ValuesOfInterest
    /// What the values of interest go through at last; inverse where the least one is white (PS3.3 C.7.6.3.1.2, C.11.4).
    public var presentation: PresentationLUT
    /// Stored values that mean that there is no pixel, shown black, inverted or not (PS3.3 C.7.5.1.1.2).
    public var padding: ClosedRange<Double>?

    public init(
        modality: Modality, valuesOfInterest: ValuesOfInterest, presentation: PresentationLUT = .identity,
        padding: ClosedRange<Double>? = nil
    ) {
        self.modality = modality
        self.valuesOfInterest = valuesOfInterest
        self.presentation = presentation
        self.padding = padding
    }

    /// What is shown for a stored value.
    public func output(_ stored: Double) -> UInt8 {
        if let padding, padding.contains(stored) { return 0 }
        let gray = valuesOfInterest.output(modality.output(stored))
        switch presentation {
        case .identity: return Self.rounded(gray)
        case .inverse: return Self.rounded(255 - gray)
        case .table(let table):
            // All of the table is for all of what comes (PS3.3 C.11.6.1.1).
            let input = Double(table.firstMapped) + gray / 255 * Double(table.entries.count - 1)
            return Self.rounded(Double(table[input]) / table.maximum * 255)
        }
    }

    /// A number from 0 to 255 rounded to a whole one. What is not a number becomes some byte.
    ///
    /// Adding 1.5 x 2^52 leaves no bits behind the point; a loop of it has no conversion that can trap, and is
    /// vectorised.
    static func rounded(_ value: Double) -> UInt8 {
        UInt8(truncatingIfNeeded: (value + 0x1.8p52).bitPattern)
    }
}
