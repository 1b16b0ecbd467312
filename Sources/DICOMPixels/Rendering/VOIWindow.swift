import Glibc

/// A window: which of the values that come out of the modality LUT are told apart (PS3.3 C.11.2.1.2, C.11.2.1.3).
public struct VOIWindow: Hashable, Sendable {
    /// VOI LUT Function (0028,1056).
    public enum Function: Hashable, Sendable {
        /// Of whole numbers: the width counts the values between the ends, both included.
        case linear
        /// Of real numbers.
        case linearExact
        case sigmoid
    }

    public let center: Double
    public let width: Double
    public let function: Function

    /// `nil` unless center and width are finite, and the width at least 1 (linear) or above 0.
    public init?(center: Double, width: Double, function: Function = .linear) {
        guard center.isFinite, width.isFinite, function == .linear ? width >= 1 : width > 0 else { return nil }
        self.center = center
        self.width = width
        self.function = function
    }

    /// The window that spreads the values from one to another over the whole output. A range of a single value is
    /// black.
    public init?(spreading lower: Double, _ upper: Double) {
        guard lower <= upper else { return nil }
        let width = upper - lower
        self.init(
            center: width > 0 ? lower + width / 2 : lower + 0.5, width: width > 0 ? width : 1, function: .linearExact)
    }

    /// From 0 to 1: for images without a value that is a number.
    static let unit = VOIWindow(unchecked: 0.5, 1, .linearExact)

    private init(unchecked center: Double, _ width: Double, _ function: Function) {
        self.center = center
        self.width = width
        self.function = function
    }

    /// The output for a value, from 0 to 255, not yet rounded.
    public func output(_ value: Double) -> Double {
        switch function {
        case .linear:
            if value <= center - 0.5 - (width - 1) / 2 { return 0 }
            if value > center - 0.5 + (width - 1) / 2 { return 255 }
            return ((value - (center - 0.5)) / (width - 1) + 0.5) * 255
        case .linearExact:
            if value <= center - width / 2 { return 0 }
            if value > center + width / 2 { return 255 }
            return ((value - center) / width + 0.5) * 255
        case .sigmoid:
            return 255 / (1 + exp(-4 * (value - center) / width))
        }
    }
}
