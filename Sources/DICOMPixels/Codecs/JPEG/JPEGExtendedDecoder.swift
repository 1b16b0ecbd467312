/// Sequential JPEG of 12 bits with Huffman codes (ITU-T T.81 F), which common libraries leave out.
struct JPEGExtendedDecoder {
    private let header: JPEGHeader
    private let shape: FrameShape
    private let transform = InverseCosineTransform()

    init(_ header: JPEGHeader, _ shape: FrameShape) throws(CodecError) {
        guard !header.isSubsampled else { throw .unsupported("subsampled components of 12 bits") }
        guard shape.sampleBytes == 2 else { throw .unsupported("12 bits other than in 16 allocated") }
        self.header = header
        self.shape = shape
    }

    private var blocksPerRow: Int { (shape.columns + 7) / 8 }
    private var blockRows: Int { (shape.rows + 7) / 8 }

    /// Fills `output` by pixel with samples of 16 bits.
    mutating func decode(
        _ codestream: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        // A block takes two bits or more.
        guard blocksPerRow * blockRows * shape.samples / 4 <= codestream.count else { throw .truncated }
        // Spectral selection and approximation mean nothing in this process; some encoders write zeros.
        try JPEGScans.forEach(of: codestream, header) { (scan, scans, data) throws(CodecError) in
            try decode(scan, scans, data, into: output)
        }
    }

    private struct ComponentState {
        var index: Int
        var dc: HuffmanTable
        var ac: HuffmanTable
        var quantization: [Float]
        var lastDC = 0
    }

    private func decode(
        _ scan: JPEGScans.Scan, _ scans: JPEGScans, _ data: EntropyCodedData,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        var states: [ComponentState] = []
        for component in scan.components {
            let table = header.components[component.index].quantizationTable
            guard let dc = scans.dcTables[component.dc], let ac = scans.acTables[component.ac], table < 4,
                let quantization = scans.quantization[table]
            else { throw .corrupt("a scan without its tables") }
            states.append(
                ComponentState(index: component.index, dc: dc, ac: ac, quantization: quantization.map(Float.init)))
        }
        try data.bytes.withUnsafeBufferPointer { (bytes) throws(CodecError) in
            var bits = try BitReader(bytes, at: 0)
            var interval = 0
            var coefficients = [Float](repeating: 0, count: 64)
            for block in 0..<blocksPerRow * blockRows {
                if scans.restartInterval > 0, block > 0, block % scans.restartInterval == 0 {
                    guard interval + 1 < data.ends.count else { throw .truncated }
                    bits = try BitReader(bytes, at: data.ends[interval])
                    interval += 1
                    for index in states.indices { states[index].lastDC = 0 }
                }
                for index in states.indices {
                    try Self.decodeBlock(&bits, &states[index], into: &coefficients)
                    guard !bits.isBeyond(data.ends[interval]) else { throw .truncated }
                    store(transform.samples(of: coefficients), block, component: states[index].index, into: output)
                }
            }
        }
    }

    /// One block, dequantized and in the order of rows (F.2.2).
    private static func decodeBlock(
        _ bits: inout BitReader, _ state: inout ComponentState, into coefficients: inout [Float]
    ) throws(CodecError) {
        for index in coefficients.indices { coefficients[index] = 0 }
        let category = symbol(&bits, state.dc)
        guard category <= 15 else { throw .corrupt("a category that no coefficient has") }
        state.lastDC &+= HuffmanTable.difference(category, bits: bits.take(category))
        coefficients[0] = Float(state.lastDC) * state.quantization[0]
        var index = 1
        while index < 64 {
            let symbol = symbol(&bits, state.ac)
            let run = symbol >> 4
            let category = symbol & 15
            if category == 0 {
                guard run == 15 else { break }
                index += 16
                continue
            }
            index += run
            guard index < 64 else { throw .corrupt("a run of coefficients beyond the block") }
            let value = HuffmanTable.difference(category, bits: bits.take(category))
            coefficients[zigzag[index]] = Float(value) * state.quantization[index]
            index += 1
        }
    }

    private static func symbol(_ bits: inout BitReader, _ table: HuffmanTable) -> Int {
        bits.refill()
        let entry = table.symbols[bits.peek(HuffmanTable.lookupBits)]
        guard entry == 0 else {
            bits.consume(Int(entry & 0xFF))
            return Int(entry >> 8)
        }
        let (symbol, length) = table.longSymbol(bits.peek(16))
        bits.consume(length)
        return symbol
    }

    /// The part of a block that is inside of the image.
    private func store(
        _ samples: [Float], _ block: Int, component: Int, into output: UnsafeMutableRawBufferPointer
    ) {
        let target = output.assumingMemoryBound(to: UInt16.self)
        let top = block / blocksPerRow * 8
        let left = block % blocksPerRow * 8
        let middle = Float(1 << (header.precision - 1))
        let highest = Float(1 << header.precision - 1)
        for row in 0..<min(8, shape.rows - top) {
            for column in 0..<min(8, shape.columns - left) {
                let value = min(max(samples[row * 8 + column] + middle, 0), highest)
                let place = ((top + row) * shape.columns + left + column) * shape.samples + component
                target[place] = UInt16(value.rounded()).littleEndian
            }
        }
    }

    /// Where in the rows of a block each coefficient belongs (figure A.6).
    private static let zigzag: [Int] = {
        var order: [Int] = []
        for diagonal in 0..<15 {
            let rows = max(0, diagonal - 7)...min(7, diagonal)
            let upwards = rows.reversed().map { $0 * 8 + diagonal - $0 }
            order += diagonal % 2 == 0 ? upwards : upwards.reversed()
        }
        return order
    }()
}

/// The cosine transform back from coefficients to samples (A.3.3), as two products of matrices.
private struct InverseCosineTransform {
    /// Row `u` holds `C(u) / 2 * cos((2x + 1) u pi / 16)` for each x.
    private let basis: [SIMD8<Float>]

    init() {
        // cos(k pi / 16) for k of 0 to 8; the others follow from them.
        let cosines: [Float] = [
            1, 0.98078528040323044913, 0.92387953251128675613, 0.83146961230254523708, 0.70710678118654752440,
            0.55557023301960222474, 0.38268343236508977173, 0.19509032201612826785, 0,
        ]
        func cosine(_ angle: Int) -> Float {
            let folded = angle % 32 > 16 ? 32 - angle % 32 : angle % 32
            return folded > 8 ? -cosines[16 - folded] : cosines[folded]
        }
        basis = (0..<8).map { frequency in
            var row = SIMD8<Float>()
            for x in 0..<8 {
                row[x] = cosine((2 * x + 1) * frequency) / 2 * (frequency == 0 ? 0.70710678118654752440 : 1)
            }
            return row
        }
    }

    func samples(of coefficients: [Float]) -> [Float] {
        // 1. Rows of coefficients to columns of samples.
        var rows = [SIMD8<Float>](repeating: .zero, count: 8)
        for v in 0..<8 {
            for u in 0..<8 where coefficients[v * 8 + u] != 0 { rows[v] += coefficients[v * 8 + u] * basis[u] }
        }
        // 2. The same across rows.
        var samples = [Float](repeating: 0, count: 64)
        for y in 0..<8 {
            var row = SIMD8<Float>()
            for v in 0..<8 { row += basis[v][y] * rows[v] }
            for x in 0..<8 { samples[y * 8 + x] = row[x] }
        }
        return samples
    }
}
