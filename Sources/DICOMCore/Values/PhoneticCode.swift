/// How a name component sounds: American Soundex over the folded letters. Smith and Smyth have the same code.
/// Components without Latin letters have their folded text as code.
public enum PhoneticCode {
    public static func code(of component: String) -> String {
        let folded = NameFolding.fold(component)
        let letters = folded.utf8.filter { (0x61...0x7A).contains($0) }
        guard let first = letters.first else { return folded }
        var code = [first - 0x20]
        var previous = digits[Int(first - 0x61)]
        for letter in letters.dropFirst() where code.count < 4 {
            let digit = digits[Int(letter - 0x61)]
            // h and w do not separate equal sounds, vowels do.
            if digit == UInt8(ascii: "-") { continue }
            if digit != UInt8(ascii: "0"), digit != previous { code.append(digit) }
            previous = digit
        }
        while code.count < 4 { code.append(UInt8(ascii: "0")) }
        return String(decoding: code, as: UTF8.self)
    }

    /// The digit of each letter from a to z; 0 for vowels.
    private static let digits = Array("01230120022455012623010202".utf8).enumerated().map { index, digit in
        index == 7 || index == 22 ? UInt8(ascii: "-") : digit
    }
}
