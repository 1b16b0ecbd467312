import CExpat
public import DICOMCore

/// Reads the Native DICOM Model (PS3.19 A.1).
///
/// UTF-8 only, with or without the namespace. A document type declaration is refused before anything in it is looked
/// at, so that there are no entities beyond the five of XML. Private elements get blocks from 10 up.
public enum NativeModelReader {
    /// Reads one document. Text of the data set is UTF-8; (0008,0005) stays as sent, and becomes ISO_IR 192 where it is
    /// absent but needed.
    public static func dataSet(
        from bytes: [UInt8], limits: ModelLimits = .standard
    ) throws(ModelError) -> DataSet {
        let limit = min(limits.bytes, Int(Int32.max))
        guard bytes.count <= limit else { throw ModelError(.tooLarge(limit: limit), at: limit) }
        return try bytes.withUnsafeBufferPointer { (buffer) throws(ModelError) in
            let raw = UnsafeRawBufferPointer(buffer)
            guard raw.isValidUTF8, raw.firstOffset(of: 0) == nil else { throw ModelError(.notUTF8, at: 0) }
            return try parse(raw, limits)
        }
    }

    private static func parse(_ raw: UnsafeRawBufferPointer, _ limits: ModelLimits) throws(ModelError) -> DataSet {
        // Names come as "namespace name".
        guard let parser = XML_ParserCreateNS("UTF-8", 0x20) else { throw ModelError(.malformed, at: 0) }
        defer { XML_ParserFree(parser) }
        let builder = NativeModelBuilder(parser: parser, limits: limits)
        XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
        XML_SetXmlDeclHandler(parser) { user, _, encoding, _ in
            NativeModelBuilder.from(user)?.declare(encoding: encoding.map { String(cString: $0) })
        }
        XML_SetStartDoctypeDeclHandler(parser) { user, _, _, _, _ in
            NativeModelBuilder.from(user)?.fail(.documentType)
        }
        XML_SetElementHandler(
            parser,
            { user, name, attributes in
                guard let name, let attributes else { return }
                NativeModelBuilder.from(user)?.start(name, attributes)
            }, { user, _ in NativeModelBuilder.from(user)?.end() })
        XML_SetCharacterDataHandler(parser) { user, text, length in
            guard let text, length > 0 else { return }
            NativeModelBuilder.from(user)?.add(UnsafeRawBufferPointer(start: text, count: Int(length)))
        }
        let status = withExtendedLifetime(builder) {
            XML_Parse(parser, raw.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(raw.count), 1)
        }
        if let failure = builder.failure { throw failure }
        guard status == XML_STATUS_OK else {
            let code: ModelError.Code =
                switch XML_GetErrorCode(parser) {
                case XML_ERROR_NO_ELEMENTS, XML_ERROR_UNCLOSED_TOKEN, XML_ERROR_UNCLOSED_CDATA_SECTION: .truncated
                case XML_ERROR_JUNK_AFTER_DOC_ELEMENT: .trailingBytes
                default: .malformed
                }
            throw ModelError(code, at: Int(XML_GetCurrentByteIndex(parser)))
        }
        guard let result = builder.result else { throw ModelError(.truncated, at: raw.count) }
        return result
    }
}
