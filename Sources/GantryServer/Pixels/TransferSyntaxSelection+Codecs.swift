import DICOMCore
import DICOMPixels
import DICOMWeb

extension TransferSyntaxSelection {
    /// With everything that our codecs can do.
    static let withCodecs = TransferSyntaxSelection { source, target in
        guard let source = TransferSyntax(uid: source), let target = TransferSyntax(uid: target) else { return false }
        let codecs = CodecTable.standard
        let isDecodable = !source.isEncapsulated || codecs.canDecode(source)
        let isEncodable = !target.isEncapsulated || codecs.canEncode(target)
        return isDecodable && isEncodable
    }
}
