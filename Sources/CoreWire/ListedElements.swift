package import DICOMCore

/// A data set as `ImageStoredEvent` lists it: the elements of the top level, each with its first value as text. Sequences
/// and native pixel data have no value to list.
package enum ListedElements {
    /// The list of a data set, ascending.
    package static func list(_ dataSet: DataSet) -> [ImageStoredEvent.Element] {
        dataSet.elements.compactMap { element in
            if isNativePixelData(element) { return nil }
            return ImageStoredEvent.Element(
                tag: element.tag, vr: element.vr.letters, value: text(of: element, in: dataSet))
        }
    }

    /// The data set of a list, as far as the list tells it.
    package static func dataSet(of elements: [ImageStoredEvent.Element]) -> DataSet {
        var dataSet = DataSet(characterSet: .utf8)
        for listed in elements {
            let tag = listed.tag
            guard !tag.isGroupLength, tag.group != 0x0002, tag < .dataSetTrailingPadding, tag.group != 0x7FE0,
                tag != .specificCharacterSet, let vr = VR(listed.vr), let bytes = bytes(of: listed.value, vr)
            else { continue }
            dataSet.insertIfAbsent(DataElement(tag, vr, .bytes(bytes[...])))
        }
        dataSet.insertIfAbsent(DataElement(.specificCharacterSet, .CS, .bytes(Array("ISO_IR 192".utf8)[...])))
        return dataSet
    }

    private static func isNativePixelData(_ element: DataElement) -> Bool {
        guard element.tag.group == 0x7FE0, [0x0008, 0x0009, 0x0010].contains(element.tag.element) else { return false }
        if case .fragments = element.value { return false }
        return true
    }

    // MARK: - Values to text

    private static func text(of element: DataElement, in dataSet: DataSet) -> String? {
        guard let bytes = element.bytes, !bytes.isEmpty else { return nil }
        if element.vr.isText {
            let text =
                element.vr.isBackslashDelimited
                ? dataSet.characterSet.decodeValues(bytes, vr: element.vr).first
                : dataSet.characterSet.decode(bytes, vr: element.vr)
            return text.flatMap { $0.isEmpty ? nil : $0 }
        }
        func number<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
            guard bytes.count >= Number.bitWidth / 8 else { return nil }
            return Number(
                littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 0, as: Number.self) })
        }
        // Of long binary values too the first number is listed, with a sign.
        return switch element.vr {
        case .OB, .UN: number(Int8.self)?.description
        case .OW, .SS: number(Int16.self)?.description
        case .US: number(UInt16.self)?.description
        case .OL, .SL: number(Int32.self)?.description
        case .UL: number(UInt32.self)?.description
        case .OV, .SV: number(Int64.self)?.description
        case .UV: number(UInt64.self)?.description
        case .FL, .OF: number(UInt32.self).map { Float(bitPattern: $0).description }
        case .FD, .OD: number(UInt64.self).map { Double(bitPattern: $0).description }
        case .AT: tag(bytes).map { hexadecimal($0) }
        default: nil
        }
    }

    private static func tag(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        guard bytes.count >= 4 else { return nil }
        let first = bytes.startIndex
        return UInt32(bytes[first + 1]) << 24 | UInt32(bytes[first]) << 16 | UInt32(bytes[first + 3]) << 8
            | UInt32(bytes[first + 2])
    }

    private static func hexadecimal(_ number: UInt32) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - text.count) + text
    }

    // MARK: - Text to values

    /// The value field of a text; `nil` where the text does not tell the whole value, or is none.
    private static func bytes(of text: String?, _ vr: VR) -> [UInt8]? {
        guard vr != .SQ else { return nil }
        guard let text, !text.isEmpty else { return vr.isText ? [] : nil }
        if vr.isText {
            var bytes = text.utf8.filter { $0 != 0 }
            if bytes.count % 2 != 0 { bytes.append(vr.paddingByte) }
            return bytes
        }
        return switch vr {
        case .US: UInt16(text).map(littleEndian)
        case .SS: Int16(text).map(littleEndian)
        case .UL: UInt32(text).map(littleEndian)
        case .SL: Int32(text).map(littleEndian)
        case .UV: UInt64(text).map(littleEndian)
        case .SV: Int64(text).map(littleEndian)
        case .FL: Float(text).map { littleEndian($0.bitPattern) }
        case .FD: Double(text).map { littleEndian($0.bitPattern) }
        case .AT:
            text.utf8.count == 8
                ? UInt32(text, radix: 16).map {
                    littleEndian(UInt16(truncatingIfNeeded: $0 >> 16)) + littleEndian(UInt16(truncatingIfNeeded: $0))
                } : nil
        default: nil
        }
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}
