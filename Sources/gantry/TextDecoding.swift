import DICOMCore

/// Text of a value for showing it.
enum TextDecoding {
    /// The whole value, with backslashes between values and without padding.
    static func text(of bytes: ArraySlice<UInt8>, _ characterSet: SpecificCharacterSet) -> String {
        var bytes = bytes
        while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
    }
}
