/// An image of at most 256 colours, each pixel an index of one.
struct IndexedImage {
    /// 1 to 256 colours as `0xRRGGBB`; all 256 grays in order for a gray image.
    let colors: [UInt32]
    let pixels: [UInt8]
    let isGray: Bool

    /// Takes an image, its colours reduced by median cut over five bits of each sample.
    init(_ image: RenderedImage) {
        isGray = image.colorSpace == .gray
        guard image.colorSpace == .rgb else {
            colors = (0..<256).map { $0 * 0x010101 }
            pixels = image.samples
            return
        }
        var cells = [Cell](repeating: Cell(), count: 1 << 15)
        let count = image.width * image.height
        image.samples.withUnsafeBufferPointer { samples in
            for pixel in 0..<count { cells[Self.cell(samples, pixel)].add(samples, pixel) }
        }
        let (palette, indices) = Self.cut(cells)
        colors = palette
        pixels = image.samples.withUnsafeBufferPointer { samples in
            (0..<count).map { indices[Self.cell(samples, $0)] }
        }
    }

    /// Pixels whose upper five bits agree.
    private struct Cell {
        var count = 0
        var sums = (0, 0, 0)

        mutating func add(_ samples: UnsafeBufferPointer<UInt8>, _ pixel: Int) {
            count += 1
            sums.0 += Int(samples[3 * pixel])
            sums.1 += Int(samples[3 * pixel + 1])
            sums.2 += Int(samples[3 * pixel + 2])
        }
    }

    private static func cell(_ samples: UnsafeBufferPointer<UInt8>, _ pixel: Int) -> Int {
        Int(samples[3 * pixel] >> 3) << 10 | Int(samples[3 * pixel + 1] >> 3) << 5 | Int(samples[3 * pixel + 2] >> 3)
    }

    /// Divides the cells that occur into boxes until there are 256: the box whose longest side times its pixels is
    /// greatest, at the median of that side.
    private static func cut(_ cells: [Cell]) -> (colors: [UInt32], indices: [UInt8]) {
        var boxes = [Box(cells.indices.filter { cells[$0].count > 0 }, cells)]
        while boxes.count < 256,
            let widest = boxes.indices.filter({ boxes[$0].members.count > 1 }).max(by: {
                boxes[$0].weight < boxes[$1].weight
            })
        {
            let (lower, upper) = boxes[widest].halves(cells)
            boxes[widest] = lower
            boxes.append(upper)
        }
        var indices = [UInt8](repeating: 0, count: cells.count)
        for (index, box) in boxes.enumerated() {
            for member in box.members { indices[member] = UInt8(index) }
        }
        return (boxes.map { $0.color(cells) }, indices)
    }

    private struct Box {
        let members: [Int]
        /// Bits below the component along which the box is longest.
        let shift: Int
        let weight: Int

        init(_ members: [Int], _ cells: [Cell]) {
            self.members = members
            var longest = (shift: 10, length: -1)
            for shift in [10, 5, 0] {
                let components = members.lazy.map { $0 >> shift & 31 }
                let length = (components.max() ?? 0) - (components.min() ?? 0)
                if length > longest.length { longest = (shift, length) }
            }
            shift = longest.shift
            weight = longest.length * members.reduce(0) { $0 + cells[$1].count }
        }

        /// Two boxes, each with at least one member.
        func halves(_ cells: [Cell]) -> (Box, Box) {
            let sorted = members.sorted { ($0 >> shift & 31, $0) < ($1 >> shift & 31, $1) }
            let half = members.reduce(0) { $0 + cells[$1].count } / 2
            var passed = 0
            var at = 0
            while at < sorted.count - 1, passed + cells[sorted[at]].count <= half || at == 0 {
                passed += cells[sorted[at]].count
                at += 1
            }
            return (Box(Array(sorted[..<at]), cells), Box(Array(sorted[at...]), cells))
        }

        /// The mean of the pixels.
        func color(_ cells: [Cell]) -> UInt32 {
            var (count, red, green, blue) = (0, 0, 0, 0)
            for member in members {
                count += cells[member].count
                red += cells[member].sums.0
                green += cells[member].sums.1
                blue += cells[member].sums.2
            }
            guard count > 0 else { return 0 }
            return UInt32(red / count) << 16 | UInt32(green / count) << 8 | UInt32(blue / count)
        }
    }
}
