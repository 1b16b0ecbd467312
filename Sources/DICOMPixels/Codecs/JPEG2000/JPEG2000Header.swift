/// What a JPEG 2000 codestream says about the image, and how much its decoder would have to build
/// (ITU-T T.800 A, T.814).
struct JPEG2000Header {
    private enum Marker {
        static let startOfCodestream = 0xFF4F
        static let size = 0xFF51
        static let codingStyle = 0xFF52
        static let componentCodingStyle = 0xFF53
        static let startOfTilePart = 0xFF90
        static let startOfData = 0xFF93
        static let endOfCodestream = 0xFFD9
    }

    /// The codestream itself, without the boxes of JP2.
    let codestream: UnsafeRawBufferPointer
    private(set) var width = 0
    private(set) var height = 0
    private(set) var components = 0
    /// Of all components.
    private(set) var precision = 0
    private(set) var isSigned = false
    /// Whether the first coding style says that the first three components are transformed together (A.6.1).
    private(set) var usesColourTransform = false
    private var tileWidth = 0
    private var tileHeight = 0
    private var tiles = 0
    private var layers = 1

    /// Nobody makes more tiles, packets or precincts of a frame than this; a decoder takes memory for each of them.
    private static let maximumTiles = 4096
    private static let maximumPackets = 1 << 24

    /// - Parameter shape: what the data set says; another size is refused before anything is counted.
    init(_ bytes: UnsafeRawBufferPointer, _ shape: FrameShape) throws(CodecError) {
        codestream = try Self.codestream(in: bytes)
        var reader = CodestreamReader(codestream)
        guard try reader.short() == Marker.startOfCodestream else { throw .corrupt("no JPEG 2000 codestream") }
        guard try reader.short() == Marker.size else { throw .corrupt("no image size") }
        var segment = try Self.segment(&reader)
        try readSize(&segment, shape)
        try readCodingStyles(&reader)
    }

    /// The content of the box `jp2c` where the bytes are a JP2 file (I.4).
    private static func codestream(in bytes: UnsafeRawBufferPointer) throws(CodecError) -> UnsafeRawBufferPointer {
        var reader = CodestreamReader(bytes)
        guard bytes.count >= 12, try reader.long() == 12, try reader.long() == 0x6A50_2020 else { return bytes }
        reader = CodestreamReader(bytes)
        while true {
            let start = reader.offset
            var length = try reader.long()
            let type = try reader.long()
            if length == 1 {
                guard try reader.long() == 0 else { throw .truncated }
                length = try reader.long()
            }
            let headerLength = reader.offset - start
            if type == 0x6A70_3263 {
                let end = length == 0 ? bytes.count : min(start + length, bytes.count)
                guard end > reader.offset else { throw .truncated }
                return UnsafeRawBufferPointer(rebasing: bytes[reader.offset..<end])
            }
            guard length >= headerLength else { throw .corrupt("a box without length") }
            try reader.skip(length - headerLength)
        }
    }

    private static func segment(_ reader: inout CodestreamReader) throws(CodecError) -> CodestreamReader {
        let length = try reader.short()
        guard length >= 2 else { throw .corrupt("a segment without length") }
        return try reader.slice(length - 2)
    }

    /// SIZ (A.5.1).
    private mutating func readSize(_ segment: inout CodestreamReader, _ shape: FrameShape) throws(CodecError) {
        try segment.skip(2)
        let right = try segment.long()
        let bottom = try segment.long()
        let left = try segment.long()
        let top = try segment.long()
        tileWidth = try segment.long()
        tileHeight = try segment.long()
        let tileLeft = try segment.long()
        let tileTop = try segment.long()
        components = try segment.short()
        guard left < right, top < bottom, tileWidth > 0, tileHeight > 0, tileLeft <= left, tileTop <= top,
            tileLeft + tileWidth > left, tileTop + tileHeight > top, components > 0
        else { throw .corrupt("a size that no image has") }
        width = right - left
        height = bottom - top
        try shape.require(rows: height, columns: width, samples: components)
        let across = (right - tileLeft + tileWidth - 1) / tileWidth
        let down = (bottom - tileTop + tileHeight - 1) / tileHeight
        guard across <= Self.maximumTiles, down <= Self.maximumTiles, across * down <= Self.maximumTiles else {
            throw .unsupported("more than \(Self.maximumTiles) tiles")
        }
        tiles = across * down
        for component in 0..<components {
            let depth = try segment.byte()
            guard try segment.byte() == 1, try segment.byte() == 1 else {
                throw .unsupported("subsampled components in JPEG 2000")
            }
            guard component > 0 else {
                precision = depth & 0x7F + 1
                isSigned = depth & 0x80 != 0
                continue
            }
            guard precision == depth & 0x7F + 1, isSigned == (depth & 0x80 != 0) else {
                throw .unsupported("components of different kinds")
            }
        }
    }

    /// COD and COC of the main header and of tile-parts: they decide how many parts a tile has.
    private mutating func readCodingStyles(_ reader: inout CodestreamReader) throws(CodecError) {
        var isFirst = true
        var tilePartEnd: Int?
        while reader.remaining >= 2 {
            let start = reader.offset
            let marker = try reader.short()
            switch marker {
            case Marker.endOfCodestream: return
            case Marker.startOfData:
                guard let end = tilePartEnd, end > start else { return }
                reader = CodestreamReader(codestream, at: end)
                tilePartEnd = nil
            case Marker.startOfTilePart:
                var segment = try Self.segment(&reader)
                try segment.skip(2)
                let length = try segment.long()
                // 0 is up to the end: the last one.
                tilePartEnd = length == 0 ? codestream.count : start + length
            case Marker.codingStyle:
                var segment = try Self.segment(&reader)
                let style = try segment.byte()
                try segment.skip(1)
                layers = try segment.short()
                let transform = try segment.byte()
                if isFirst { usesColourTransform = transform != 0 }
                isFirst = false
                try checkParts(&segment, hasPrecincts: style & 1 != 0)
            case Marker.componentCodingStyle:
                var segment = try Self.segment(&reader)
                try segment.skip(components < 257 ? 1 : 2)
                let style = try segment.byte()
                try checkParts(&segment, hasPrecincts: style & 1 != 0)
            case 0xFF00...0xFFFF: _ = try Self.segment(&reader)
            // Damaged or cut: what follows is the decoder's to judge.
            default: return
            }
        }
    }

    /// Precincts, and packets of them (A.6.1, B.6).
    private func checkParts(_ segment: inout CodestreamReader, hasPrecincts: Bool) throws(CodecError) {
        let levels = try segment.byte()
        guard levels <= 32 else { throw .corrupt("more than 32 decompositions") }
        try segment.skip(4)
        var precincts = 0
        for resolution in 0...levels {
            let size = hasPrecincts ? try segment.byte() : 0xFF
            let shift = levels - resolution
            let across = Self.parts(min(tileWidth, width), shift, size & 15)
            let down = Self.parts(min(tileHeight, height), shift, size >> 4)
            precincts += across * down
        }
        let (packets, overflow) = (precincts * max(layers, 1)).multipliedReportingOverflow(by: components * tiles)
        guard precincts * 64 <= width * height + 1 << 20, !overflow, packets <= Self.maximumPackets else {
            throw .unsupported("more precincts than the image has pixels for")
        }
    }

    /// How many precincts of 2^exponent lie side by side, at most, in so many samples that were halved `shift` times.
    private static func parts(_ length: Int, _ shift: Int, _ exponent: Int) -> Int {
        (length >> shift) >> exponent + 2
    }
}
