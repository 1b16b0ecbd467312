import DICOMCore

/// Looks whether a JSON value fits an attribute (PS3.5 6.2).
struct MetadataValueCheck {
    let tag: Tag
    let keyword: String

    /// What is wrong with the value, without naming it; `nil` when it fits. Null fits everything.
    func fault(of value: OrderedJSON) -> String? {
        guard value != .null else { return nil }
        guard let entry = DataDictionary.standard.entry(for: tag) else { return "The attribute is not known." }
        if let elements = value.elements {
            guard !elements.isEmpty else { return "There is no value; null takes one away." }
            guard elements.count >= entry.vm.minimum, elements.count <= entry.vm.maximum ?? .max else {
                return "\(keyword) does not have so many values."
            }
            return elements.lazy.compactMap { fault(of: $0, as: entry.vr) }.first
        }
        return fault(of: value, as: entry.vr)
    }

    private func fault(of value: OrderedJSON, as vr: VR) -> String? {
        switch value {
        case .string(let text): fault(ofText: text, as: vr)
        case .integer(let number): fits(number, vr) ? nil : "\(keyword) (\(vr.letters)) \(Self.wants(vr))"
        case .number(let number): fits(number, vr) ? nil : "\(keyword) (\(vr.letters)) \(Self.wants(vr))"
        case .null, .bool, .array, .object: "\(keyword) (\(vr.letters)) \(Self.wants(vr)) Here is \(value.kind)."
        }
    }

    private func fault(ofText text: String, as vr: VR) -> String? {
        guard !text.isEmpty else { return "The text is empty; null takes a value away." }
        return fits(text, vr) ? nil : "\(keyword) (\(vr.letters)) \(Self.wants(vr))"
    }

    // MARK: - What fits

    private func fits(_ number: Int64, _ vr: VR) -> Bool {
        switch vr {
        case .IS, .SL: Int32(exactly: number) != nil
        case .US: UInt16(exactly: number) != nil
        case .SS: Int16(exactly: number) != nil
        case .UL: UInt32(exactly: number) != nil
        case .UV: number >= 0
        case .SV, .DS, .FL, .FD: true
        case .AE, .AS, .AT, .CS, .DA, .DT, .LO, .LT, .OB, .OD, .OF, .OL, .OV, .OW, .PN, .SH, .SQ, .ST, .TM, .UC, .UI,
            .UN, .UR, .UT:
            false
        }
    }

    private func fits(_ number: Double, _ vr: VR) -> Bool { vr == .DS || vr == .FL || vr == .FD }

    private func fits(_ text: String, _ vr: VR) -> Bool {
        switch vr {
        case .AS: AgeString(text) != nil && text.utf8.count == 4
        case .DA: DateValue(text) != nil
        case .TM: TimeValue(text) != nil
        case .DT: DateTimeValue(text) != nil
        case .UI: UID(text) != nil
        case .IS: IntegerString(text) != nil && text.utf8.count <= 12
        case .DS: DecimalString(text) != nil && text.utf8.count <= 16
        case .CS: text.utf8.count <= 16 && text.utf8.allSatisfy(Self.isCodeCharacter)
        case .AE: text.utf8.count <= 16 && isLine(text) && text.utf8.allSatisfy { $0 < 0x7F }
        case .SH: text.unicodeScalars.count <= 16 && isLine(text)
        case .LO: text.unicodeScalars.count <= 64 && isLine(text)
        case .PN:
            isLine(text)
                && text.split(separator: "=", omittingEmptySubsequences: false).allSatisfy {
                    $0.unicodeScalars.count <= 64
                }
        case .UC: isLine(text)
        case .ST: text.unicodeScalars.count <= 1024 && isText(text)
        case .LT: text.unicodeScalars.count <= 10_240 && isText(text)
        case .UT, .UR: isText(text)
        case .AT, .FD, .FL, .OB, .OD, .OF, .OL, .OV, .OW, .SL, .SQ, .SS, .SV, .UL, .UN, .US, .UV: false
        }
    }

    private static func isCodeCharacter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F || byte == 0x20
    }

    /// Text without control characters and without what would separate two values.
    private func isLine(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "\\" }
    }

    /// Text that may have lines.
    private func isText(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && $0.value != 0x7F || "\t\n\u{C}\r".unicodeScalars.contains($0)
        }
    }

    // MARK: - What to say

    private static func wants(_ vr: VR) -> String {
        switch vr {
        case .AS: "is three digits and one of D, W, M, Y, as in 045Y."
        case .DA: "is a date as in 20240131."
        case .TM: "is a time as in 093000."
        case .DT: "is a date and time as in 20240131093000."
        case .UI: "is a UID."
        case .IS: "is a whole number of 32 bits."
        case .DS: "is a decimal number of at most 16 characters."
        case .CS: "has at most 16 capital letters, digits, spaces and underscores."
        case .AE, .SH: "is a line of at most 16 characters."
        case .LO, .PN: "is a line of at most 64 characters."
        case .UC: "is a line of text."
        case .ST: "is text of at most 1024 characters."
        case .LT: "is text of at most 10240 characters."
        case .UT, .UR: "is text."
        case .US, .SS, .UL, .SL, .UV, .SV: "is a whole number."
        case .FL, .FD: "is a number."
        case .AT, .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .UN: "cannot be given here."
        }
    }
}
