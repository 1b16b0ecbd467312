import DICOMCore

extension SpecificCharacterSet {
    func decodeValues(_ bytes: ArraySlice<UInt8>, vr: VR) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\\", omittingEmptySubsequences: false).map(String.init)
    }
}
