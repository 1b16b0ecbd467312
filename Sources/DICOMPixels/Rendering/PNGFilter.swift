/// Makes rows of samples ones that compress better (ISO/IEC 15948 9).
enum PNGFilter {
    /// The rows with the filter's number before each: whichever of Sub, Up and Paeth leaves the least sum of absolute
    /// differences (12.8).
    static func apply(to image: RenderedImage) -> [UInt8] {
        let stride = image.width * image.colorSpace.channels
        let pixel = image.colorSpace.channels
        let count = (stride + 1) * image.height
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let output = buffer.baseAddress else { return }
            output.initialize(repeating: 0, count: count)
            // Each row has `pixel` zeros to its left, the first one a row of zeros above.
            let padded = stride + pixel
            var rows = [UInt8](repeating: 0, count: 2 * padded)
            var trials = [UInt8](repeating: 0, count: 3 * stride)
            rows.withUnsafeMutableBufferPointer { rows in
                trials.withUnsafeMutableBufferPointer { trials in
                    guard let first = rows.baseAddress, let trials = trials.baseAddress else { return }
                    var (above, row) = (first, first + padded)
                    for index in 0..<image.height {
                        image.samples.withUnsafeBufferPointer {
                            guard let source = $0.baseAddress else { return }
                            (row + pixel).update(from: source + index * stride, count: stride)
                        }
                        filter(
                            row + pixel, above + pixel, pixel, stride, trials, output + index * (stride + 1))
                        swap(&above, &row)
                    }
                }
            }
            initialized = count
        }
    }

    private static func filter(
        _ row: UnsafeMutablePointer<UInt8>, _ above: UnsafeMutablePointer<UInt8>, _ pixel: Int, _ count: Int,
        _ trials: UnsafeMutablePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>
    ) {
        let (sub, up, paeth) = (trials, trials + count, trials + 2 * count)
        let left = row - pixel
        let corner = above - pixel
        for index in 0..<count { sub[index] = row[index] &- left[index] }
        for index in 0..<count { up[index] = row[index] &- above[index] }
        for index in 0..<count {
            paeth[index] = row[index] &- predictor(left[index], above[index], corner[index])
        }
        let sums = [sum(sub, count), sum(up, count), sum(paeth, count)]
        let best = sums[0] <= sums[1] && sums[0] <= sums[2] ? 0 : sums[1] <= sums[2] ? 1 : 2
        output[0] = best == 0 ? 1 : best == 1 ? 2 : 4
        (output + 1).update(from: trials + best * count, count: count)
    }

    /// Whichever of the three neighbours is nearest to left + above - corner, without branches.
    private static func predictor(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
        let toLeft = Int16(above) &- Int16(corner)
        let toAbove = Int16(left) &- Int16(corner)
        let toCorner = toLeft &+ toAbove
        let distances = (absolute(toLeft), absolute(toAbove), absolute(toCorner))
        let other = distances.1 <= distances.2 ? above : corner
        return distances.0 <= distances.1 && distances.0 <= distances.2 ? left : other
    }

    private static func absolute(_ value: Int16) -> Int16 { value < 0 ? 0 &- value : value }

    private static func sum(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> UInt32 {
        var sum: UInt32 = 0
        for index in 0..<count {
            let byte = bytes[index]
            sum &+= UInt32(byte < 128 ? byte : 0 &- byte)
        }
        return sum
    }
}
