/// Lossless JPEG with Huffman codes, 2 to 16 bits, every predictor (ITU-T T.81 H).
///
/// Rows of differences are decoded first and predicted then, so that both loops are short.
struct JPEGLosslessDecoder {
    private let header: JPEGHeader
    private let shape: FrameShape

    init(_ header: JPEGHeader, _ shape: FrameShape) throws(CodecError) {
        guard !header.isSubsampled else { throw .unsupported("subsampled components in lossless JPEG") }
        guard shape.sampleBytes <= 2 else { throw .unsupported("lossless JPEG in 32 bits allocated") }
        self.header = header
        self.shape = shape
    }

    /// Fills `output` by pixel with samples of `shape`; bits above the precision are not set.
    mutating func decode(
        _ codestream: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        try JPEGScans.forEach(of: codestream, header) { (scan, scans, data) throws(CodecError) in
            try decode(scan, scans, data, into: output)
        }
    }

    private func decode(
        _ scan: JPEGScans.Scan, _ scans: JPEGScans, _ data: EntropyCodedData,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        var tables: [HuffmanTable] = []
        for component in scan.components {
            guard let table = scans.dcTables[component.dc] else { throw .corrupt("a scan without its Huffman table") }
            tables.append(table)
        }
        guard (1...7).contains(scan.spectralStart) else { throw .unsupported("predictor \(scan.spectralStart)") }
        guard scan.lowBit < header.precision else { throw .corrupt("a point transform of all bits") }
        let interval = scans.restartInterval
        guard interval % shape.columns == 0 else { throw .unsupported("restarts inside of a row") }
        let rowsPerInterval = interval == 0 ? shape.rows : interval / shape.columns

        let count = scan.components.count
        let lookups = count == 1 ? [] : tables.flatMap(\.differences)
        var rows = PredictedRows(
            samplesPerRow: shape.columns * count, components: count, predictor: scan.spectralStart,
            start: 1 << (header.precision - scan.lowBit - 1))
        try data.bytes.withUnsafeBufferPointer { (bytes) throws(CodecError) in
            var bits = try BitReader(bytes, at: 0)
            var interval = 0
            for row in 0..<shape.rows {
                let isFirst = row % rowsPerInterval == 0
                if isFirst, row > 0 {
                    guard interval + 1 < data.ends.count else { throw .truncated }
                    bits = try BitReader(bytes, at: data.ends[interval])
                    interval += 1
                }
                if count == 1 {
                    rows.decode(&bits, tables[0])
                } else {
                    rows.decode(&bits, tables, lookups)
                }
                guard !bits.isBeyond(data.ends[interval]) else { throw .truncated }
                rows.predict(isFirst: isFirst)
                store(rows.row, scan, row, into: output)
            }
        }
    }

    /// A row of some components goes to its place among all of them.
    private func store(
        _ values: [UInt16], _ scan: JPEGScans.Scan, _ row: Int, into output: UnsafeMutableRawBufferPointer
    ) {
        let length = shape.columns * shape.samples
        let shift = UInt16(truncatingIfNeeded: scan.lowBit)
        let isWhole = scan.components.count == shape.samples
        values.withUnsafeBufferPointer { values in
            if shape.sampleBytes == 1 {
                let target = output.assumingMemoryBound(to: UInt8.self)
                guard isWhole else {
                    return scatter(
                        values, scan, UnsafeMutableBufferPointer(rebasing: target[row * length..<(row + 1) * length])
                    ) {
                        UInt8(truncatingIfNeeded: $0 &<< shift)
                    }
                }
                for index in 0..<length {
                    target[row &* length &+ index] = UInt8(truncatingIfNeeded: values[index] &<< shift)
                }
            } else {
                let target = output.assumingMemoryBound(to: UInt16.self)
                guard isWhole else {
                    return scatter(
                        values, scan, UnsafeMutableBufferPointer(rebasing: target[row * length..<(row + 1) * length])
                    ) {
                        ($0 &<< shift).littleEndian
                    }
                }
                for index in 0..<length { target[row &* length &+ index] = (values[index] &<< shift).littleEndian }
            }
        }
    }

    private func scatter<Sample>(
        _ values: UnsafeBufferPointer<UInt16>, _ scan: JPEGScans.Scan, _ row: UnsafeMutableBufferPointer<Sample>,
        _ sample: (UInt16) -> Sample
    ) {
        let count = scan.components.count
        for (place, component) in scan.components.enumerated() {
            for column in 0..<shape.columns {
                row[column * shape.samples + component.index] = sample(values[column * count + place])
            }
        }
    }
}

/// The row that is being decoded and the one above it.
private struct PredictedRows {
    private let components: Int
    private let predictor: Int
    /// What the first sample is predicted from.
    private let start: Int
    private var differences: [Int32]
    private(set) var row: [UInt16]
    private var above: [UInt16]

