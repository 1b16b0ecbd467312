/// Burns lines of text into an image: white with a dark edge, from the upper left corner (PS3.18 8.3.5.1.4).
enum TextBurning {
    /// What does not fit is cut off; an image too small for a line stays without.
    static func burn(_ lines: [String], into image: inout RenderedImage) {
        guard !lines.isEmpty else { return }
        var canvas = TextCanvas(image)
        // The canvas has them now, alone.
        image.samples = []
        var top = canvas.margin
        for line in lines.prefix(64) {
            guard top + canvas.lineHeight <= image.height else { break }
            canvas.write(line, top: top)
            top += canvas.lineHeight
        }
        image.samples = canvas.samples
    }
}

private struct TextCanvas {
    var samples: [UInt8]
    private let width: Int
    private let height: Int
    private let channels: Int
    /// Pixels of a dot.
    private let dot: Int

    init(_ image: RenderedImage) {
        samples = image.samples
        width = image.width
        height = image.height
        channels = image.colorSpace.channels
        // About 40 lines high, never smaller than the font is.
        dot = max(1, min(width, height) / 400)
    }

    var margin: Int { 3 * dot }
    var lineHeight: Int { (BitmapFont.glyphHeight + 3) * dot }

    mutating func write(_ line: String, top: Int) {
        // The edge of all letters first: it must not run into the letter before.
        for pass in [Pass.edge, .letter] {
            var left = margin
            for character in line {
                guard left < width else { break }
                write(BitmapFont.rows(of: character), left: left, top: top, pass)
                left += (BitmapFont.glyphWidth + 1) * dot
            }
        }
    }

    private enum Pass { case edge, letter }

    private mutating func write(_ rows: ArraySlice<UInt8>, left: Int, top: Int, _ pass: Pass) {
        for (row, bits) in rows.enumerated() {
            for column in 0..<BitmapFont.glyphWidth where bits >> UInt8(BitmapFont.glyphWidth - 1 - column) & 1 != 0 {
                let (x, y) = (left + column * dot, top + row * dot)
                switch pass {
                case .edge: fill(x - dot..<x + 2 * dot, y - dot..<y + 2 * dot, 0)
                case .letter: fill(x..<x + dot, y..<y + dot, 255)
                }
            }
        }
    }

    private mutating func fill(_ columns: Range<Int>, _ rows: Range<Int>, _ gray: UInt8) {
        let columns = columns.clamped(to: 0..<width)
        for row in rows.clamped(to: 0..<height) {
            for index in (row * width + columns.lowerBound) * channels..<(row * width + columns.upperBound) * channels {
                samples[index] = gray
            }
        }
    }
}
