/// Walks through the segments of a JPEG codestream and keeps the tables that scans refer to (ITU-T T.81 B.2).
struct JPEGScans {
    /// One scan: which components it has, its parameters, and where its data is.
    struct Scan {
        /// Places among the components of the frame, with the numbers of their tables.
        var components: [(index: Int, dc: Int, ac: Int)] = []
        /// Ss: of lossless scans, the predictor.
        var spectralStart = 0
        /// Se
        var spectralEnd = 0
        /// Al: of lossless scans, the point transform.
        var lowBit = 0
        /// Ah
        var highBit = 0
        var dataOffset = 0
    }

    private let header: JPEGHeader
    private var reader: CodestreamReader
    private(set) var dcTables = [HuffmanTable?](repeating: nil, count: 4)
    private(set) var acTables = [HuffmanTable?](repeating: nil, count: 4)
    /// In zigzag order.
    private(set) var quantization = [[Int]?](repeating: nil, count: 4)
    /// In units of the scan; 0 for none.
    private(set) var restartInterval = 0

    private init(_ codestream: UnsafeRawBufferPointer, _ header: JPEGHeader) {
        reader = CodestreamReader(codestream)
        self.header = header
    }

    /// Shows the scans of a sequential image until every component has had its one, with the tables that hold for each.
    static func forEach(
        of codestream: UnsafeRawBufferPointer, _ header: JPEGHeader,
        _ body: (Scan, JPEGScans, EntropyCodedData) throws(CodecError) -> Void
    ) throws(CodecError) {
        var scans = JPEGScans(codestream, header)
        var missing = Set(header.components.indices)
        while !missing.isEmpty {
            guard let scan = try scans.next() else { throw .corrupt("components without a scan") }
            guard missing.isSuperset(of: scan.components.map(\.index)) else { throw .corrupt("a component twice") }
            missing.subtract(scan.components.map(\.index))
            let data = EntropyCodedData(codestream, from: scan.dataOffset)
            scans.skip(to: data.endOffset)
            try body(scan, scans, data)
        }
    }

    /// Goes on behind the data of a scan.
    private mutating func skip(to offset: Int) { reader = CodestreamReader(reader.bytes, at: offset) }

    /// The next scan; `nil` at the end of the image.
    private mutating func next() throws(CodecError) -> Scan? {
        while true {
            let marker = try reader.nextMarker()
            if marker == JPEGMarker.endOfImage { return nil }
            guard !JPEGMarker.isAlone(marker) else { continue }
            let length = try reader.short()
            guard length >= 2 else { throw .corrupt("a segment without length") }
            var segment = try reader.slice(length - 2)
            switch marker {
            case JPEGMarker.huffmanTables:
                while segment.remaining > 0 { try readHuffmanTable(&segment) }
            case JPEGMarker.quantizationTables:
                while segment.remaining > 0 { try readQuantization(&segment) }
            case JPEGMarker.restartInterval: restartInterval = try segment.short()
            case JPEGMarker.startOfScan: return try readScan(&segment)
            default: break
            }
        }
    }

    private mutating func readHuffmanTable(_ segment: inout CodestreamReader) throws(CodecError) {
        let target = try segment.byte()
        guard target & 15 < 4, target >> 4 < 2 else { throw .corrupt("a Huffman table that no component has") }
        let table = try HuffmanTable(&segment)
        if target >> 4 == 0 { dcTables[target & 15] = table } else { acTables[target & 15] = table }
    }

    private mutating func readQuantization(_ segment: inout CodestreamReader) throws(CodecError) {
        let target = try segment.byte()
        guard target & 15 < 4, target >> 4 < 2 else { throw .corrupt("a quantization table that no component has") }
        var table: [Int] = []
        for _ in 0..<64 { table.append(target >> 4 == 0 ? try segment.byte() : try segment.short()) }
        quantization[target & 15] = table
    }

    private func readScan(_ segment: inout CodestreamReader) throws(CodecError) -> Scan {
        var scan = Scan()
        let count = try segment.byte()
        guard (1...header.components.count).contains(count) else { throw .corrupt("a scan without components") }
        for _ in 0..<count {
            let id = try segment.byte()
            let tables = try segment.byte()
            guard let index = header.components.firstIndex(where: { $0.id == id }),
                !scan.components.contains(where: { $0.index == index })
            else { throw .corrupt("a scan of a component that the frame has not") }
            guard tables >> 4 < 4, tables & 15 < 4 else { throw .corrupt("a Huffman table that cannot be") }
            scan.components.append((index, tables >> 4, tables & 15))
        }
        scan.spectralStart = try segment.byte()
        scan.spectralEnd = try segment.byte()
        let approximation = try segment.byte()
        scan.highBit = approximation >> 4
        scan.lowBit = approximation & 15
        scan.dataOffset = reader.offset
        return scan
    }
}
