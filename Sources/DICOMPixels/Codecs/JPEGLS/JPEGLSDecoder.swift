/// JPEG-LS, lossless and near-lossless (ITU-T T.87, PS3.5 A.4.3).
struct JPEGLSDecoder: FrameDecoder {
    func decode(
        _ codestream: UnsafeRawBufferPointer, as image: ImagePixelDescription, limits: CodecLimits
    ) throws(CodecError) -> FrameBuffer {
        let shape = try FrameShape(image, limits: limits)
        let header = try JPEGHeader(codestream)
        guard header.process == JPEGMarker.jpegLSFrame else { throw .unsupported("JPEG that is no JPEG-LS") }
        try shape.require(rows: header.height, columns: header.width, samples: header.components.count)
        try shape.require(precision: header.precision)
        guard !header.isSubsampled else { throw .unsupported("subsampled components in JPEG-LS") }
        guard shape.sampleBytes <= 2 else { throw .unsupported("JPEG-LS in 32 bits allocated") }
        // A line takes a bit or more.
        guard shape.rows / 8 <= codestream.count else { throw .truncated }
        let bytes = try makeBytes(shape.byteCount) { (output) throws(CodecError) in
            var frame = JPEGLSFrame(header, shape, output)
            try frame.decode(codestream)
            SampleBits.extend(
                output, sampleBytes: shape.sampleBytes, precision: header.precision, isSigned: image.isSigned)
        }
        return try FrameBuffer(decoded: bytes, image.decoded())
    }
}

/// The scans of one frame, and where their samples go.
private struct JPEGLSFrame {
    private let header: JPEGHeader
    private let shape: FrameShape
    private let output: UnsafeMutableRawBufferPointer
    private var preset = JPEGLSParameters.Preset()
    private var missing: Set<Int>

    init(_ header: JPEGHeader, _ shape: FrameShape, _ output: UnsafeMutableRawBufferPointer) {
        self.header = header
        self.shape = shape
        self.output = output
        missing = Set(header.components.indices)
    }

    mutating func decode(_ codestream: UnsafeRawBufferPointer) throws(CodecError) {
        var reader = CodestreamReader(codestream)
        while !missing.isEmpty {
            let marker = try reader.nextMarker()
            guard marker != JPEGMarker.endOfImage else { throw .corrupt("components without a scan") }
            guard !JPEGMarker.isAlone(marker) else { continue }
            let length = try reader.short()
            guard length >= 2 else { throw .corrupt("a segment without length") }
            var segment = try reader.slice(length - 2)
            switch marker {
            case JPEGMarker.jpegLSPreset: try readPreset(&segment)
            case JPEGMarker.restartInterval:
                guard try segment.short() == 0 else { throw .unsupported("restarts in JPEG-LS") }
            case JPEGMarker.app8 where segment.starts(with: "mrfx"):
                try segment.skip(4)
                guard try segment.byte() == 0 else { throw .unsupported("a colour transform in JPEG-LS") }
            case JPEGMarker.startOfScan:
                let end = Self.scanEnd(codestream, from: reader.offset)
                try decodeScan(&segment, UnsafeRawBufferPointer(rebasing: codestream[reader.offset..<end]))
                reader = CodestreamReader(codestream, at: end)
            default: break
            }
        }
    }

    /// Where the next marker is: a byte FF with one of 80 or more behind it.
    private static func scanEnd(_ codestream: UnsafeRawBufferPointer, from start: Int) -> Int {
        var offset = start
        while let place = codestream[offset...].firstIndex(of: 0xFF), place + 1 < codestream.count {
            if codestream[place + 1] >= 0x80 { return place }
            offset = place + 1
        }
        return codestream.count
    }

    /// LSE (C.2.4.1).
    private mutating func readPreset(_ segment: inout CodestreamReader) throws(CodecError) {
        guard try segment.byte() == 1 else { throw .unsupported("mapping tables in JPEG-LS") }
        preset.highest = try segment.short()
        preset.thresholds = (try segment.short(), try segment.short(), try segment.short())
        preset.reset = try segment.short()
    }

    private mutating func decodeScan(
        _ segment: inout CodestreamReader, _ data: UnsafeRawBufferPointer
    ) throws(CodecError) {
        let count = try segment.byte()
        guard (1...header.components.count).contains(count) else { throw .corrupt("a scan without components") }
        var components: [Int] = []
        for _ in 0..<count {
            let id = try segment.byte()
            guard try segment.byte() == 0 else { throw .unsupported("mapping tables in JPEG-LS") }
            guard
                let index = header.components.indices.first(where: {
                    header.components[$0].id == id && missing.contains($0)
                })
            else { throw .corrupt("a scan of a component that the frame has not") }
            missing.remove(index)
            components.append(index)
        }
        let near = try segment.byte()
        let interleaving = try segment.byte()
        guard try segment.byte() & 15 == 0 else { throw .unsupported("a point transform in JPEG-LS") }
        guard count == 1 || (1...2).contains(interleaving) else {
            throw .corrupt("components that do not take turns")
        }
        let parameters = try JPEGLSParameters(precision: header.precision, near: near, preset)
        var decoder = try JPEGLSScanDecoder(
            data.assumingMemoryBound(to: UInt8.self), width: shape.columns, parameters)
        var lines = [[Int32]](repeating: [Int32](repeating: 0, count: shape.columns + 2), count: count)
        var above = lines
        var runIndices = [Int](repeating: 0, count: count)
        for row in 0..<shape.rows {
            swap(&lines, &above)
            // What is left of a line is the first sample above it.
            for place in 0..<count { lines[place][0] = above[place][1] }
            if count > 1, interleaving == 2 {
                decoder.decodePixelLine(above, into: &lines, runIndex: &runIndices[0])
            } else {
                for place in 0..<count {
                    decoder.decodeLine(above[place], into: &lines[place], runIndex: &runIndices[place])
                }
            }
            guard !decoder.isBeyondEnd else { throw .truncated }
            guard !decoder.isDamaged else { throw .corrupt("codes that no encoder makes") }
            for place in 0..<count { store(lines[place], row, component: components[place]) }
        }
    }

    private func store(_ line: [Int32], _ row: Int, component: Int) {
        if shape.sampleBytes == 1 {
            store(line, row, component, as: UInt8.self)
        } else {
            store(line, row, component, as: UInt16.self)
        }
    }

    private func store<Sample: FixedWidthInteger>(_ line: [Int32], _ row: Int, _ component: Int, as: Sample.Type) {
        let target = output.assumingMemoryBound(to: Sample.self)
        let step = shape.samples
        let first = row * shape.columns * step + component
        line.withUnsafeBufferPointer { line in
            for column in 0..<shape.columns {
                target[first &+ column &* step] = Sample(truncatingIfNeeded: line[column &+ 1]).littleEndian
            }
        }
    }
}
