import DICOMCore

/// The elements of one data set in the Native DICOM Model, whose private ones have a creator but no block: they get the
/// first blocks that are free, from 10 up (PS3.5 7.8.1, PS3.18 F.3.1).
struct PrivateBlocks {
    private var plain = ElementList()
    private var named: [(element: DataElement, creator: String)] = []

    private struct Owner: Hashable {
        var group: UInt16
        var creator: String
    }

    mutating func append(_ element: DataElement, creator: String?) {
        guard element.tag.isInModels || creator != nil else { return }
        if let creator { named.append((element, creator)) } else { plain.append(element) }
    }

    /// The data set; `nil` when a tag is there twice or a group has no block left.
    consuming func dataSet() -> DataSet? {
        guard !named.isEmpty else { return plain.dataSet() }
        var taken: Set<Tag> = []
        var blocks: [Owner: [UInt16]] = [:]
        // Blocks that are in use as they are: by creators that are listed, or by elements without one.
        for element in plain.elements where element.tag.isPrivate {
            if element.tag.isPrivateCreator {
                taken.insert(element.tag)
                let name = DataSet([element], characterSet: .utf8).string(for: element.tag) ?? ""
                blocks[Owner(group: element.tag.group, creator: name), default: []].append(element.tag.element)
            } else if element.tag.element >= 0x1000 {
                taken.insert(Tag(element.tag.group, element.tag.element >> 8))
            }
        }
        var used = Set(plain.elements.lazy.map(\.tag))
        for (element, creator) in named {
            let group = element.tag.group
            let offset = element.tag.element & 0xFF
            let owner = Owner(group: group, creator: creator)
            // The same element again is one of a second block of the same creator.
            var block = blocks[owner]?.first { !used.contains(Tag(group, $0 << 8 | offset)) }
            if block == nil {
                guard let free = (0x10...0xFF as ClosedRange<UInt16>).first(where: { !taken.contains(Tag(group, $0)) })
                else { return nil }
                taken.insert(Tag(group, free))
                blocks[owner, default: []].append(free)
                var name = Array(creator.utf8)
                if name.count % 2 != 0 { name.append(0x20) }
                plain.append(DataElement(Tag(group, free), .LO, .bytes(name[...])))
                block = free
            }
            guard let block else { return nil }
            let tag = Tag(group, block << 8 | offset)
            used.insert(tag)
            plain.append(DataElement(tag, element.vr, element.value))
        }
        return plain.dataSet()
    }
}
