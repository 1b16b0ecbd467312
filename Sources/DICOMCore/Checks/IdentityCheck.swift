/// Who an instance says that it is: the four UIDs without which it cannot be stored (PS3.4 B.2, PS3.3 C.12.1).
public struct IdentityCheck: Hashable, Sendable {
    /// One of the four.
    public struct Identifier: Hashable, Sendable {
        public enum State: Hashable, Sendable {
            /// A usable UID. Leading zeros are let pass.
            case valid(String)
            /// The element is not there.
            case missing
            /// The element is there without a value.
            case empty
            /// Longer than 64 characters, or others than digits and dots.
            case invalid
        }

        public var tag: Tag
        public var state: State

        /// The UID if it is usable.
        public var uid: String? {
            if case .valid(let uid) = state { uid } else { nil }
        }
    }

    public var sopClass: Identifier
    public var sopInstance: Identifier
    public var study: Identifier
    public var series: Identifier
    /// What is wrong with the UIDs, and whether the file meta information names another instance.
    public var findings: [Finding]

    /// SOP Class, SOP Instance, Study Instance and Series Instance UID.
    public static let tags = [
        Tag(0x0008, 0x0016), Tag(0x0008, 0x0018), Tag(0x0020, 0x000D), Tag(0x0020, 0x000E),
    ]

    public init(dataSet: DataSet, fileMeta: FileMetaInformation? = nil) {
        sopClass = Self.identifier(Self.tags[0], dataSet)
        sopInstance = Self.identifier(Self.tags[1], dataSet)
        study = Self.identifier(Self.tags[2], dataSet)
        series = Self.identifier(Self.tags[3], dataSet)
        findings = []
        for identifier in [sopClass, sopInstance, study, series] {
            switch identifier.state {
            case .valid: break
            case .missing: findings.append(Finding(.missingUID, tag: identifier.tag))
            case .empty: findings.append(Finding(.emptyUID, tag: identifier.tag))
            case .invalid: findings.append(Finding(.invalidUID, tag: identifier.tag))
            }
        }
        guard let fileMeta else { return }
        if let uid = fileMeta.mediaStorageSOPClassUID, let own = sopClass.uid, uid != own {
            findings.append(Finding(.metaUIDMismatch, tag: Tag(0x0002, 0x0002)))
        }
        if let uid = fileMeta.mediaStorageSOPInstanceUID, let own = sopInstance.uid, uid != own {
            findings.append(Finding(.metaUIDMismatch, tag: Tag(0x0002, 0x0003)))
        }
    }

    public init(file: DICOMFile) { self.init(dataSet: file.dataSet, fileMeta: file.fileMeta) }

    /// Whether all four are usable.
    public var isComplete: Bool {
        sopClass.uid != nil && sopInstance.uid != nil && study.uid != nil && series.uid != nil
    }

    private static func identifier(_ tag: Tag, _ dataSet: DataSet) -> Identifier {
        guard let element = dataSet[tag] else { return Identifier(tag: tag, state: .missing) }
        guard let bytes = element.bytes else { return Identifier(tag: tag, state: .invalid) }
        let text = UIDText.trimmed(bytes)
        guard !text.isEmpty else { return Identifier(tag: tag, state: .empty) }
        guard UIDText.isValid(text) else { return Identifier(tag: tag, state: .invalid) }
        return Identifier(tag: tag, state: .valid(String(decoding: text, as: UTF8.self)))
    }
}
