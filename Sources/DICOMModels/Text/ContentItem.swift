import DICOMCore

/// A node of a structured report's content tree (PS3.3 C.17.3.2).
public struct ContentItem: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        /// A heading of the items below.
        case container
        /// Anything that is read as one text: TEXT, CODE, NUM with its unit, PNAME, dates, UIDs.
        case text(String)
        /// A composite object, an image or a waveform.
        case reference(sopClass: String, sopInstance: String, frames: [Int])
        /// Another item, by its place in the tree (by-reference relationship).
        case item([Int])
        /// Coordinates and other things that are not for reading, by what they are called.
        case other(String)
    }

    /// The meaning of the concept name.
    public var name: String?
    /// Relationship Type (0040,A010), such as `CONTAINS`.
    public var relationship: String?
    public var value: Value
    public var children: [ContentItem]

    /// What is nested deeper is left out.
    private static let maximumDepth = 64

    /// Reads an item of a Content Sequence, or a data set that is the root; `nil` without value type and reference.
    init?(_ item: DataSet, depth: Int = 0) {
        relationship = item.string(for: .relationshipType)
        name = Self.meaning(item, .conceptNameCodeSequence)
        children =
            depth < Self.maximumDepth
            ? item.items(for: .contentSequence).compactMap { ContentItem($0, depth: depth + 1) } : []
        let place = item.ints(for: .referencedContentItemIdentifier)
        if !place.isEmpty {
            value = .item(place)
            return
        }
        guard let type = item.string(for: .valueType)?.uppercased() else { return nil }
        value = Self.value(item, type)
    }

    private static func value(_ item: DataSet, _ type: String) -> Value {
        switch type {
        case "CONTAINER": return .container
        case "TEXT": return .text(item.string(for: .textValue) ?? "")
        case "CODE": return .text(meaning(item, .conceptCodeSequence) ?? "")
        case "NUM": return .text(number(item))
        case "PNAME": return .text(item.personName(for: .personName).map(ReadableText.name) ?? "")
        case "DATE": return .text(item.string(for: .date).map(ReadableText.date) ?? "")
        case "TIME": return .text(item.string(for: .time).map(ReadableText.time) ?? "")
        case "DATETIME": return .text(item.string(for: .dateTime).map(ReadableText.dateTime) ?? "")
        case "UIDREF": return .text(item.string(for: .uid) ?? "")
        case "IMAGE", "COMPOSITE", "WAVEFORM":
            guard let object = item.items(for: .referencedSOPSequence).first,
                let instance = object.string(for: .referencedSOPInstanceUID)
            else { return .other(type) }
            let sopClass = object.string(for: .referencedSOPClassUID) ?? ""
            return .reference(
                sopClass: SOPClass(uid: sopClass)?.name ?? sopClass, sopInstance: instance,
                frames: object.ints(for: .referencedFrameNumber))
        case "SCOORD", "SCOORD3D":
            return .other([type, item.string(for: .graphicType)].compactMap { $0 }.joined(separator: " "))
        case "TCOORD":
            return .other([type, item.string(for: .temporalRangeType)].compactMap { $0 }.joined(separator: " "))
        default: return .other(type)
        }
    }

    /// The value with its unit, or why there is none (PS3.3 C.18.1).
    private static func number(_ item: DataSet) -> String {
        let qualifier = meaning(item, .numericValueQualifierCodeSequence)
        guard let measured = item.items(for: .measuredValueSequence).first,
            let value = measured.string(for: .numericValue)
        else { return qualifier ?? "" }
        let unit = measured.items(for: .measurementUnitsCodeSequence).first.flatMap { CodedEntry($0) }
        // UCUM writes what has no unit as 1, or as a remark in braces.
        let symbol = unit.flatMap { unit in
            unit.value == "1" || unit.value.isEmpty ? nil : unit.value.hasPrefix("{") ? unit.meaning : unit.value
        }
        return ([value, symbol].compactMap { $0 } + (qualifier.map { ["(\($0))"] } ?? [])).joined(separator: " ")
    }

    private static func meaning(_ item: DataSet, _ tag: Tag) -> String? {
        guard let code = item.items(for: tag).first else { return nil }
        let meaning = code.string(for: .codeMeaning) ?? CodedEntry(code).map { "\($0.value) (\($0.scheme))" }
        return meaning?.isEmpty == false ? meaning : nil
    }
}
