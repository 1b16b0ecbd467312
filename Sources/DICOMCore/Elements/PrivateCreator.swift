/// A reservation of a block of private elements (PS3.5 7.8.1).
public struct PrivateCreator: Hashable, Sendable {
    public var group: UInt16
    /// 10 to FF.
    public var block: UInt8
    public var name: String

    /// The element of the block with this low byte.
    public func tag(_ element: UInt8) -> Tag { Tag(group, UInt16(block) << 8 | UInt16(element)) }
}

extension DataSet {
    /// Who reserved the block that a private element is in; `nil` when nobody did.
    public func privateCreator(of tag: Tag) -> PrivateCreator? {
        let block = tag.element >> 8
        guard tag.isPrivate, block >= 0x10, let name = string(for: Tag(tag.group, block)) else { return nil }
        return PrivateCreator(group: tag.group, block: UInt8(block), name: name)
    }

    /// The block that a creator reserved in a group.
    public func privateBlock(of name: String, group: UInt16) -> PrivateCreator? {
        for element in self where element.tag.group == group && element.tag.isPrivateCreator {
            if string(for: element.tag) == name {
                return PrivateCreator(group: group, block: UInt8(element.tag.element), name: name)
            }
        }
        return nil
    }
}
