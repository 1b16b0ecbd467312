/// What a JPEG or JPEG-LS codestream says about the image before its first scan (ITU-T T.81 B.2.2, T.87 C.2.2).
struct JPEGHeader {
    struct Component {
        var id: Int
        var horizontal: Int
        var vertical: Int
        var quantizationTable: Int
    }

    /// Which process: C0 is baseline, C1 extended, C2 progressive, C3 lossless, F7 JPEG-LS.
    private(set) var process = 0
    private(set) var precision = 0
    private(set) var height = 0
    private(set) var width = 0
    private(set) var components: [Component] = []
    /// The transform that an Adobe segment names: 0 none, 1 YCbCr.
    private(set) var adobeTransform: Int?
    private(set) var isJFIF = false

    init(_ codestream: UnsafeRawBufferPointer) throws(CodecError) {
        var reader = CodestreamReader(codestream)
        guard try reader.short() == 0xFF00 | JPEGMarker.startOfImage else { throw .corrupt("no JPEG codestream") }
        while true {
            let marker = try reader.nextMarker()
            if marker == JPEGMarker.endOfImage { throw .corrupt("an end before the first scan") }
            guard !JPEGMarker.isAlone(marker) else { continue }
            let length = try reader.short()
            guard length >= 2 else { throw .corrupt("a segment without length") }
            var segment = try reader.slice(length - 2)
            switch marker {
            case JPEGMarker.app0:
                isJFIF = isJFIF || segment.starts(with: "JFIF")
            case JPEGMarker.app14 where segment.remaining >= 12 && segment.starts(with: "Adobe"):
                try segment.skip(11)
                adobeTransform = try segment.byte()
            case JPEGMarker.startOfScan:
                guard process != 0 else { throw .corrupt("a scan without a frame") }
                return
            case _ where JPEGMarker.isFrame(marker):
                guard process == 0 else { throw .unsupported("more than one frame") }
                process = marker
                try readFrame(&segment)
            default: break
            }
        }
    }

    private mutating func readFrame(_ segment: inout CodestreamReader) throws(CodecError) {
        precision = try segment.byte()
        height = try segment.short()
        width = try segment.short()
        let count = try segment.byte()
        guard (2...16).contains(precision), width > 0, (1...4).contains(count) else {
            throw .corrupt("a frame that no process has")
        }
        guard height > 0 else { throw .unsupported("a height that comes behind the scan") }
        for _ in 0..<count {
            let id = try segment.byte()
            let factors = try segment.byte()
            components.append(
                Component(
                    id: id, horizontal: factors >> 4, vertical: factors & 15, quantizationTable: try segment.byte()))
        }
        guard components.allSatisfy({ (1...4).contains($0.horizontal) && (1...4).contains($0.vertical) }) else {
            throw .corrupt("sampling factors that no component has")
        }
    }

    /// Whether all components have as many samples as there are pixels.
    var isSubsampled: Bool {
        components.contains {
            $0.horizontal != components[0].horizontal || $0.vertical != components[0].vertical
        }
    }
}

extension JPEGHeader {
    /// What three components are.
    enum Colour {
        case rgb
        case ybr
    }

    /// What three components are, as far as the codestream tells: by the names of the components, then by Adobe's
    /// segment, then by JFIF, which knows no RGB; nobody subsamples RGB.
    var codedColour: Colour? {
        guard components.count == 3 else { return nil }
        let ids = components.map(\.id)
        if ids == [0x52, 0x47, 0x42] || ids == [0x72, 0x67, 0x62] { return .rgb }
        if let adobeTransform { return adobeTransform == 0 ? .rgb : .ybr }
        return isJFIF || isSubsampled ? .ybr : nil
    }
}

extension CodestreamReader {
    /// Goes behind the next marker; bytes in front of it are skipped as decoders do.
    mutating func nextMarker() throws(CodecError) -> Int {
        while true {
            while try byte() != 0xFF {}
            var marker = try byte()
            while marker == 0xFF { marker = try byte() }
            if marker != 0 { return marker }
        }
    }

    func starts(with text: StaticString) -> Bool {
        remaining >= text.utf8CodeUnitCount
            && (0..<text.utf8CodeUnitCount).allSatisfy { bytes[offset + $0] == text.utf8Start[$0] }
    }
}
