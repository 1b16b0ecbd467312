/// How many values an attribute may have: `1`, `1-3`, `1-n`, `2-2n` (PS3.5 6.4).
public struct ValueMultiplicity: Hashable, Sendable {
    public var minimum: Int
    /// `nil` when there is no end.
    public var maximum: Int?
    /// The number of values is a multiple of this.
    public var step: Int

    public init(minimum: Int, maximum: Int?, step: Int = 1) {
        self.minimum = minimum
        self.maximum = maximum
        self.step = max(1, step)
    }

    /// Reads the notation of PS3.6.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first, let minimum = Int(first), parts.count <= 2 else { return nil }
        guard parts.count == 2 else {
            self.init(minimum: minimum, maximum: minimum)
            return
        }
        if parts[1].last == "n" {
            let factor = parts[1].dropLast()
            guard let step = factor.isEmpty ? 1 : Int(factor), step > 0 else { return nil }
            self.init(minimum: minimum, maximum: nil, step: step)
        } else {
            guard let maximum = Int(parts[1]), maximum >= minimum else { return nil }
            self.init(minimum: minimum, maximum: maximum)
        }
    }

    public func allows(_ count: Int) -> Bool {
        count >= minimum && count <= (maximum ?? .max) && count % step == 0
    }
}

extension ValueMultiplicity: CustomStringConvertible {
    public var description: String {
        if let maximum {
            maximum == minimum ? "\(minimum)" : "\(minimum)-\(maximum)"
        } else {
            "\(minimum)-\(step == 1 ? "" : "\(step)")n"
        }
    }
}
