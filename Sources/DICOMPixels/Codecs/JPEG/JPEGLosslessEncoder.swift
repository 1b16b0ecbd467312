/// Lossless JPEG with Huffman codes made for the frame (ITU-T T.81 H, K.2).
struct JPEGLosslessEncoder: FrameEncoder {
    /// 1 to 7 (H.1.2.1, table H.1); transfer syntax 1.2.840.10008.1.2.4.70 is 1.
    let predictor: Int

    func encode(_ frame: FrameBuffer) throws(CodecError) -> EncodedFrame {
        let shape = try frame.shapeToEncode()
        // One bit is less than the process has.
        let precision = max(2, SampleBits.precision(of: frame))
        let samples = try SampleBits.byPixel(frame)
        // 1. The differences, modulo 2^16, and how often each category comes.
        let differences = self.differences(samples, shape, precision)
        var counts = [Int](repeating: 0, count: 17)
        for difference in differences { counts[Self.category(difference)] += 1 }
        let codes = HuffmanCodes(counts: counts)
        // 2. The headers.
        var bytes: [UInt8] = [0xFF, UInt8(JPEGMarker.startOfImage)]
        bytes.reserveCapacity(samples.count / 2)
        bytes.append(segment: JPEGMarker.losslessFrame) {
            $0.append(UInt8(precision))
            $0.append(short: shape.rows)
            $0.append(short: shape.columns)
            $0.append(UInt8(shape.samples))
            for component in 1...shape.samples { $0 += [UInt8(component), 0x11, 0] }
        }
        bytes.append(segment: JPEGMarker.huffmanTables) {
            $0.append(0)
            $0 += codes.lengthCounts.map { UInt8($0) }
            $0 += codes.values
        }
        bytes.append(segment: JPEGMarker.startOfScan) {
            $0.append(UInt8(shape.samples))
            for component in 1...shape.samples { $0 += [UInt8(component), 0] }
            $0 += [UInt8(predictor), 0, 0]
        }
        // 3. The data.
        var writer = EntropyCodedWriter(bytes)
        for difference in differences {
            let category = Self.category(difference)
            let code = codes.codes[category]
            writer.append(code.bits, length: code.length)
            guard category > 0, category < 16 else { continue }
            writer.append(difference > 0 ? Int(difference) : Int(difference) + (1 << category) - 1, length: category)
        }
        bytes = writer.finish()
        bytes += [0xFF, UInt8(JPEGMarker.endOfImage)]
        return EncodedFrame(bytes: bytes, description: frame.description.decoded())
    }

    /// Of -32768 to 32767; -32768 is coded as 32768, which has no bits behind its category.
    @inline(__always)
    private static func category(_ difference: Int16) -> Int { 16 - difference.magnitude.leadingZeroBitCount }

    private func differences(_ bytes: [UInt8], _ shape: FrameShape, _ precision: Int) -> [Int16] {
        let mask: Int32 = 1 << precision - 1
        let step = shape.samples
        let length = shape.columns * step
        var row = [Int32](repeating: 0, count: length)
        var above = row
        var differences = [Int16](repeating: 0, count: shape.rows * length)
        bytes.withUnsafeBytes { bytes in
            for y in 0..<shape.rows {
                swap(&row, &above)
                if shape.sampleBytes == 1 {
                    for x in 0..<length { row[x] = Int32(bytes[y * length + x]) & mask }
                } else {
                    let source = bytes.assumingMemoryBound(to: UInt16.self)
                    for x in 0..<length { row[x] = Int32(UInt16(littleEndian: source[y * length + x])) & mask }
                }
                for x in 0..<length {
                    let prediction: Int32
                    if x < step {
                        prediction = y == 0 ? 1 << (precision - 1) : above[x]
                    } else if y == 0 {
                        prediction = row[x - step]
                    } else {
                        prediction = predict(row[x - step], above[x], above[x - step])
                    }
                    differences[y * length + x] = Int16(truncatingIfNeeded: row[x] - prediction)
                }
            }
        }
        return differences
    }

