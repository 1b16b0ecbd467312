import DICOMCore

/// Fits the text of a data set that came as JSON or XML, and so in UTF-8, to the Specific Character Set under which it
/// will be stored (dicomweb.md 3.7).
///
/// It stays what (0008,0005) says when all text can be written so; else it becomes ISO_IR 192.
enum MetadataText {
    static func prepare(_ dataSet: DataSet) -> DataSet {
        guard hasExtendedText(dataSet) else { return dataSet }
        let terms = dataSet[.specificCharacterSet].map(terms) ?? []
        if !terms.isEmpty, terms != SpecificCharacterSet.utf8.terms,
            var encoded = encode(dataSet, in: SpecificCharacterSet(terms: terms))
        {
            encoded.characterSet = SpecificCharacterSet(terms: terms)
            return encoded
        }
        var unicode = withoutInnerCharacterSets(dataSet)
        unicode.set(
            DataElement(.specificCharacterSet, .CS, .bytes(ArraySlice("ISO_IR 192".utf8))))
        unicode.characterSet = .utf8
        return unicode
    }

    private static func terms(_ element: DataElement) -> [String] {
        let text = String(decoding: element.bytes ?? [], as: UTF8.self)
        guard text.contains(where: { $0 != " " && $0 != "\0" }) else { return [] }
        return text.split(separator: "\\", omittingEmptySubsequences: false).map { term in
            String(term.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\0" }.reversed())
        }
    }

    /// Whether any text is outside of the default repertoire.
    private static func hasExtendedText(_ dataSet: DataSet) -> Bool {
        dataSet.elements.contains { element in
            switch element.value {
            case .bytes(let bytes): element.vr.usesSpecificCharacterSet && bytes.contains { $0 > 0x7F }
            case .items(let items): items.contains(where: hasExtendedText)
            case .fragments, .bulk: false
            }
        }
    }

    /// The data set with its text in this character set, or `nil` when it does not fit.
    private static func encode(_ dataSet: DataSet, in characterSet: SpecificCharacterSet) -> DataSet? {
        var result = dataSet
        result.characterSet = characterSet
        for element in dataSet.elements {
            switch element.value {
            case .bytes(let bytes):
                guard element.vr.usesSpecificCharacterSet, bytes.contains(where: { $0 > 0x7F }) else { continue }
                guard let encoded = characterSet.encode(String(decoding: bytes, as: UTF8.self)) else { return nil }
                result.set(DataElement(element.tag, element.vr, .bytes(ArraySlice(encoded))))
            case .items(let items):
                var inner: [DataSet] = []
                for item in items {
                    guard var encoded = encode(item, in: characterSet) else { return nil }
                    encoded.remove(.specificCharacterSet)
                    inner.append(encoded)
                }
                result.set(DataElement(element.tag, element.vr, .items(inner)))
            case .fragments, .bulk: continue
            }
        }
        return result
    }

    /// Items have the character set of the data set around them when they have none of their own.
    private static func withoutInnerCharacterSets(_ dataSet: DataSet) -> DataSet {
        var result = dataSet
        for element in dataSet.elements {
            guard let items = element.items else { continue }
            let inner = items.map { item in
                var item = withoutInnerCharacterSets(item)
                item.remove(.specificCharacterSet)
                item.characterSet = .utf8
                return item
            }
            result.set(DataElement(element.tag, element.vr, .items(inner)))
        }
        return result
    }
}
