public import DICOMCore

/// Where in an instance a bulk data value is: `7FE00010`, or `00400555/1/0040A160` for one inside a sequence.
///
/// PS3.18 10.4.1.1.5 leaves the form of bulk data URIs to the server. Items count from 1.
public struct BulkDataPath: Hashable, Sendable {
    /// A sequence and the item of it, from 1.
    public struct Step: Hashable, Sendable {
        public var sequence: Tag
        public var item: Int

        public init(sequence: Tag, item: Int) {
            self.sequence = sequence
            self.item = item
        }
    }

    /// The sequences around the element, outermost first.
    public var steps: [Step]
    public var tag: Tag

    public init(steps: [Step] = [], tag: Tag) {
        self.steps = steps
        self.tag = tag
    }

    /// Reads path segments; `nil` unless they are tags with item numbers between.
    public init?(segments: some Collection<String>) {
        guard segments.count % 2 == 1, segments.count < 130 else { return nil }
        var iterator = segments.makeIterator()
        var steps: [Step] = []
        while let segment = iterator.next() {
            guard let tag = Tag(hexadecimal: segment) else { return nil }
            guard let text = iterator.next() else {
                self.init(steps: steps, tag: tag)
                return
            }
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let item = Int(text), item > 0 else {
                return nil
            }
            steps.append(Step(sequence: tag, item: item))
        }
        return nil
    }

    /// The element in a data set.
    public func element(in dataSet: DataSet) -> DataElement? {
        var dataSet = dataSet
        for step in steps {
            guard let items = dataSet[step.sequence]?.items, items.indices.contains(step.item - 1) else { return nil }
            dataSet = items[step.item - 1]
        }
        return dataSet[tag]
    }
}

extension BulkDataPath: CustomStringConvertible {
    public var description: String {
        steps.map { "\($0.sequence.hexadecimal)/\($0.item)/" }.joined() + tag.hexadecimal
    }
}