    @inline(__always)
    private func predict(_ left: Int32, _ above: Int32, _ corner: Int32) -> Int32 {
        switch predictor {
        case 1: left
        case 2: above
        case 3: corner
        case 4: left + above - corner
        case 5: left + (above - corner) >> 1
        case 6: above + (left - corner) >> 1
        default: (left + above) >> 1
        }
    }
}

/// The shortest codes for symbols that come so often, none longer than 16 bits and none of ones only (K.2).
struct HuffmanCodes {
    /// How many codes have 1, 2, ... 16 bits.
    private(set) var lengthCounts = [Int](repeating: 0, count: 16)
    /// Symbols by the length of their codes.
    private(set) var values: [UInt8] = []
    /// By symbol; of length 0 where it never comes.
    private(set) var codes: [(bits: Int, length: Int)]

    init(counts: [Int]) {
        codes = [(bits: Int, length: Int)](repeating: (0, 0), count: counts.count)
        // 1. One symbol more than there are takes the code of ones only. Merging the two rarest trees, again and again,
        //    gives each symbol its depth; at most 18 of them are at most 17 deep.
        var trees = counts.enumerated().filter { $0.element > 0 }.map { (count: $0.element, symbols: [$0.offset]) }
        trees.append((0, [counts.count]))
        var depths = [Int](repeating: 0, count: counts.count + 1)
        while trees.count > 1 {
            trees.sort { ($0.count, $0.symbols.count) > ($1.count, $1.symbols.count) }
            let first = trees.removeLast()
            let second = trees.removeLast()
            let symbols = first.symbols + second.symbols
            for symbol in symbols { depths[symbol] += 1 }
            trees.append((first.count + second.count, symbols))
        }
        var lengths = [Int](repeating: 0, count: 34)
        for depth in depths where depth > 0 { lengths[depth] += 1 }
        // 2. Codes that are too long: a pair moves up, and a shorter one makes room for its second half.
        for length in stride(from: 33, to: 16, by: -1) {
            while lengths[length] > 0 {
                var shorter = length - 2
                while lengths[shorter] == 0 { shorter -= 1 }
                lengths[length] -= 2
                lengths[length - 1] += 1
                lengths[shorter + 1] += 2
                lengths[shorter] -= 1
            }
        }
        // 3. The longest code goes to nobody.
        if let longest = lengths.lastIndex(where: { $0 > 0 }) { lengths[longest] -= 1 }
        lengthCounts = Array(lengths[1...16])
        // 4. More frequent symbols take shorter codes.
        let order = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$0], $1) > (counts[$1], $0) }
        values = order.map { UInt8($0) }
        var code = 0
        var place = 0
        for length in 1...16 {
            for _ in 0..<lengthCounts[length - 1] where place < order.count {
                codes[order[place]] = (code, length)
                code += 1
                place += 1
            }
            code <<= 1
        }
    }
}

/// Writes bits from their highest on, with a zero byte behind each FF (B.1.1.5).
private struct EntropyCodedWriter {
    private var bytes: [UInt8]
    private var bits: UInt64 = 0
    private var count = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    @inline(__always)
    mutating func append(_ value: Int, length: Int) {
        bits = bits << UInt64(truncatingIfNeeded: length) | UInt64(truncatingIfNeeded: value)
        count += length
        while count >= 8 {
            count -= 8
            let byte = UInt8(truncatingIfNeeded: bits >> UInt64(truncatingIfNeeded: count))
            bytes.append(byte)
            if byte == 0xFF { bytes.append(0) }
        }
    }

    /// The last byte is filled up with ones.
    mutating func finish() -> [UInt8] {
        if count > 0 { append(1 << (8 - count) - 1, length: 8 - count) }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(short value: Int) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    /// A marker and its segment, whose length is put in front.
    fileprivate mutating func append(segment marker: Int, _ fill: (inout [UInt8]) -> Void) {
        append(0xFF)
        append(UInt8(truncatingIfNeeded: marker))
        let start = count
        append(short: 0)
        fill(&self)
        let length = count - start
        self[start] = UInt8(truncatingIfNeeded: length >> 8)
        self[start + 1] = UInt8(truncatingIfNeeded: length)
    }
}
