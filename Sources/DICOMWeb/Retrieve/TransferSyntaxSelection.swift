import DICOMCore

/// What a client wants the transfer syntax of a representation to be (PS3.18 8.7.3.5).
public enum TransferSyntaxWish: Hashable, Sendable {
    /// Nothing said: the default of the media type.
    case `default`
    /// `transfer-syntax=*`: as it is stored.
    case any
    /// This UID.
    case named(String)

    /// From the value of a `transfer-syntax` parameter.
    public init(parameter: String?) {
        switch parameter {
        case nil, "": self = .default
        case "*": self = .any
        case .some(let uid): self = .named(uid)
        }
    }
}

/// In which transfer syntax an instance, or its pixel data, is returned (PS3.18 8.7.3, 8.7.8).
///
/// Implicit VR Little Endian and Explicit VR Big Endian are never returned, and never lossy compression that was not
/// there before.
public struct TransferSyntaxSelection: Sendable {
    /// What to do with an instance.
    public enum Decision: Hashable, Sendable {
        /// The stored bytes as they are.
        case stored
        /// Convert to this transfer syntax.
        case convert(to: String)
        case unavailable(Reason)
    }

    /// Why nothing acceptable can be made.
    public enum Reason: String, Hashable, Sendable {
        /// ILE and EBE are not used on the web (PS3.18 8.7.3).
        case forbidden
        /// The stored pixel data cannot be decoded here.
        case cannotDecode
        /// Pixel data cannot be encoded so here.
        case cannotEncode
        /// The media type does not carry that transfer syntax.
        case notOfMediaType
        /// What was lossily compressed would have to pass for lossless.
        case lossySource
    }

    public static let explicitVRLittleEndian = "1.2.840.10008.1.2.1"
    private static let forbidden: Set<String> = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"]
    private static let deflated = "1.2.840.10008.1.2.1.99"
    /// Files in it are ILE but for their pixel data, which is big endian.
    private static let privateGE = "1.2.840.113619.5.2"

    private let canConvert: @Sendable (_ from: String, _ to: String) -> Bool

    /// What can be converted, besides changes between uncompressed transfer syntaxes, which always can.
    public init(canConvert: @escaping @Sendable (_ from: String, _ to: String) -> Bool = { _, _ in false }) {
        self.canConvert = canConvert
    }

    // MARK: - Instances

    /// For an instance as a Part 10 file.
    ///
    /// By default the answer is in Explicit VR Little Endian. What is lossily compressed, or cannot be decoded, or
    /// would not fit (`fitsUncompressed`), counts as obtainable in its stored form only.
    public func instance(
        stored: String, wish: TransferSyntaxWish, fitsUncompressed: Bool = true
    ) -> Decision {
        switch wish {
        case .any: return mustConvert(stored) ? .convert(to: Self.explicitVRLittleEndian) : .stored
        case .default:
            if stored == Self.explicitVRLittleEndian { return .stored }
            if isUncompressed(stored) { return .convert(to: Self.explicitVRLittleEndian) }
            guard let syntax = TransferSyntax(uid: stored), !syntax.isLossy, fitsUncompressed,
                canConvert(stored, Self.explicitVRLittleEndian)
            else { return .stored }
            return .convert(to: Self.explicitVRLittleEndian)
        case .named(let uid):
            if Self.forbidden.contains(uid) || uid == Self.privateGE { return .unavailable(.forbidden) }
            if uid == stored { return .stored }
            if uid == Self.explicitVRLittleEndian || uid == Self.deflated {
                if isUncompressed(stored) { return .convert(to: uid) }
                guard fitsUncompressed else { return .unavailable(.cannotDecode) }
                return canConvert(stored, uid) ? .convert(to: uid) : .unavailable(.cannotDecode)
            }
            return compressed(from: stored, to: uid)
        }
    }

    // MARK: - Pixel data

    /// For frames or pixel data as `application/octet-stream`: uncompressed little endian unless asked otherwise.
    ///
    /// With `transfer-syntax=*` the stored frames come as they are, whatever their compression; viewers ask so.
    public func octets(stored: String, wish: TransferSyntaxWish) -> Decision {
        switch wish {
        case .any where !isUncompressed(stored): return .stored
        case .any, .default, .named(Self.explicitVRLittleEndian):
            // Frames of a deflated or encapsulated, but not compressed, data set are taken out of it.
            if stored == Self.explicitVRLittleEndian { return .stored }
            guard isUncompressed(stored) || canConvert(stored, Self.explicitVRLittleEndian) else {
                return .unavailable(.cannotDecode)
            }
            return .convert(to: Self.explicitVRLittleEndian)
        case .named(let uid):
            if Self.forbidden.contains(uid) || uid == Self.privateGE { return .unavailable(.forbidden) }
            return uid == stored ? .stored : compressed(from: stored, to: uid)
        }
    }

    /// For frames or pixel data in a compressed media type. By default that type's own default transfer syntax.
    public func pixels(mediaType: String, stored: String, wish: TransferSyntaxWish) -> Decision {
        let allowed = PixelMediaTypes.transferSyntaxes(of: mediaType)
        guard let preferred = allowed.first else { return .unavailable(.notOfMediaType) }
        let target: String
        switch wish {
        case .any:
            if allowed.contains(stored) { return .stored }
            target = preferred
        case .default: target = preferred
        case .named(let uid):
            guard allowed.contains(uid) else { return .unavailable(.notOfMediaType) }
            target = uid
        }
        return target == stored ? .stored : compressed(from: stored, to: target)
    }

    // MARK: - Several wishes

    /// The best of several wishes, given best first with their weights: at equal weight one that needs no conversion,
    /// then a compressed one, wins. `nil` when none can be met.
    public func best(
        of wishes: [(quality: Int, decision: Decision)]
    ) -> Int? {
        func rank(_ decision: Decision) -> Int? {
            switch decision {
            case .stored: 0
            case .convert(let uid): isUncompressed(uid) ? 2 : 1
            case .unavailable: nil
            }
        }
        var best: (index: Int, quality: Int, rank: Int)?
        for (index, wish) in wishes.enumerated() {
            guard let rank = rank(wish.decision) else { continue }
            if let known = best, (known.quality, -known.rank) >= (wish.quality, -rank) { continue }
            best = (index, wish.quality, rank)
        }
        return best?.index
    }

    private func compressed(from stored: String, to uid: String) -> Decision {
        guard let target = TransferSyntax(uid: uid), !target.isLossy else { return .unavailable(.cannotEncode) }
        if TransferSyntax(uid: stored)?.isLossy == true { return .unavailable(.lossySource) }
        return canConvert(stored, uid) ? .convert(to: uid) : .unavailable(.cannotEncode)
    }

    private func mustConvert(_ stored: String) -> Bool { Self.forbidden.contains(stored) || stored == Self.privateGE }

    private func isUncompressed(_ uid: String) -> Bool {
        guard let syntax = TransferSyntax(uid: uid) else { return false }
        return syntax == .encapsulatedUncompressed || !syntax.isEncapsulated && syntax.isFileSyntax
    }
}
