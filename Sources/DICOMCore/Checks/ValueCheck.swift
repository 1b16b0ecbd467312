/// Looks whether values fit their VRs: lengths and, for a few VRs, characters (PS3.5 6.2). Light: it reads each value
/// once and judges nothing that a reader can live with.
public struct ValueCheck: Sendable {
    /// Findings that it gives at most.
    public var limit: Int

    public init(limit: Int = 64) { self.limit = limit }

    /// What is wrong with the values of the data set itself; items are not entered.
    public func findings(in dataSet: DataSet) -> [Finding] {
        var findings: [Finding] = []
        for element in dataSet {
            guard findings.count < limit else { break }
            guard let bytes = element.bytes, !bytes.isEmpty, let rule = Self.rule(element.vr, bytes) else { continue }
            findings.append(Finding(rule, tag: element.tag))
        }
        return findings
    }

    private static func rule(_ vr: VR, _ bytes: ArraySlice<UInt8>) -> Finding.Rule? {
        switch vr {
        case .FD, .FL, .OD, .OF, .OL, .OV, .SL, .SS, .SV, .UL, .US, .UV, .OW:
            return bytes.count % vr.numberWidth == 0 ? nil : .invalidLength
        case .AT:
            return bytes.count % 4 == 0 ? nil : .invalidLength
        case .UI:
            let isValid = bytes.split(separator: 0x5C).allSatisfy { UIDText.isValid(UIDText.trimmed($0)) }
            return isValid ? nil : .invalidUID
        case .DA:
            return allowed(bytes, longest: 18) { (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }
        case .TM:
            return allowed(bytes, longest: 28) { (0x30...0x3A).contains($0) || $0 == 0x2D || $0 == 0x2E }
        case .DT:
            return allowed(bytes, longest: 54) { (0x30...0x39).contains($0) || (0x2B...0x2E).contains($0) }
        case .IS:
            return allowed(bytes, longest: 12) { (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D }
        case .DS:
            return allowed(bytes, longest: 16) {
                (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E || $0 | 0x20 == 0x65
            }
        case .CS:
            return allowed(bytes, longest: 16) {
                (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x20
            }
        case .AE, .AS, .LO, .LT, .OB, .PN, .SH, .SQ, .ST, .UC, .UN, .UR, .UT:
            return nil
        }
    }

    private static func allowed(
        _ bytes: ArraySlice<UInt8>, longest: Int, _ isAllowed: (UInt8) -> Bool
    ) -> Finding.Rule? {
        for value in bytes.split(separator: 0x5C) {
            let text = UIDText.trimmed(value)
            if text.count > longest { return .invalidLength }
            if !text.allSatisfy(isAllowed) { return .invalidCharacters }
        }
        return nil
    }
}
