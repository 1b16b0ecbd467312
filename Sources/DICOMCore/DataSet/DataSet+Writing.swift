/// Typed writing. The VR is the one given, else the dictionary's, else UN; values are padded to even length.
extension DataSet {
    /// Sets text in the data set's character set; where that lacks a character, `?` stands for it.
    public mutating func setString(_ text: String, for tag: Tag, vr: VR? = nil) {
        let vr = vr ?? DataDictionary.standard.vr(for: tag) ?? .UN
        let bytes: [UInt8]
        if vr.usesSpecificCharacterSet {
            bytes = characterSet.encode(text) ?? encodeWithSubstitutes(text)
        } else {
            bytes = Array(text.utf8)
        }
        set(DataElement(tag, vr, .bytes(padded(bytes, vr))))
    }

    /// Sets several values, separated by backslashes.
    public mutating func setStrings(_ values: [String], for tag: Tag, vr: VR? = nil) {
        setString(values.joined(separator: "\\"), for: tag, vr: vr)
    }

    public mutating func setUID(_ uid: UID, for tag: Tag) { setString(uid.string, for: tag, vr: .UI) }

    /// Sets whole numbers, as text for IS and DS, else in as many bytes as the VR has. What does not fit is cut to its
    /// low bits, as C does.
    public mutating func setInts(_ values: [Int], for tag: Tag, vr: VR? = nil) {
        let vr = vr ?? DataDictionary.standard.vr(for: tag) ?? .UN
        var bytes: [UInt8] = []
        switch vr {
        case .FL, .OF: for value in values { bytes.append(littleEndian: Float(value).bitPattern, width: 4) }
        case .FD, .OD: for value in values { bytes.append(littleEndian: Double(value).bitPattern, width: 8) }
        case .AT:
            for value in values {
                bytes.append(littleEndian: value >> 16, width: 2)
                bytes.append(littleEndian: value, width: 2)
            }
        default:
            guard vr.numberWidth > 0 else {
                setStrings(values.map(String.init), for: tag, vr: vr)
                return
            }
            for value in values { bytes.append(littleEndian: value, width: vr.numberWidth) }
        }
        set(DataElement(tag, vr, .bytes(padded(bytes, vr))))
    }

    public mutating func setInt(_ value: Int, for tag: Tag, vr: VR? = nil) { setInts([value], for: tag, vr: vr) }

    /// Sets numbers, as text for DS, binary for FL and FD, rounded for the whole numbers.
    public mutating func setDoubles(_ values: [Double], for tag: Tag, vr: VR? = nil) {
        let vr = vr ?? DataDictionary.standard.vr(for: tag) ?? .UN
        var bytes: [UInt8] = []
        switch vr {
        case .FL, .OF: for value in values { bytes.append(littleEndian: Float(value).bitPattern, width: 4) }
        case .FD, .OD: for value in values { bytes.append(littleEndian: value.bitPattern, width: 8) }
        case .IS, .SL, .SS, .SV, .UL, .US, .UV:
            setInts(values.map { Int(exactly: $0.rounded()) ?? 0 }, for: tag, vr: vr)
            return
        default:
            setStrings(values.map { DecimalString($0)?.description ?? "" }, for: tag, vr: vr)
            return
        }
        set(DataElement(tag, vr, .bytes(bytes[...])))
    }

    public mutating func setItems(_ items: [DataSet], for tag: Tag) { set(DataElement(tag, .SQ, .items(items))) }

    public mutating func setEmpty(_ tag: Tag, vr: VR? = nil) {
        let vr = vr ?? DataDictionary.standard.vr(for: tag) ?? .UN
        set(DataElement(tag, vr, vr == .SQ ? .items([]) : .empty))
    }

    private func padded(_ bytes: [UInt8], _ vr: VR) -> ArraySlice<UInt8> {
        bytes.count.isMultiple(of: 2) ? bytes[...] : (bytes + [vr.paddingByte])[...]
    }

    private func encodeWithSubstitutes(_ text: String) -> [UInt8] {
        let writable = String(text.map { characterSet.encode(String($0)) == nil ? "?" : $0 })
        return characterSet.encode(writable) ?? []
    }
}

extension [UInt8] {
    /// The low `width` bytes of a number, lowest first.
    mutating func append(littleEndian number: some FixedWidthInteger, width: Int) {
        for index in 0..<width { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }
}
