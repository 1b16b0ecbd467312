package import BlobStorage
import Crypto

extension ObjectName {
    /// SHA-256 of the object's bytes, which others name an object by; where they don't, the name has to stand for them.
    package var digest: [UInt8] {
        let digits = Array(description.utf8.prefix { $0 != UInt8(ascii: ".") })
        let nibbles = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }.map { UInt8($0) }
        guard digits.count == 64, nibbles.count == 64 else { return Array(SHA256.hash(data: Array(description.utf8))) }
        return stride(from: 0, to: 64, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}
