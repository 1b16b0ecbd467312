import DICOMCore

/// Elements in the order they were read, sorted once at the end: keys in descending order must not cost a shift each.
struct ElementList {
    private(set) var elements: [DataElement] = []
    private var isAscending = true

    mutating func append(_ element: DataElement) {
        if let last = elements.last, last.tag >= element.tag { isAscending = false }
        elements.append(element)
    }

    /// The data set, or `nil` when a tag is there twice.
    consuming func dataSet() -> DataSet? {
        if !isAscending {
            elements.sort { $0.tag < $1.tag }
            for index in elements.indices.dropFirst() where elements[index].tag == elements[index - 1].tag {
                return nil
            }
        }
        return DataSet(elements, characterSet: .utf8)
    }
}

extension DataElement {
    /// Specific Character Set: UTF-8.
    static var utf8CharacterSet: DataElement {
        DataElement(Tag(0x0008, 0x0005), .CS, .bytes(ArraySlice("ISO_IR 192".utf8)))
    }
}

extension VR {
    /// What an element without a VR most probably has; bytes when nothing is known of it.
    static func inferred(for tag: Tag) -> VR { DataDictionary.standard.vr(for: tag) ?? .UN }
}
