import BlobStorage
package import DICOMCore
import DICOMModels
import DICOMPixels
import FoundationEssentials

/// An entry as it goes from the process that took the instance to the one that has the index. Arriving, nothing in it is
/// believed: UIDs, location, lengths and values are checked, and what is searched for is taken from the document.
extension IndexEntry: Codable {
    private enum CodingKeys: String, CodingKey {
        case identity, location, digest, length, transferSyntaxUID, dataSetOffset, isFaithful, frameLayout, receivedAt
        case study, series, instanceNumber, document
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        identity = try values.decode(InstanceIdentity.self, forKey: .identity)
        location = try values.decode(BlobLocation.self, forKey: .location)
        digest = try values.bytes(forKey: .digest, atMost: 32)
        try values.check(digest.count == 32, .digest)
        length = try values.decode(Int.self, forKey: .length)
        try values.check(length > 0 && length <= Self.longestFile && length == location.length, .length)
        transferSyntaxUID = try values.decode(String.self, forKey: .transferSyntaxUID)
        try values.check(Self.isPlain(transferSyntaxUID, atMost: 64), .transferSyntaxUID)
        dataSetOffset = try values.decode(Int.self, forKey: .dataSetOffset)
        try values.check((0...length).contains(dataSetOffset), .dataSetOffset)
        isFaithful = try values.decode(Bool.self, forKey: .isFaithful)
        frameLayout = try values.bytes(forKey: .frameLayout, atMost: 64 << 20)
        try values.check(frameLayout.isEmpty || FrameLayout(decoding: frameLayout) != nil, .frameLayout)
        receivedAt = try values.decode(Int64.self, forKey: .receivedAt)
        try values.check((0...1 << 52).contains(receivedAt), .receivedAt)
        studyKeys = try values.decode(StudyKeys.self, forKey: .study)
        try values.check(studyKeys.isSound, .study)
        seriesKeys = try values.decode(SeriesKeys.self, forKey: .series)
        try values.check(seriesKeys.isSound, .series)
        instanceNumber = try values.decodeIfPresent(Int64.self, forKey: .instanceNumber)
        document = try values.decode(AttributeFragments.self, forKey: .document)
        try values.check(document.isComplete, .document)
        (studyAttributes, seriesAttributes, instanceAttributes) = document.searchedLevels
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(identity, forKey: .identity)
        try values.encode(location, forKey: .location)
        try values.encode(Data(digest), forKey: .digest)
        try values.encode(length, forKey: .length)
        try values.encode(transferSyntaxUID, forKey: .transferSyntaxUID)
        try values.encode(dataSetOffset, forKey: .dataSetOffset)
        try values.encode(isFaithful, forKey: .isFaithful)
        try values.encode(Data(frameLayout), forKey: .frameLayout)
        try values.encode(receivedAt, forKey: .receivedAt)
        try values.encode(studyKeys, forKey: .study)
        try values.encode(seriesKeys, forKey: .series)
        try values.encodeIfPresent(instanceNumber, forKey: .instanceNumber)
        try values.encode(document, forKey: .document)
    }

    private static let longestFile = 1 << 50

    /// Whether this is text for a line: not longer, and without control characters.
    static func isPlain(_ text: String, atMost length: Int) -> Bool {
        text.utf8.count <= length && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

extension IndexEntry {
    /// The metadata as a data set, as far as it was kept.
    package func metadata() throws -> DataSet {
        let whole = MetadataDocument(
            study: identity.study, series: identity.series, instance: identity.instance, version: 0,
            template: AttributeFragments(), own: document)
        return try DICOMJSONReader.dataSets(from: whole.json(base: "")).first ?? DataSet()
    }
}

extension StudyKeys {
    /// Whether all texts are such as a data set could have, and a database can keep.
    fileprivate var isSound: Bool {
        let names = [patientName, referringPhysician]
        return
            ([patientID, patientIDIssuer, patientSex, accessionNumber, studyID, description]
            + names.flatMap { [$0.alphabetic, $0.ideographic, $0.phonetic, $0.codes] }).allSatisfy(\.isColumnText)
    }
}

extension SeriesKeys {
    fileprivate var isSound: Bool {
        requests.count <= 4096
            && ([modality, description, bodyPart] + requests.flatMap { [$0.scheduledStepID, $0.requestedProcedureID] })
                .allSatisfy(\.isColumnText)
    }
}

extension String {
    fileprivate var isColumnText: Bool { utf8.count <= 1 << 18 && !utf8.contains(0) }
}
