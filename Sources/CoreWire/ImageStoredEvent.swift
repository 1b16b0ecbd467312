package import DICOMCore

/// What a STOW service tells the event processor of an instance that it stored: the data of the CloudEvent
/// `ImageStoredEvent`. ``gantry`` is ours; who does not know it passes it over.
package struct ImageStoredEvent: Sendable {
    /// A data element of the top level.
    package struct Element: Hashable, Sendable {
        package var tag: Tag
        package var vr: String
        /// The first value as text; `nil` for sequences and where there is none.
        package var value: String?

        package init(tag: Tag, vr: String, value: String?) {
            self.tag = tag
            self.vr = vr
            self.value = value
        }
    }

    package struct Image: Codable, Sendable {
        package var transferSyntaxUID: String
        package var elements: [Element]

        package init(transferSyntaxUID: String, elements: [Element]) {
            self.transferSyntaxUID = transferSyntaxUID
            self.elements = elements
        }
    }

    /// Where the file is, and where it can be had.
    package struct Store: Hashable, Sendable {
        package var provider: String
        package var bucketName: String?
        package var objectName: String?
        package var wadoInternalEndpoint: String?
        package var wadoExternalEndpoint: String?

        package init(
            provider: String, bucketName: String?, objectName: String?, wadoInternalEndpoint: String?,
            wadoExternalEndpoint: String?
        ) {
            self.provider = provider
            self.bucketName = bucketName
            self.objectName = objectName
            self.wadoInternalEndpoint = wadoInternalEndpoint
            self.wadoExternalEndpoint = wadoExternalEndpoint
        }
    }

    package var image: Image?
    package var store: Store
    /// What our event processor needs to write the index without the file.
    package var gantry: CommitMessage?

    package init(image: Image?, store: Store, gantry: CommitMessage?) {
        self.image = image
        self.store = store
        self.gantry = gantry
    }

    /// The event's type.
    package static let type = "ImageStoredEvent"
}

extension ImageStoredEvent: Codable {
    private enum CodingKeys: String, CodingKey { case image, store, gantry }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(image, forKey: .image)
        try values.encode(store, forKey: .store)
        try values.encodeIfPresent(gantry, forKey: .gantry)
    }
}

extension ImageStoredEvent.Element: Codable {
    private enum CodingKeys: String, CodingKey { case group, element, vr, value }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func number(_ key: CodingKeys) throws -> UInt16 {
            let text = try values.decode(String.self, forKey: key)
            guard text.utf8.count == 4, let number = UInt16(text, radix: 16) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values, debugDescription: "not four hexadecimal digits")
            }
            return number
        }
        tag = Tag(try number(.group), try number(.element))
        vr = try values.decode(String.self, forKey: .vr)
        value = try values.decodeIfPresent(String.self, forKey: .value)
    }

    package func encode(to encoder: any Encoder) throws {
        func digits(_ number: UInt16) -> String {
            let text = String(number, radix: 16, uppercase: true)
            return String(repeating: "0", count: 4 - text.count) + text
        }
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(digits(tag.group), forKey: .group)
        try values.encode(digits(tag.element), forKey: .element)
        try values.encode(vr, forKey: .vr)
        // Null, not absent.
        try values.encode(value, forKey: .value)
    }
}

extension ImageStoredEvent.Store: Codable {
    private enum CodingKeys: String, CodingKey {
        case provider, bucketName, objectName, wadoInternalEndpoint, wadoExternalEndpoint
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(provider, forKey: .provider)
        try values.encode(bucketName, forKey: .bucketName)
        try values.encode(objectName, forKey: .objectName)
        try values.encode(wadoInternalEndpoint, forKey: .wadoInternalEndpoint)
        try values.encode(wadoExternalEndpoint, forKey: .wadoExternalEndpoint)
    }
}

/// What the event processor answers: the data of the CloudEvent `DicomAvailableEvent`.
package struct DicomAvailableEvent: Codable, Sendable {
    package var provider: String
    /// Where the instance can be had.
    package var endpoint: String?
    /// What became of it, for a STOW service of ours.
    package var gantry: DecisionMessage?

    package init(provider: String, endpoint: String?, gantry: DecisionMessage?) {
        self.provider = provider
        self.endpoint = endpoint
        self.gantry = gantry
    }

    /// The event's type.
    package static let type = "DicomAvailableEvent"
}
