/// A picture that stands for what is no image: a dark tile with round corners and a few letters.
public enum KindIcon {
    /// The lengths of a side that there are.
    public static let sides = 16...256

    private static let ground: UInt8 = 0xFF
    private static let tile: UInt8 = 0x46
    private static let ink: UInt8 = 0xF0

    /// - Parameters:
    ///   - letters: four of them at most; what is more is left out.
    ///   - side: brought into `sides`.
    public static func image(_ letters: String, side: Int) -> RenderedImage {
        let side = min(max(side, sides.lowerBound), sides.upperBound)
        var samples = [UInt8](repeating: ground, count: side * side)
        let corner = side / 6
        for row in 0..<side {
            for column in 0..<side where isInside(column, row, side: side, corner: corner) {
                samples[row * side + column] = tile
            }
        }
        let text = letters.prefix(4)
        let dots = text.count * (BitmapFont.glyphWidth + 1) - 1
        guard dots > 0 else { return RenderedImage(known: side, side, .gray, samples) }
        // Letters keep clear of the edge, and are no larger than three of them would be.
        let dot = max(1, min(side * 3 / 4 / dots, side / 24))
        let top = (side - BitmapFont.glyphHeight * dot) / 2
        var left = (side - dots * dot) / 2
        for letter in text {
            for (row, bits) in BitmapFont.rows(of: letter).enumerated() {
                for column in 0..<BitmapFont.glyphWidth where bits >> UInt8(BitmapFont.glyphWidth - 1 - column) & 1 != 0
                {
                    fill(&samples, side, left + column * dot, top + row * dot, dot)
                }
            }
            left += (BitmapFont.glyphWidth + 1) * dot
        }
        return RenderedImage(known: side, side, .gray, samples)
    }

    private static func fill(_ samples: inout [UInt8], _ side: Int, _ left: Int, _ top: Int, _ dot: Int) {
        for row in (top..<top + dot).clamped(to: 0..<side) {
            for column in (left..<left + dot).clamped(to: 0..<side) { samples[row * side + column] = ink }
        }
    }

    /// Whether a pixel belongs to the tile: in a corner, what is within its circle.
    private static func isInside(_ column: Int, _ row: Int, side: Int, corner: Int) -> Bool {
        let x = max(corner - column, column - (side - 1 - corner), 0)
        let y = max(corner - row, row - (side - 1 - corner), 0)
        return x * x + y * y <= corner * corner
    }
}
