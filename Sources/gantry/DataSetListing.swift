import DICOMCore

/// A data set as text, one element a line: tag, value representation, value, and behind `#` length, name and multiplicity.
struct DataSetListing {
    /// Whether long values end in `…`.
    var isShortened: Bool

    /// The file meta information and the data set.
    func text(of file: DICOMFile) -> String {
        var text = "# File meta information\n"
        write(file.fileMeta.elements, depth: 0, into: &text)
        text += "\n# Data set, \(file.transferSyntax?.name ?? file.transferSyntaxUID)\n"
        write(file.dataSet, depth: 0, into: &text)
        return text
    }

    private func write(_ dataSet: DataSet, depth: Int, into text: inout String) {
        let indentation = String(repeating: "  ", count: depth)
        for element in dataSet {
            let (value, length) = describe(element, in: dataSet)
            let line = "\(indentation)\(element.tag) \(element.vr.letters) \(value)"
            let padding = String(repeating: " ", count: max(1, 64 - line.count))
            text += "\(line)\(padding)# \(length)\(name(of: element.tag, in: dataSet))\n"
            guard let items = element.items else { continue }
            for (index, item) in items.enumerated() {
                text += "\(indentation)  item \(index + 1)\n"
                write(item, depth: depth + 2, into: &text)
            }
        }
    }

    /// The value as text and how many bytes it has.
    private func describe(_ element: DataElement, in dataSet: DataSet) -> (value: String, length: String) {
        switch element.value {
        case .bytes(let bytes):
            let text = bytes.isEmpty ? "(no value)" : shortened(value(of: bytes, element.vr, dataSet.characterSet))
            return (text, "\(bytes.count) ")
        case .items(let items):
            return ("(sequence, \(items.count) item\(items.count == 1 ? "" : "s"))", "")
        case .fragments(let fragments):
            let length = fragments.fragments.reduce(0) { $0 + $1.range.count }
            let count = fragments.fragments.count
            return ("(\(count) fragment\(count == 1 ? "" : "s"))", "\(length) ")
        case .bulk(.range(let range)):
            return ("(bytes from \(range.lowerBound))", "\(range.count) ")
        case .bulk(.uri(let uri)):
            return (Terminal.printable(uri), "")
        }
    }

    private func value(of bytes: ArraySlice<UInt8>, _ vr: VR, _ characterSet: SpecificCharacterSet) -> String {
        switch vr {
        case .UI:
            let uid = characterSet.decode(bytes, vr: .UI)
            let name = TransferSyntax(uid: uid)?.name ?? SOPClass(uid: uid)?.name
            return name.map { "[\(uid)] \($0)" } ?? "[\(uid)]"
        case _ where vr.isText: return "[\(Terminal.printable(characterSet.decode(bytes, vr: vr)))]"
        case .AT:
            return numbers(bytes, 4) { Tag(UInt16($0 & 0xFFFF), UInt16($0 >> 16 & 0xFFFF)).description }
        case .US: return numbers(bytes, 2) { "\($0)" }
        case .UL: return numbers(bytes, 4) { "\($0)" }
        case .UV: return numbers(bytes, 8) { "\($0)" }
        case .SS: return numbers(bytes, 2) { "\(Int16(truncatingIfNeeded: $0))" }
        case .SL: return numbers(bytes, 4) { "\(Int32(truncatingIfNeeded: $0))" }
        case .SV: return numbers(bytes, 8) { "\(Int64(truncatingIfNeeded: $0))" }
        case .FL, .OF: return numbers(bytes, 4) { "\(Float(bitPattern: UInt32(truncatingIfNeeded: $0)))" }
        case .FD, .OD: return numbers(bytes, 8) { "\(Double(bitPattern: $0))" }
        case .OW: return numbers(bytes, 2) { Self.hexadecimal($0, 4) }
        case .OL: return numbers(bytes, 4) { Self.hexadecimal($0, 8) }
        case .OV: return numbers(bytes, 8) { Self.hexadecimal($0, 16) }
        default: return numbers(bytes, 1) { Self.hexadecimal($0, 2) }
        }
    }

    /// Little-endian numbers of a width, separated by backslashes.
    private func numbers(_ bytes: ArraySlice<UInt8>, _ width: Int, _ text: (UInt64) -> String) -> String {
        let count = isShortened ? min(bytes.count, 24 * width) : bytes.count
        return stride(from: bytes.startIndex, to: bytes.startIndex + count, by: width).map { start in
            let end = min(start + width, bytes.endIndex)
            return text((start..<end).reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) })
        }.joined(separator: "\\")
    }

    private func shortened(_ text: String) -> String {
        let limit = 72
        return isShortened && text.count > limit ? text.prefix(limit - 1) + "…" : text
    }

    /// The attribute's name; that of the block's owner for a private one.
    private func name(of tag: Tag, in dataSet: DataSet) -> String {
        if let entry = DataDictionary.standard.entry(for: tag) { return entry.keyword }
        if tag.isGroupLength { return "GroupLength" }
        guard tag.isPrivate else { return "unknown" }
        if tag.isPrivateCreator { return "PrivateCreator" }
        guard let creator = dataSet[Tag(tag.group, tag.element >> 8)]?.bytes else { return "private" }
        return "private, \(Terminal.printable(dataSet.characterSet.decode(creator, vr: .LO)))"
    }

    private static func hexadecimal(_ value: UInt64, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
