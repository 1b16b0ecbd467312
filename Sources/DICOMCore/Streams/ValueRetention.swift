/// Which values a reader keeps in memory; of the others it keeps the place in the stream.
public struct ValueRetention: Hashable, Sendable {
    /// Bytes of one binary value (OB, OD, OF, OL, OV, OW, UN).
    public var binaryBytes: Int
    /// Bytes of one text value.
    public var textBytes: Int
    /// Numbers in one numeric value (AT, FD, FL, SL, SS, SV, UL, US, UV).
    public var numbers: Int
    /// Whether (7FE0,0008), (7FE0,0009) and (7FE0,0010) are kept if they are small enough.
    public var keepsPixelData: Bool

    public init(binaryBytes: Int, textBytes: Int, numbers: Int, keepsPixelData: Bool) {
        self.binaryBytes = binaryBytes
        self.textBytes = textBytes
        self.numbers = numbers
        self.keepsPixelData = keepsPixelData
    }

    /// All that metadata and an index need; pixel data and large values stay where they are.
    public static let metadata = ValueRetention(
        binaryBytes: 4096, textBytes: 16384, numbers: 4096, keepsPixelData: false)
    /// Every value, as far as `ReadLimits.bytes` goes. Encapsulated pixel data is always left in the stream.
    public static let everything = ValueRetention(
        binaryBytes: .max, textBytes: .max, numbers: .max, keepsPixelData: true)

    /// Whether a value of this length is kept.
    func keeps(_ tag: Tag, _ vr: VR, length: Int) -> Bool {
        if tag.group == 0x7FE0 {
            switch tag.element {
            case 0x0008, 0x0009, 0x0010: return keepsPixelData && length <= binaryBytes
            // The Extended Offset Table says where frames are (PS3.5 A.4): kept as far as the byte limit goes.
            case 0x0001, 0x0002: return true
            default: break
            }
        }
        return isKept(vr, length)
    }

    private func isKept(_ vr: VR, _ length: Int) -> Bool {
        switch vr {
        case .OB, .OD, .OF, .OL, .OV, .OW, .UN, .SQ: length <= binaryBytes
        case .AT, .FL, .SL, .UL: length / 4 <= numbers
        case .SS, .US: length / 2 <= numbers
        case .FD, .SV, .UV: length / 8 <= numbers
        case .DS, .IS, .LT, .ST, .UC, .UT: length <= textBytes
        // These may never be replaced by a BulkDataURI (PS3.18 F.2.2).
        case .AE, .AS, .CS, .DA, .DT, .LO, .PN, .SH, .TM, .UI, .UR: true
        }
    }
}
