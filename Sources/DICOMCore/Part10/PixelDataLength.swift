/// How many bytes the attributes of an image say that its native pixel data has (PS3.3 C.7.6.3, PS3.5 8.1.1).
enum PixelDataLength {
    enum Expectation: Equatable {
        /// The attributes say nothing.
        case unknown
        case bytes(Int), bits(Int)
        /// More than can be counted.
        case beyondCounting
    }

    /// Bytes of the whole value.
    static func expected(_ tag: Tag, _ dataSet: DataSet) -> Expectation {
        let frames = max(number(Tag(0x0028, 0x0008), dataSet) ?? 1, 1)
        guard case .bits(let frame) = frame(tag, dataSet) else { return self.frame(tag, dataSet) }
        let (total, isOverflow) = frame.multipliedReportingOverflow(by: frames)
        return isOverflow ? .beyondCounting : .bytes(total / 8 + (total % 8 == 0 ? 0 : 1))
    }

    /// Bits of one frame.
    static func frame(_ tag: Tag, _ dataSet: DataSet) -> Expectation {
        guard let rows = number(Tag(0x0028, 0x0010), dataSet), let columns = number(Tag(0x0028, 0x0011), dataSet),
            rows > 0, columns > 0
        else { return .unknown }
        let samples = number(Tag(0x0028, 0x0002), dataSet) ?? 1
        guard samples > 0 else { return .unknown }
        let allocated: Int
        switch tag.element {
        case 0x0008: allocated = 32
        case 0x0009: allocated = 64
        default: allocated = number(Tag(0x0028, 0x0100), dataSet) ?? 0
        }
        guard allocated > 0 else { return .unknown }
        // Chroma of every second pixel, or of every fourth (PS3.3 C.7.6.3.1.2).
        var halfSamples = 2 * samples
        if samples == 3, let photometric = dataSet[Tag(0x0028, 0x0004)]?.bytes {
            if photometric.starts(with: "YBR_FULL_422".utf8) || photometric.starts(with: "YBR_PARTIAL_422".utf8) {
                halfSamples = 4
            } else if photometric.starts(with: "YBR_PARTIAL_420".utf8) {
                halfSamples = 3
            }
        }
        var total = halfSamples
        for factor in [rows, columns, allocated] {
            let (product, isOverflow) = total.multipliedReportingOverflow(by: factor)
            if isOverflow { return .beyondCounting }
            total = product
        }
        return .bits(total / 2 + total % 2)
    }

    /// A whole number, whatever VR it was written with.
    static func number(_ tag: Tag, _ dataSet: DataSet) -> Int? {
        guard let element = dataSet[tag], let bytes = element.bytes else { return nil }
        switch element.vr {
        case .US, .SS, .UL, .SL, .OW, .UN:
            guard bytes.count >= 2 else { return nil }
            let low = Int(bytes[bytes.startIndex]) | Int(bytes[bytes.startIndex + 1]) << 8
            guard bytes.count >= 4, element.vr == .UL || element.vr == .SL else { return low }
            return low | Int(bytes[bytes.startIndex + 2]) << 16 | Int(bytes[bytes.startIndex + 3]) << 24
        case .IS, .DS, .LO, .SH, .CS:
            let text = UIDText.trimmed(bytes)
            guard !text.isEmpty, text.count <= 18 else { return nil }
            var value = 0
            for byte in text {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        case .AE, .AS, .AT, .DA, .DT, .FD, .FL, .LT, .OB, .OD, .OF, .OL, .OV, .PN, .SQ, .ST, .SV, .TM, .UC, .UI, .UR,
            .UT, .UV:
            return nil
        }
    }
}
