/// Brings a region of a frame to its size, row by row: the frame is never there as a whole in eight bits unless the
/// result is as large.
struct ImageScaling {
    let source: FrameRows
    let geometry: RegionGeometry

    private var channels: Int { source.colorSpace.channels }
    private var outputRowBytes: Int { geometry.width * channels }

    /// The pixels of the result.
    func samples() -> [UInt8] {
        let count = geometry.height * outputRowBytes
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let output = buffer.baseAddress else { return }
            let (across, down) = geometry.step
            if geometry.isOneToOne {
                copy(into: output)
            } else if across >= 1 || down >= 1 {
                average(into: output)
            } else {
                interpolate(into: output)
            }
            initialized = count
        }
    }

    /// Where a row of the result goes. It is made zero right before it is written, while it is at hand.
    private func outputRow(_ row: Int, of output: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let pixels = output + (geometry.mirrorsVertically ? geometry.height - 1 - row : row) * outputRowBytes
        pixels.initialize(repeating: 0, count: outputRowBytes)
        return pixels
    }

    /// Turns a finished row around where the result is mirrored.
    private func mirror(_ row: UnsafeMutablePointer<UInt8>) {
        guard geometry.mirrorsHorizontally else { return }
        var (left, right) = (0, geometry.width - 1)
        while left < right {
            for channel in 0..<channels {
                let swapped = row[left * channels + channel]
                row[left * channels + channel] = row[right * channels + channel]
                row[right * channels + channel] = swapped
            }
            left += 1
            right -= 1
        }
    }

    // MARK: - Same size

    private func copy(into output: UnsafeMutablePointer<UInt8>) {
        for row in 0..<geometry.height { copy(row, into: outputRow(row, of: output)) }
    }

    /// Writes a row of a result that is one to one, not turned upside down.
    func copy(_ row: Int, into pixels: UnsafeMutablePointer<UInt8>) {
        let firstColumn = Int(geometry.columns.lowerBound)
        source.render(
            row: Int(geometry.rows.lowerBound) + row, columns: firstColumn..<firstColumn + geometry.width, into: pixels)
        mirror(pixels)
    }

    // MARK: - Smaller

    /// What a pixel of the result covers in one direction: whole pixels of the image, those at the ends with a weight
    /// in 256ths.
    private struct Cover {
        let first: Int
        let last: Int
        let firstWeight: UInt32
        let lastWeight: UInt32

        init(_ index: Int, from start: Double, step: Double, extent: Int) {
            let lower = start + Double(index) * step
            let upper = lower + step
            let first = max(0, min(Int(lower), extent - 1))
            let last = max(first, min(Int(upper.rounded(.up)) - 1, extent - 1))
            self.first = first
            self.last = last
            func weight(_ part: Double) -> UInt32 { UInt32(max(1, min(256, (part * 256).rounded()))) }
            firstWeight = weight(first == last ? 1 : Double(first + 1) - lower)
            lastWeight = first == last ? 0 : weight(upper - Double(last))
        }

        var total: UInt64 { UInt64(firstWeight) + UInt64(lastWeight) + UInt64(max(0, last - first - 1)) * 256 }
    }

    /// Each pixel is the mean of the area that it covers: rows are summed first, columns once for each row of the
    /// result.
    private func average(into output: UnsafeMutablePointer<UInt8>) {
        let (across, down) = geometry.step
        let columns = (0..<geometry.width).map {
            Cover($0, from: geometry.columns.lowerBound, step: across, extent: source.description.columns)
        }
        let firstColumn = columns.first?.first ?? 0
        let used = firstColumn..<(columns.last?.last ?? 0) + 1
        let width = used.count * channels
        // 65536 rows of 256 x 255 is less than 2^32.
        var sums = [UInt32](repeating: 0, count: width)
        var line = [UInt8](repeating: 0, count: width)
        var rendered = -1
        for row in 0..<geometry.height {
            let cover = Cover(row, from: geometry.rows.lowerBound, step: down, extent: source.description.rows)
            sums.withUnsafeMutableBufferPointer { sums in
                line.withUnsafeMutableBufferPointer { line in
                    guard let base = line.baseAddress else { return }
                    sums.update(repeating: 0)
                    for sourceRow in cover.first...cover.last {
                        if rendered != sourceRow { source.render(row: sourceRow, columns: used, into: base) }
                        rendered = sourceRow
                        if sourceRow == cover.first {
                            add(line, to: sums, weight: cover.firstWeight)
                        } else if sourceRow == cover.last {
                            add(line, to: sums, weight: cover.lastWeight)
                        } else {
                            for index in 0..<width { sums[index] &+= UInt32(line[index]) &<< 8 }
                        }
                    }
                    let pixels = outputRow(row, of: output)
                    narrow(sums, columns, firstColumn: firstColumn, rowWeight: cover.total, into: pixels)
                    mirror(pixels)
                }
            }
        }
    }

    private func add(
        _ line: UnsafeMutableBufferPointer<UInt8>, to sums: UnsafeMutableBufferPointer<UInt32>, weight: UInt32
    ) {
        for index in 0..<sums.count { sums[index] &+= UInt32(line[index]) &* weight }
    }

    private func narrow(
        _ sums: UnsafeMutableBufferPointer<UInt32>, _ columns: [Cover], firstColumn: Int, rowWeight: UInt64,
        into output: UnsafeMutablePointer<UInt8>
    ) {
        for (index, cover) in columns.enumerated() {
            let divisor = cover.total &* rowWeight
            for channel in 0..<channels {
                func sum(_ column: Int) -> UInt64 { UInt64(sums[(column - firstColumn) * channels + channel]) }
                var total = sum(cover.first) &* UInt64(cover.firstWeight)
                if cover.last > cover.first {
                    var inner: UInt64 = 0
                    for column in cover.first + 1..<cover.last { inner &+= sum(column) }
                    total &+= inner &* 256 &+ sum(cover.last) &* UInt64(cover.lastWeight)
                }
                output[index * channels + channel] = UInt8(
                    truncatingIfNeeded: min(255, (total &+ divisor / 2) / max(1, divisor)))
            }
        }
    }

    // MARK: - Larger

    /// Where a pixel of the result lies between two of the image, in 256ths.
    private struct Between {
        let lower: Int
        let upper: Int
        let fraction: Int32

        init(_ index: Int, from start: Double, step: Double, extent: Int) {
            let position = max(0, min(start + (Double(index) + 0.5) * step - 0.5, Double(extent - 1)))
            lower = Int(position)
            upper = min(lower + 1, extent - 1)
            fraction = Int32(((position - Double(lower)) * 256).rounded())
        }
    }

    /// Bilinear, centres of pixels on centres of pixels.
    private func interpolate(into output: UnsafeMutablePointer<UInt8>) {
        let (across, down) = geometry.step
        let columns = (0..<geometry.width).map {
            Between($0, from: geometry.columns.lowerBound, step: across, extent: source.description.columns)
        }
        let firstColumn = columns.first?.lower ?? 0
        let used = firstColumn..<(columns.last?.upper ?? 0) + 1
        // Two rows of the image, stretched to the width of the result, in 256ths.
        var upper = [Int32](repeating: 0, count: outputRowBytes)
        var lower = upper
        var line = [UInt8](repeating: 0, count: used.count * channels)
        var (upperRow, lowerRow) = (-1, -1)
        func stretch(_ row: Int, into stretched: inout [Int32]) {
            line.withUnsafeMutableBufferPointer { line in
                guard let base = line.baseAddress else { return }
                source.render(row: row, columns: used, into: base)
                for (index, between) in columns.enumerated() {
                    for channel in 0..<channels {
                        let left = Int32(line[(between.lower - firstColumn) * channels + channel])
                        let right = Int32(line[(between.upper - firstColumn) * channels + channel])
                        stretched[index * channels + channel] = left &* 256 &+ (right &- left) &* between.fraction
                    }
                }
            }
        }
        for row in 0..<geometry.height {
            let between = Between(row, from: geometry.rows.lowerBound, step: down, extent: source.description.rows)
            if between.lower != upperRow {
                if between.lower == lowerRow { swap(&upper, &lower) } else { stretch(between.lower, into: &upper) }
                if between.lower == lowerRow { lowerRow = upperRow }
                upperRow = between.lower
            }
            if between.upper != lowerRow {
                stretch(between.upper, into: &lower)
                lowerRow = between.upper
            }
            let pixels = outputRow(row, of: output)
            for index in 0..<outputRowBytes {
                let value = upper[index] &* 256 &+ (lower[index] &- upper[index]) &* between.fraction
                pixels[index] = UInt8(truncatingIfNeeded: (value &+ 32768) &>> 16)
            }
            mirror(pixels)
        }
    }
}
