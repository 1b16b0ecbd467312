extension DataSet {
    /// The attributes at this level whose VR or value differs, or that only one of the two has, in tag order.
    public func differences(from other: DataSet) -> [Tag] {
        var tags: [Tag] = []
        var (left, right) = (elements[...], other.elements[...])
        while let first = left.first ?? right.first {
            switch (left.first, right.first) {
            case (.some(let mine), .some(let theirs)) where mine.tag == theirs.tag:
                if mine != theirs { tags.append(mine.tag) }
                left.removeFirst()
                right.removeFirst()
            case (.some(let mine), .some(let theirs)) where mine.tag > theirs.tag:
                tags.append(theirs.tag)
                right.removeFirst()
            case (.none, _):
                tags.append(first.tag)
                right.removeFirst()
            default:
                tags.append(first.tag)
                left.removeFirst()
            }
        }
        return tags
    }
}
