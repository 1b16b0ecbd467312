/// How the text of a data set is encoded: the meaning of (0008,0005) Specific Character Set (PS3.3 C.12.1.1.2).
public struct SpecificCharacterSet: Hashable, Sendable {
    /// The defined terms in order, as they stood in the data set; the first may be empty.
    public let terms: [String]
    let repertoire: Repertoire

    /// Spellings of the field such as `ISO-IR 100`, `iso_ir_100`, `UTF8` and `latin1` are understood. Unknown terms
    /// count as the default repertoire. ISO_IR 192, GB18030 and GBK count for everything wherever they stand.
    public init(terms: [String]) {
        self.terms = terms
        self.repertoire = Repertoire(terms: terms)
    }

    /// Takes the value field of (0008,0005).
    public init(bytes: ArraySlice<UInt8>) {
        let text = bytes.trimmed(leading: false)
        self.init(
            terms: text.isEmpty
                ? []
                : text.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false).map {
                    String(decoding: $0.trimmed(leading: true), as: UTF8.self)
                })
    }

    /// The default repertoire, ISO-IR 6, with the fallback for bytes above 7F that `decode` documents.
    public static let `default` = SpecificCharacterSet(terms: [])
    /// UTF-8.
    public static let utf8 = SpecificCharacterSet(terms: ["ISO_IR 192"])

    /// The text of a whole value field. Padding is left out: trailing blanks and NULs of all VRs, leading blanks
    /// except for ST, LT, UT and UC. Backslashes are kept.
    ///
    /// Where no character set is known for bytes above 7F, they are UTF-8 if they can be, else Windows-1252. What has
    /// no meaning in the character set, and NUL, becomes U+FFFD.
    public func decode(_ bytes: ArraySlice<UInt8>, vr: VR) -> String {
        let text = bytes.trimmed(leading: vr.trimsLeadingBlanks)
        guard !isPlain(text) else { return String(decoding: text, as: UTF8.self) }
        return String(decoding: utf8(of: text, vr: vr), as: UTF8.self)
    }

    /// The values of a value field, each without its padding: one for VRs in which a backslash is text, none for a
    /// field that is empty or all padding. A backslash byte that is half of a character separates nothing.
    public func decodeValues(_ bytes: ArraySlice<UInt8>, vr: VR) -> [String] {
        let text = bytes.trimmed(leading: vr.trimsLeadingBlanks)
        guard !text.isEmpty else { return [] }
        guard isPlain(text) else { return split(utf8(of: text, vr: vr)[...], vr: vr) }
        return split(text, vr: vr)
    }

    private func split(_ text: ArraySlice<UInt8>, vr: VR) -> [String] {
        let backslash = UInt8(ascii: "\\")
        guard vr.isBackslashDelimited, text.contains(backslash) else { return [String(decoding: text, as: UTF8.self)] }
        return text.split(separator: backslash, omittingEmptySubsequences: false).map {
            String(decoding: $0.trimmed(leading: vr.trimsLeadingBlanks), as: UTF8.self)
        }
    }

    /// Whether the bytes mean the same in ASCII: nothing above 7F, no escape, no NUL.
    private func isPlain(_ text: ArraySlice<UInt8>) -> Bool {
        text.withUnsafeBytes { bytes in
            if case .codeExtensions(let initial) = repertoire, initial.g0 != .ascii {
                return !bytes.contains { $0 >= 0x7E || $0 == 0x1B || $0 == 0 || $0 == 0x5C }
            }
            var odd: UInt8 = 0
            for byte in bytes { odd |= (byte & 0x80) | (byte == 0x1B ? 1 : 0) | (byte == 0 ? 1 : 0) }
            return odd == 0
        }
    }

    private func utf8(of text: ArraySlice<UInt8>, vr: VR) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count + text.count / 2)
        text.withUnsafeBytes { bytes in
            switch vr.usesSpecificCharacterSet ? repertoire : .codeExtensions(.init()) {
            case .utf8: output.append(contentsOf: String(decoding: bytes, as: UTF8.self).utf8)
            case .multiByte(let encoding): CharacterConverter.decode(bytes, from: encoding, into: &output)
            case .codeExtensions(let initial):
                var decoder = ISO2022Decoder(initial: initial, vr: vr)
                decoder.decode(bytes, into: &output)
                return
            }
            replaceNULs(in: &output)
        }
        return output
    }

    private func replaceNULs(in text: inout [UInt8]) {
        guard text.contains(0) else { return }
        text = text.flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] }
    }

    /// The bytes that write this text, escapes included; `nil` when the character set lacks a character.
    public func encode(_ text: String) -> [UInt8]? {
        if !text.utf8.contains(where: { $0 >= 0x80 }) { return Array(text.utf8) }
        return switch repertoire {
        case .utf8: Array(text.utf8)
        case .multiByte(let encoding): CharacterConverter.encode(text.utf8, to: encoding)
        case .codeExtensions(let initial): ISO2022Encoder(initial: initial, sets: declaredSets).encode(text)
        }
    }

    private var declaredSets: [CodeSet] {
        terms.compactMap { if case .set(let set) = Repertoire.Term($0) { set } else { nil } }
    }
}

extension VR {
    /// Whether blanks in front of a value mean nothing (PS3.5 6.2).
    var trimsLeadingBlanks: Bool {
        switch self {
        case .ST, .LT, .UT, .UC: false
        default: true
        }
    }
}
