import DICOMCore

/// The value field of an element being built from its values as text, the way both models spell them.
struct ValueBytes {
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0
    let vr: VR
    /// A value that a binary VR cannot express was left empty.
    private var hasGap = false

    init(_ vr: VR) { self.vr = vr }

    /// The value field, padded to even length (PS3.5 7.1.1); `nil` when the values do not make one.
    consuming func finish() -> Value? {
        guard !hasGap || count == 1, count <= 1 || vr.allowsValues else { return nil }
        if bytes.count % 2 != 0 { bytes.append(vr.paddingByte) }
        return .bytes(bytes[...])
    }

    /// Adds an empty value.
    mutating func appendEmpty() {
        separate()
        hasGap = hasGap || !vr.isText
    }

    /// Adds a value as text: characters, a number, or an AT's eight digits. Answers whether the VR can hold it.
    mutating func append(text: UnsafeRawBufferPointer) -> Bool {
        if vr.isText {
            separate()
            var text = text
            // Some writers leave the padding of UI in.
            while let last = text.last, last == 0 { text = text.slice(0, text.count - 1) }
            guard text.firstOffset(of: 0) == nil else { return false }
            bytes.append(contentsOf: text)
            return true
        }
        let text = text.trimmedOfSpace
        guard !text.isEmpty else {
            appendEmpty()
            return true
        }
        separate()
        switch vr {
        case .AT:
            guard text.count == 8, let tag = Tag(hexadecimal: String(decoding: text, as: UTF8.self)) else {
                return false
            }
            append(tag)
            return true
        case .FL, .OF:
            guard let value = text.float32 else { return false }
            append(little: value.bitPattern)
            return true
        case .FD, .OD:
            guard let value = text.float64 else { return false }
            append(little: value.bitPattern)
            return true
        case .SS: return append(integer: text.integer, as: Int16.self)
        case .SL: return append(integer: text.integer, as: Int32.self)
        case .SV: return append(integer: text.integer, as: Int64.self)
        case .US: return append(integer: text.integer, as: UInt16.self)
        case .UL, .OL: return append(integer: text.integer, as: UInt32.self)
        case .UV, .OV: return append(integer: text.integer, as: UInt64.self)
        // Number arrays for OB and OW come from writers that did not look at the sign.
        case .OB, .UN:
            return append(integer: text.integer, as: UInt8.self) || append(integer: text.integer, as: Int8.self)
        case .OW: return append(integer: text.integer, as: UInt16.self) || append(integer: text.integer, as: Int16.self)
        default: return false
        }
    }

    /// Adds a number token of JSON. DS and IS keep its text where that is in their form.
    mutating func append(number text: UnsafeRawBufferPointer) -> Bool {
        switch vr {
        case .AT:
            guard let value = text.integer, let value = UInt32(exactly: value.magnitude), text[0] != 0x2D else {
                return false
            }
            separate()
            append(Tag(rawValue: value))
            return true
        case .IS:
            guard text.contains(where: { $0 == 0x2E || $0 | 0x20 == 0x65 }) else { return append(text: text) }
            guard let value = text.integer else { return false }
            return append(string: String(value))
        case .DS:
            guard text.count > 16 else { return append(text: text) }
            guard let value = text.float64.flatMap(DecimalString.init) else { return false }
            // Once more, without the zeros that rounding leaves: 0.30000000000000004 is 0.3 in 16 characters.
            let text = value.description
            return append(string: DecimalString(text)?.description ?? text)
        default: return append(text: text)
        }
    }

    /// Adds raw bytes, as InlineBinary has them.
    mutating func append(raw: [UInt8]) -> Bool {
        count = 1
        bytes = raw
        switch vr {
        case .OB, .OD, .OF, .OL, .OV, .OW, .UN: return true
        default: return vr.numberWidth > 0 && raw.count % vr.valueWidth == 0
        }
    }

    private mutating func append(string: String) -> Bool {
        var string = string
        return string.withUTF8 { append(text: UnsafeRawBufferPointer($0)) }
    }

    private mutating func separate() {
        if count > 0, vr.isText { bytes.append(0x5C) }
        count += 1
    }

    private mutating func append(_ tag: Tag) {
        append(little: tag.group)
        append(little: tag.element)
    }

    private mutating func append<Number: FixedWidthInteger>(integer: Int128?, as type: Number.Type) -> Bool {
        guard let integer, let number = Number(exactly: integer) else { return false }
        append(little: number)
        return true
    }

    private mutating func append<Number: FixedWidthInteger>(little number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

extension VR {
    /// Whether there may be more than one value (PS3.5 6.2).
    fileprivate var allowsValues: Bool { isBackslashDelimited || !isText }

    /// Whether a model may name a value of this VR instead of holding it (PS3.18 F.2.6).
    var mayBeBulkData: Bool {
        switch self {
        case .DS, .FL, .FD, .IS, .LT, .OB, .OD, .OF, .OL, .OV, .OW, .SL, .SS, .ST, .SV, .UC, .UL, .UN, .US, .UT, .UV:
            true
        case .AE, .AS, .AT, .CS, .DA, .DT, .LO, .PN, .SH, .SQ, .TM, .UI, .UR: false
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var trimmedOfSpace: UnsafeRawBufferPointer {
        var low = 0
        var high = count
        while low < high, self[low] <= 0x20 { low += 1 }
        while low < high, self[high - 1] <= 0x20 { high -= 1 }
        return slice(low, high)
    }

    /// The whole number, also where it is spelt `5.0` or `1e3`.
    fileprivate var integer: Int128? {
        guard count <= 64 else { return nil }
        let text = String(decoding: self, as: UTF8.self)
        if let value = Int128(text) { return value }
        guard let value = Double(text), value.magnitude <= 9_007_199_254_740_992 else { return nil }
        return Int128(exactly: value)
    }

    fileprivate var float32: Float? {
        if let value = notFinite { return Float(value) }
        guard let value = Float(String(decoding: self, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    fileprivate var float64: Double? {
        if let value = notFinite { return value }
        guard let value = Double(String(decoding: self, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    /// NaN and the infinities, in the spellings of JavaScript, XML Schema and C.
    private var notFinite: Double? {
        guard count <= 9, let last, last | 0x20 == 0x6E || last | 0x20 == 0x66 || last | 0x20 == 0x79 else {
            return nil
        }
        switch String(decoding: self, as: UTF8.self).lowercased() {
        case "nan", "-nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: return nil
        }
    }
}
