/// How a data set is encoded: byte order, explicit or implicit VRs, compression (PS3.5 10, PS3.6 A.1).
public struct TransferSyntax: Sendable {
    public let uid: String
    public let name: String
    let traits: Traits

    struct Traits: OptionSet, Sendable {
        let rawValue: UInt16
        static let implicitVR = Traits(rawValue: 1)
        static let bigEndian = Traits(rawValue: 2)
        static let deflated = Traits(rawValue: 4)
        static let encapsulated = Traits(rawValue: 8)
        static let lossy = Traits(rawValue: 16)
        static let video = Traits(rawValue: 32)
        static let retired = Traits(rawValue: 64)
        static let notForFiles = Traits(rawValue: 128)
    }

    init(_ uid: String, _ traits: Traits, _ name: String) {
        self.uid = uid
        self.name = name
        self.traits = traits
    }

    /// The registered transfer syntax with this UID, or the private one of GE; `nil` for any other.
    public init?(uid: String) {
        guard let known = Self.byUID[uid] else { return nil }
        self = known
    }

    /// Whether VRs are not in the stream but in the dictionary (PS3.5 A.1).
    public var isImplicitVR: Bool { traits.contains(.implicitVR) }
    /// Whether numbers have their high byte first (PS3.5 A.3, retired).
    public var isBigEndian: Bool { traits.contains(.bigEndian) }
    /// Whether the whole data set is deflated (PS3.5 A.5).
    public var isDeflated: Bool { traits.contains(.deflated) }
    /// Whether pixel data is a sequence of fragments (PS3.5 A.4).
    public var isEncapsulated: Bool { traits.contains(.encapsulated) }
    /// Whether the compression may lose information; so for those that can do either.
    public var isLossy: Bool { traits.contains(.lossy) }
    /// Whether frames are not separable because they are a video stream.
    public var isVideo: Bool { traits.contains(.video) }
    public var isRetired: Bool { traits.contains(.retired) }
    /// Whether files can be in it: not for MIME, XML, SMPTE ST 2110 and Papyrus.
    public var isFileSyntax: Bool { !traits.contains(.notForFiles) }

    private static let byUID = [String: TransferSyntax](
        registered.map { ($0.uid, $0) }, uniquingKeysWith: { first, _ in first })
}

extension TransferSyntax: Hashable {
    public static func == (left: TransferSyntax, right: TransferSyntax) -> Bool { left.uid == right.uid }
    public func hash(into hasher: inout Hasher) { hasher.combine(uid) }
}

extension TransferSyntax: CustomStringConvertible {
    public var description: String { name }
}
