/// What the samples of a pixel mean (PS3.3 C.7.6.3.1.2).
public struct PhotometricInterpretation: RawRepresentable, Hashable, Sendable {
    /// The defined term, without padding; any other text is kept.
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let monochrome1 = PhotometricInterpretation(rawValue: "MONOCHROME1")
    public static let monochrome2 = PhotometricInterpretation(rawValue: "MONOCHROME2")
    public static let paletteColor = PhotometricInterpretation(rawValue: "PALETTE COLOR")
    public static let rgb = PhotometricInterpretation(rawValue: "RGB")
    public static let ybrFull = PhotometricInterpretation(rawValue: "YBR_FULL")
    public static let ybrFull422 = PhotometricInterpretation(rawValue: "YBR_FULL_422")
    public static let ybrPartial422 = PhotometricInterpretation(rawValue: "YBR_PARTIAL_422")
    public static let ybrPartial420 = PhotometricInterpretation(rawValue: "YBR_PARTIAL_420")
    public static let ybrICT = PhotometricInterpretation(rawValue: "YBR_ICT")
    public static let ybrRCT = PhotometricInterpretation(rawValue: "YBR_RCT")

    /// Whether two pixels share their chroma samples when the frame is not compressed, two samples a pixel instead of
    /// three.
    public var isSubsampledHorizontally: Bool { self == .ybrFull422 || self == .ybrPartial422 }
}
