/// Text in a form in which letter case, accents and the width of letters make no difference: what person names are
/// compared by (PS3.4 C.2.2.2.1.1 leaves the form to us).
///
/// Müller and MULLER fold to the same, so do Dvořák and DVORAK, ﾔﾏﾀﾞ and ヤマダ, Œuvre and oeuvre.
/// Composed and decomposed characters are the same, too. Marks that a script writes apart from its letters make no
/// difference: Cyrillic й is и and ё is е, Hebrew points, Arabic vowel signs and the hamza above and below an alif are
/// dropped. Letters never are: those of Hebrew, Arabic, Thai or Han stay what they are.
public enum NameFolding {
    public static func fold(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x41...0x5A: scalars.append(Unicode.Scalar(UInt8(scalar.value + 0x20)))
            case 0..<0x80: scalars.append(scalar)
            case 0xAC00...0xD7A3: appendJamo(of: scalar, to: &scalars)
            default:
                guard let folded = forms[scalar.value] else {
                    scalars.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
                    continue
                }
                scalars.append(contentsOf: folded)
            }
        }
        return String(scalars)
    }

    /// A Hangul syllable as its letters (Unicode 3.12).
    private static func appendJamo(of syllable: Unicode.Scalar, to scalars: inout String.UnicodeScalarView) {
        let index = syllable.value - 0xAC00
        let trail = index % 28
        for jamo in [0x1100 + index / 588, 0x1161 + index % 588 / 28] + (trail == 0 ? [] : [0x11A7 + trail]) {
            if let scalar = Unicode.Scalar(jamo) { scalars.append(scalar) }
        }
    }

    private static let forms: [UInt32: [Unicode.Scalar]] = {
        var forms: [UInt32: [Unicode.Scalar]] = [:]
        forms.reserveCapacity(6000)
        for line in table.description.utf8.split(separator: UInt8(ascii: "\n")) {
            let columns = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            guard columns.count == 2 else { continue }
            let form = columns[0].split(separator: UInt8(ascii: ".")).compactMap(scalar)
            for source in columns[1].split(separator: UInt8(ascii: " ")) {
                if let source = scalar(source) { forms[source.value] = form }
            }
        }
        return forms
    }()

    private static func scalar(_ digits: Substring.UTF8View) -> Unicode.Scalar? {
        UInt32(Substring(digits), radix: 16).flatMap(Unicode.Scalar.init)
    }
}
