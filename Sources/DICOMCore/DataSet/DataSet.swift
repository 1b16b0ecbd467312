/// Data elements in ascending order of their tags, each tag at most once (PS3.5 7.1).
public struct DataSet: Sendable {
    /// The elements, ascending by tag.
    public private(set) var elements: [DataElement]
    /// How text of this data set is encoded: its own (0008,0005), else that of the data set around it.
    public var characterSet: SpecificCharacterSet

    @inlinable
    public init() {
        self.init(characterSet: .default)
    }

    public init(characterSet: SpecificCharacterSet) {
        self.elements = []
        self.characterSet = characterSet
    }

    /// Takes elements in any order; where a tag occurs more than once, the first one counts.
    public init(_ elements: some Sequence<DataElement>, characterSet: SpecificCharacterSet = .default) {
        self.elements = []
        self.characterSet = characterSet
        for element in elements { insertIfAbsent(element) }
    }

    /// Takes elements that are already in ascending order, without looking.
    init(ascending elements: [DataElement], characterSet: SpecificCharacterSet) {
        self.elements = elements
        self.characterSet = characterSet
    }

    /// The element with this tag.
    public subscript(tag: Tag) -> DataElement? {
        let index = insertionIndex(of: tag)
        guard index < elements.count, elements[index].tag == tag else { return nil }
        return elements[index]
    }

    /// Puts the element in its place, instead of one with the same tag.
    public mutating func set(_ element: DataElement) {
        let index = insertionIndex(of: element.tag)
        if index < elements.count, elements[index].tag == element.tag {
            elements[index] = element
        } else {
            elements.insert(element, at: index)
        }
    }

    /// Puts the element in its place unless there is one with its tag. Says whether it did.
    @discardableResult
    public mutating func insertIfAbsent(_ element: DataElement) -> Bool {
        // Elements nearly always come in order.
        guard let last = elements.last, last.tag >= element.tag else {
            elements.append(element)
            return true
        }
        let index = insertionIndex(of: element.tag)
        guard index == elements.count || elements[index].tag != element.tag else { return false }
        elements.insert(element, at: index)
        return true
    }

    /// Takes the element out and returns it.
    @discardableResult
    public mutating func remove(_ tag: Tag) -> DataElement? {
        let index = insertionIndex(of: tag)
        guard index < elements.count, elements[index].tag == tag else { return nil }
        return elements.remove(at: index)
    }

    /// Makes room for this many elements.
    public mutating func reserveCapacity(_ count: Int) { elements.reserveCapacity(count) }

    /// Index of the first element whose tag is not below `tag`.
    private func insertionIndex(of tag: Tag) -> Int {
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle].tag < tag { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension DataSet: Hashable {
    /// Equal when the elements are; the character set only says how to read them.
    public static func == (left: DataSet, right: DataSet) -> Bool { left.elements == right.elements }
    public func hash(into hasher: inout Hasher) { hasher.combine(elements) }
}

extension DataSet: RandomAccessCollection {
    public var startIndex: Int { elements.startIndex }
    public var endIndex: Int { elements.endIndex }
    public subscript(position: Int) -> DataElement { elements[position] }
}
