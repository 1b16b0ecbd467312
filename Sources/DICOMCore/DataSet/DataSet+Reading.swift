/// Typed access to values. Tolerant: an attribute that is absent, not in memory, of another kind, or unreadable has
/// no value.
extension DataSet {
    /// The values as text, without padding (PS3.5 6.2). Binary and sequence attributes have none.
    public func strings(for tag: Tag) -> [String] {
        guard let (bytes, vr) = textField(tag) else { return [] }
        return characterSet.decodeValues(bytes, vr: vr)
    }

    /// The first value as text; `nil` when it is empty.
    public func string(for tag: Tag) -> String? {
        guard let (bytes, vr) = textField(tag) else { return nil }
        if !vr.isBackslashDelimited || !bytes.contains(UInt8(ascii: "\\")) {
            let text = characterSet.decode(bytes, vr: vr)
            return text.isEmpty ? nil : text
        }
        guard let first = characterSet.decodeValues(bytes, vr: vr).first, !first.isEmpty else { return nil }
        return first
    }

    /// The first value as a whole number.
    public func int(for tag: Tag) -> Int? { integers(for: tag, limit: 1).first ?? nil }

    /// The values as whole numbers: US, SS, UL, SL, UV, SV, IS, and DS without a fraction. Unreadable ones are left out.
    public func ints(for tag: Tag) -> [Int] { integers(for: tag, limit: .max).compactMap(\.self) }

    /// The first value as a number.
    public func double(for tag: Tag) -> Double? { numbers(for: tag, limit: 1).first ?? nil }

    /// The values as numbers: DS, IS, FL, FD and the binary integers. Unreadable ones are left out.
    public func doubles(for tag: Tag) -> [Double] { numbers(for: tag, limit: .max).compactMap(\.self) }

    /// The first value as a UID, if it is one.
    public func uid(for tag: Tag) -> UID? {
        guard let bytes = self[tag]?.bytes else { return nil }
        return UID(trimming: bytes.prefix { $0 != UInt8(ascii: "\\") })
    }

    /// The values that are UIDs.
    public func uids(for tag: Tag) -> [UID] {
        guard let bytes = self[tag]?.bytes else { return [] }
        return bytes.split(separator: UInt8(ascii: "\\")).compactMap { UID(trimming: $0) }
    }

    public func personName(for tag: Tag) -> PersonName? { string(for: tag).map { PersonName($0) } }

    public func date(for tag: Tag) -> DateValue? { firstField(tag).flatMap(DateValue.init(bytes:)) }

    public func time(for tag: Tag) -> TimeValue? { firstField(tag).flatMap(TimeValue.init(bytes:)) }

    public func dateTime(for tag: Tag) -> DateTimeValue? { firstField(tag).flatMap(DateTimeValue.init(bytes:)) }

    /// The tags that an AT attribute holds.
    public func tags(for tag: Tag) -> [Tag] {
        guard let element = self[tag], element.vr == .AT || element.vr == .UN, let bytes = element.bytes else {
            return []
        }
        return bytes.littleEndian(UInt16.self, stride: 4, limit: .max).enumerated().compactMap { index, group in
            let at = bytes.startIndex + index * 4 + 2
            return Tag(group, UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8)
        }
    }

    /// The items of a sequence; none when it is empty or absent.
    public func items(for tag: Tag) -> [DataSet] { self[tag]?.items ?? [] }

    // MARK: - Fields

    /// The value field with the VR to read it by: the dictionary's where the element came as UN.
    private func textField(_ tag: Tag) -> (ArraySlice<UInt8>, VR)? {
        guard let element = self[tag], let bytes = element.bytes else { return nil }
        let vr = element.vr == .UN ? DataDictionary.standard.vr(for: tag) ?? .UN : element.vr
        return vr.isText ? (bytes, vr) : nil
    }

    private func firstField(_ tag: Tag) -> ArraySlice<UInt8>? {
        self[tag]?.bytes.map { $0.prefix { $0 != UInt8(ascii: "\\") } }
    }

    private func fields(_ bytes: ArraySlice<UInt8>, limit: Int) -> [ArraySlice<UInt8>] {
        guard limit > 1 else { return [bytes.prefix { $0 != UInt8(ascii: "\\") }] }
        return bytes.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
    }

    private func integers(for tag: Tag, limit: Int) -> [Int?] {
        guard let element = self[tag], let bytes = element.bytes else { return [] }
        let vr = element.vr == .UN ? DataDictionary.standard.vr(for: tag) ?? .UN : element.vr
        switch vr {
        case .US: return bytes.littleEndian(UInt16.self, limit: limit).map { Int($0) }
        case .SS: return bytes.littleEndian(Int16.self, limit: limit).map { Int($0) }
        case .UL: return bytes.littleEndian(UInt32.self, limit: limit).map { Int($0) }
        case .SL: return bytes.littleEndian(Int32.self, limit: limit).map { Int($0) }
        case .UV: return bytes.littleEndian(UInt64.self, limit: limit).map { Int(exactly: $0) }
        case .SV: return bytes.littleEndian(Int64.self, limit: limit).map { Int(exactly: $0) }
        case .IS, .DS:
            return fields(bytes, limit: limit).map { field in
                IntegerString(bytes: field)?.value ?? DecimalString(bytes: field).flatMap { Int(exactly: $0.value) }
            }
        case .AE, .AS, .AT, .CS, .DA, .DT, .FD, .FL, .LO, .LT, .OB, .OD, .OF, .OL, .OV, .OW, .PN, .SH, .SQ, .ST, .TM,
            .UC, .UI, .UN, .UR, .UT:
            return []
        }
    }

    private func numbers(for tag: Tag, limit: Int) -> [Double?] {
        guard let element = self[tag], let bytes = element.bytes else { return [] }
        let vr = element.vr == .UN ? DataDictionary.standard.vr(for: tag) ?? .UN : element.vr
        switch vr {
        case .DS, .IS: return fields(bytes, limit: limit).map { DecimalString(bytes: $0)?.value }
        case .FL: return bytes.littleEndian(UInt32.self, limit: limit).map { Double(Float(bitPattern: $0)) }
        case .FD: return bytes.littleEndian(UInt64.self, limit: limit).map { Double(bitPattern: $0) }
        case .UV: return bytes.littleEndian(UInt64.self, limit: limit).map { Double($0) }
        default: return integers(for: tag, limit: limit).map { $0.map(Double.init) }
        }
    }
}

extension ArraySlice<UInt8> {
    /// Little endian integers, `stride` bytes apart; bytes left over at the end are no number.
    func littleEndian<Number: FixedWidthInteger>(_: Number.Type, stride: Int? = nil, limit: Int) -> [Number] {
        let width = MemoryLayout<Number>.size
        let stride = stride ?? width
        return withUnsafeBytes { bytes in
            (0..<Swift.min(bytes.count / stride, limit)).map {
                Number(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * stride, as: Number.self))
            }
        }
    }
}
