/// What a scan's arithmetic depends on (ITU-T T.87 A.2.1, C.2.4.1).
struct JPEGLSParameters {
    /// MAXVAL
    let highest: Int
    /// NEAR
    let near: Int
    let thresholds: (Int, Int, Int)
    /// RESET
    let reset: Int
    /// RANGE
    let range: Int
    /// qbpp
    let escapeBits: Int
    /// LIMIT
    let limit: Int

    /// The preset parameters of an LSE segment; 0 is the default.
    struct Preset {
        var highest = 0
        var thresholds = (0, 0, 0)
        var reset = 0
    }

    init(precision: Int, near: Int, _ preset: Preset) throws(CodecError) {
        let highest = preset.highest == 0 ? 1 << precision - 1 : preset.highest
        guard highest >= 1, highest < 1 << precision, near >= 0, near <= min(255, highest / 2) else {
            throw .corrupt("JPEG-LS parameters that cannot be")
        }
        self.highest = highest
        self.near = near
        let defaults = Self.defaultThresholds(highest, near)
        let first = preset.thresholds.0 == 0 ? defaults.0 : preset.thresholds.0
        let second = preset.thresholds.1 == 0 ? defaults.1 : preset.thresholds.1
        let third = preset.thresholds.2 == 0 ? defaults.2 : preset.thresholds.2
        guard near < first, first <= second, second <= third, third <= highest else {
            throw .corrupt("JPEG-LS thresholds that cannot be")
        }
        thresholds = (first, second, third)
        reset = preset.reset == 0 ? 64 : preset.reset
        guard (3...max(255, highest)).contains(reset) else { throw .corrupt("JPEG-LS parameters that cannot be") }
        range = (highest + 2 * near) / (2 * near + 1) + 1
        escapeBits = Int.bitWidth - (range - 1).leadingZeroBitCount
        let bits = max(2, Int.bitWidth - highest.leadingZeroBitCount)
        limit = 2 * (bits + max(8, bits))
    }

    /// C.2.4.1.1
    private static func defaultThresholds(_ highest: Int, _ near: Int) -> (Int, Int, Int) {
        func clamp(_ value: Int, _ lowest: Int) -> Int { value > highest || value < lowest ? lowest : value }
        if highest >= 128 {
            let factor = (min(highest, 4095) + 128) / 256
            let first = clamp(factor + 2 + 3 * near, near + 1)
            let second = clamp(factor * 4 + 3 + 5 * near, first)
            return (first, second, clamp(factor * 17 + 4 + 7 * near, second))
        }
        let factor = 256 / (highest + 1)
        let first = clamp(max(2, 3 / factor + 3 * near), near + 1)
        let second = clamp(max(3, 7 / factor + 5 * near), first)
        return (first, second, clamp(max(4, 21 / factor + 7 * near), second))
    }

    /// Which of nine regions a difference of neighbours is in, by the difference plus `highest` (A.3.3).
    var regions: [Int8] {
        (-highest...highest).map { difference in
            let magnitude = abs(difference)
            let region: Int8 =
                magnitude <= near
                ? 0
                : magnitude < thresholds.0 ? 1 : magnitude < thresholds.1 ? 2 : magnitude < thresholds.2 ? 3 : 4
            return difference < 0 ? -region : region
        }
    }
}
