package import BlobStorage
package import DICOMCore
import DICOMPixels
import FoundationEssentials

/// An instance as the process that has the index tells of it.
extension StoredInstance: Codable {
    private enum CodingKeys: String, CodingKey {
        case identity, location, length, transferSyntaxUID, dataSetOffset, isFaithful, digest, frameLayout
        case instanceNumber, version, storedAt
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let length = try values.decode(Int.self, forKey: .length)
        let offset = try values.decode(Int.self, forKey: .dataSetOffset)
        let location = try values.decode(BlobLocation.self, forKey: .location)
        let frameLayout = try values.bytes(forKey: .frameLayout, atMost: 64 << 20)
        try values.check(length >= 0 && length == location.length, .length)
        try values.check((0...length).contains(offset), .dataSetOffset)
        try values.check(frameLayout.isEmpty || FrameLayout(decoding: frameLayout) != nil, .frameLayout)
        self.init(
            identity: try values.decode(InstanceIdentity.self, forKey: .identity), location: location, length: length,
            transferSyntaxUID: try values.decode(String.self, forKey: .transferSyntaxUID), dataSetOffset: offset,
            isFaithful: try values.decode(Bool.self, forKey: .isFaithful),
            digest: try values.bytes(forKey: .digest, atMost: 32), frameLayout: frameLayout,
            instanceNumber: try values.decodeIfPresent(Int64.self, forKey: .instanceNumber),
            version: try values.decode(Int64.self, forKey: .version),
            storedAt: try values.decode(Int64.self, forKey: .storedAt))
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(identity, forKey: .identity)
        try values.encode(location, forKey: .location)
        try values.encode(length, forKey: .length)
        try values.encode(transferSyntaxUID, forKey: .transferSyntaxUID)
        try values.encode(dataSetOffset, forKey: .dataSetOffset)
        try values.encode(isFaithful, forKey: .isFaithful)
        try values.encode(Data(digest), forKey: .digest)
        try values.encode(Data(frameLayout), forKey: .frameLayout)
        try values.encodeIfPresent(instanceNumber, forKey: .instanceNumber)
        try values.encode(version, forKey: .version)
        try values.encode(storedAt, forKey: .storedAt)
    }
}

extension StoredInstance {
    /// Whether nobody of us has read the file yet, so that neither its length nor its frames are known.
    package var isUnread: Bool { length == 0 }

    /// The same instance with what reading its file told.
    package func read(as file: DICOMFile, at location: BlobLocation) -> StoredInstance {
        StoredInstance(
            identity: identity, location: location, length: file.length, transferSyntaxUID: file.transferSyntaxUID,
            dataSetOffset: file.dataSetOffset, isFaithful: file.isFaithful, digest: digest,
            frameLayout: FrameLayout(dataSet: file.dataSet, transferSyntax: file.transferSyntax)?.encode() ?? [],
            instanceNumber: instanceNumber, version: version, storedAt: storedAt)
    }

    /// An instance of which its place in the bucket is known and nothing else.
    package init(unread identity: InstanceIdentity, location: BlobLocation, version: Int64, storedAt: Int64) {
        self.init(
            identity: identity, location: location, length: 0, transferSyntaxUID: "", dataSetOffset: 0,
            isFaithful: true, digest: [], frameLayout: [], instanceNumber: nil, version: version, storedAt: storedAt)
    }
}
