package import BlobStorage
package import DICOMCore
import DICOMModels
import DICOMPixels

/// Everything that the index needs of one instance. Made where the instance was received, so that the transaction has
/// only rows to write.
package struct IndexEntry: Sendable {
    package let identity: InstanceIdentity
    /// Where the stored file is: known once the blob is durable.
    package var location: BlobLocation
    /// SHA-256 of the stored file.
    package let digest: [UInt8]
    package let length: Int
    package let transferSyntaxUID: String
    package let dataSetOffset: Int
    package let isFaithful: Bool
    /// An encoded `FrameLayout`; empty where there are no frames.
    package let frameLayout: [UInt8]
    package let receivedAt: Int64

    let studyKeys: StudyKeys
    let seriesKeys: SeriesKeys
    let instanceNumber: Int64?
    /// Attributes of each level as a search returns them.
    let studyAttributes: AttributeFragments
    let seriesAttributes: AttributeFragments
    let instanceAttributes: AttributeFragments
    /// The whole metadata document.
    let document: AttributeFragments

    /// Prepares what the rows will hold.
    package init(
        file: DICOMFile, blob: BlobLocation, digest: [UInt8], identity: InstanceIdentity, receivedAt: Int64
    ) {
        self.identity = identity
        location = blob
        self.digest = digest
        length = file.length
        transferSyntaxUID = file.transferSyntaxUID
        dataSetOffset = file.dataSetOffset
        isFaithful = file.isFaithful
        frameLayout = FrameLayout(dataSet: file.dataSet, transferSyntax: file.transferSyntax)?.encode() ?? []
        self.receivedAt = receivedAt

        let dataSet = file.dataSet
        studyKeys = StudyKeys(dataSet)
        seriesKeys = SeriesKeys(dataSet)
        instanceNumber = MatchingKeys.number(dataSet, .instanceNumber)
        var fragments = Fragments()
        fragments.take(dataSet)
        studyAttributes = fragments.levels[0]
        seriesAttributes = fragments.levels[1]
        instanceAttributes = fragments.levels[2]
        document = fragments.document
    }

    /// Prepares what the rows will hold of an instance whose file was not read here: nothing is known of its length, its
    /// frames, and what stands in front of its data set.
    package init(
        unread dataSet: DataSet, blob: BlobLocation, digest: [UInt8], transferSyntaxUID: String,
        identity: InstanceIdentity, receivedAt: Int64
    ) {
        self.init(
            file: DICOMFile(dataSet: dataSet, transferSyntaxUID: transferSyntaxUID, length: blob.length), blob: blob,
            digest: digest, identity: identity, receivedAt: receivedAt)
    }
}

extension AttributeFragments {
    /// The attributes of study, series and instance that a search returns, out of a whole document.
    var searchedLevels: (study: AttributeFragments, series: AttributeFragments, instance: AttributeFragments) {
        var fragments = Fragments()
        fragments.take(self)
        return (fragments.levels[0], fragments.levels[1], fragments.levels[2])
    }
}

/// The prepared values of one data set: the document, and from it the attributes of each level.
private struct Fragments {
    var document = AttributeFragments()
    var levels = [AttributeFragments](repeating: AttributeFragments(), count: 3)

    /// A value object above this length is not kept for searches; the document has it all the same.
    private static let longest = 16384

    /// Tags to keep for searches, in order, each with a bit per level.
    private static let kept: [(tag: UInt32, levels: UInt8)] = {
        var byTag: [UInt32: UInt8] = [:]
        for attribute in IndexedAttributes.standard.all where !attribute.isComputed {
            byTag[attribute.tag.rawValue, default: 0] |= 1 << UInt8(attribute.level.rawValue)
        }
        return byTag.map { (tag: $0.key, levels: $0.value) }.sorted { $0.tag < $1.tag }
    }()

    /// Goes through a document that was made elsewhere.
    mutating func take(_ document: AttributeFragments) {
        let kept = Self.kept
        var position = 0
        for entry in document.entries {
            while position < kept.count, kept[position].tag < entry.tag { position += 1 }
            guard position < kept.count else { break }
            let value = document.bytes[entry.start..<entry.end]
            guard kept[position].tag == entry.tag, value.count <= Self.longest, !value.contains(0) else { continue }
            for level in 0..<3 where kept[position].levels & (1 << UInt8(level)) != 0 {
                levels[level].append(Tag(rawValue: entry.tag), value)
            }
        }
    }

    /// Goes through the data set once.
    mutating func take(_ dataSet: DataSet) {
        var writer = DICOMJSONWriter(bulkData: BulkDataPolicy(base: "\u{0}"))
        let kept = Self.kept
        var position = 0
        var value: [UInt8] = []
        value.reserveCapacity(1024)
        for element in dataSet.elements {
            let tag = element.tag
            guard !tag.isGroupLength, tag.group != 0x0002, tag < .dataSetTrailingPadding else { continue }
            value.removeAll(keepingCapacity: true)
            writer.writeElement(element, of: dataSet, into: &value)
            document.append(tag, value)
            while position < kept.count, kept[position].tag < tag.rawValue { position += 1 }
            guard position < kept.count, kept[position].tag == tag.rawValue, value.count <= Self.longest,
                !value.contains(0)
            else { continue }
            for level in 0..<3 where kept[position].levels & (1 << UInt8(level)) != 0 {
                levels[level].append(tag, value)
            }
        }
    }
}