    init(samplesPerRow: Int, components: Int, predictor: Int, start: Int) {
        self.components = components
        self.predictor = predictor
        self.start = start
        differences = [Int32](repeating: 0, count: samplesPerRow)
        row = [UInt16](repeating: 0, count: samplesPerRow)
        above = row
    }

    /// A row of one component.
    mutating func decode(_ bits: inout BitReader, _ table: HuffmanTable) {
        var reader = bits
        differences.withUnsafeMutableBufferPointer { differences in
            table.differences.withUnsafeBufferPointer { lookup in
                for index in differences.indices {
                    reader.refill()
                    differences[index] = Self.difference(&reader, lookup, table)
                }
            }
        }
        bits = reader
    }

    /// A row of components that take turns.
    ///
    /// - Parameter lookups: the look-up tables of all components, one behind the other.
    mutating func decode(_ bits: inout BitReader, _ tables: [HuffmanTable], _ lookups: [Int32]) {
        var reader = bits
        let step = components
        differences.withUnsafeMutableBufferPointer { differences in
            lookups.withUnsafeBufferPointer { lookups in
                for pixel in 0..<differences.count / step {
                    for place in 0..<step {
                        reader.refill()
                        let lookup = UnsafeBufferPointer(
                            rebasing: lookups[place << HuffmanTable.lookupBits..<(place + 1) << HuffmanTable.lookupBits]
                        )
                        differences[pixel &* step &+ place] = Self.difference(&reader, lookup, tables[place])
                    }
                }
            }
        }
        bits = reader
    }

    /// 16 bits of code and 16 of difference are available.
    @inline(__always)
    private static func difference(
        _ bits: inout BitReader, _ lookup: UnsafeBufferPointer<Int32>, _ table: HuffmanTable
    ) -> Int32 {
        let entry = lookup[bits.peek(HuffmanTable.lookupBits)]
        if entry != 0 {
            bits.consume(Int(entry & 0xFF))
            return entry >> 8
        }
        return longDifference(&bits, table)
    }

    @inline(never)
    private static func longDifference(_ bits: inout BitReader, _ table: HuffmanTable) -> Int32 {
        let entry = table.symbols[bits.peek(HuffmanTable.lookupBits)]
        var category = Int(entry >> 8)
        var length = Int(entry & 0xFF)
        if length == 0 { (category, length) = table.longSymbol(bits.peek(16)) }
        bits.consume(length)
        // No such category: zeros follow until the end is found to be passed, or the image is wrong.
        guard category <= 16 else { return 0 }
        let extra = category == 16 ? 0 : category
        return Int32(truncatingIfNeeded: HuffmanTable.difference(category, bits: bits.take(extra)))
    }

    /// Adds the prediction (H.1.2.1, table H.1); all arithmetic is modulo 2^16.
    mutating func predict(isFirst: Bool) {
        swap(&row, &above)
        let step = components
        differences.withUnsafeBufferPointer { differences in
            above.withUnsafeBufferPointer { above in
                row.withUnsafeMutableBufferPointer { row in
                    for index in 0..<step {
                        let prediction = isFirst ? Int32(start) : Int32(above[index])
                        row[index] = UInt16(truncatingIfNeeded: prediction &+ differences[index])
                    }
                    switch isFirst ? 1 : predictor {
                    case 1:
                        Self.predict(differences, above, row, step) { left, _, _ in left }
                    case 2: Self.predict(differences, above, row, step) { _, above, _ in above }
                    case 3: Self.predict(differences, above, row, step) { _, _, corner in corner }
                    case 4: Self.predict(differences, above, row, step) { $0 &+ $1 &- $2 }
                    case 5: Self.predict(differences, above, row, step) { $0 &+ (($1 &- $2) >> 1) }
                    case 6: Self.predict(differences, above, row, step) { $1 &+ (($0 &- $2) >> 1) }
                    default: Self.predict(differences, above, row, step) { left, above, _ in (left &+ above) >> 1 }
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func predict(
        _ differences: UnsafeBufferPointer<Int32>, _ above: UnsafeBufferPointer<UInt16>,
        _ row: UnsafeMutableBufferPointer<UInt16>, _ step: Int, _ prediction: (Int32, Int32, Int32) -> Int32
    ) {
        if step == 1 {
            var left = Int32(row[0])
            var corner = Int32(above[0])
            for index in 1..<max(row.count, 1) {
                let up = Int32(above[index])
                let value = (prediction(left, up, corner) &+ differences[index]) & 0xFFFF
                row[index] = UInt16(truncatingIfNeeded: value)
                left = value
                corner = up
            }
            return
        }
        var index = step
        while index < row.count {
            let value = prediction(Int32(row[index &- step]), Int32(above[index]), Int32(above[index &- step]))
            row[index] = UInt16(truncatingIfNeeded: value &+ differences[index])
            index &+= 1
        }
    }
}
