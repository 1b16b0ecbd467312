public import DICOMCore

/// A structured report as something to read: who it is about, and its content tree (PS3.3 C.17.3, C.17.6).
///
/// Key Object Selections are such documents, too.
public struct SRDocument: Hashable, Sendable {
    /// One line of the header.
    public struct HeaderLine: Hashable, Sendable {
        public var label: String
        public var value: String
    }

    /// What the root's concept name says, else the SOP Class.
    public var title: String
    /// Patient, study and state of the document, as far as the data set says.
    public var header: [HeaderLine]
    public var content: [ContentItem]

    /// `nil` when the data set has no content tree.
    public init?(_ dataSet: DataSet) {
        guard let root = ContentItem(dataSet), root.value == .container else { return nil }
        title =
            root.name ?? dataSet.uid(for: .sopClassUID).flatMap { SOPClass(uid: $0.string)?.name }
            ?? "Structured Report"
        content = root.children
        header = Self.header(dataSet)
    }

    private static func header(_ dataSet: DataSet) -> [HeaderLine] {
        func text(_ tag: Tag) -> String? { dataSet.string(for: tag) }
        func date(_ tag: Tag) -> String? { text(tag).map(ReadableText.date) }
        let moment = [date(.contentDate), text(.contentTime).map(ReadableText.time)].compactMap { $0 }
        let lines: [(String, String?)] = [
            ("Patient", dataSet.personName(for: .patientName).map(ReadableText.name)),
            ("Patient ID", text(.patientID)),
            ("Born", date(.patientBirthDate)),
            ("Sex", text(.patientSex)),
            ("Study", text(.studyDescription)),
            ("Study date", date(.studyDate)),
            ("Accession number", text(.accessionNumber)),
            ("Referring physician", dataSet.personName(for: .referringPhysicianName).map(ReadableText.name)),
            ("Institution", text(.institutionName)),
            ("Content made", moment.isEmpty ? nil : moment.joined(separator: " ")),
            ("Completion", text(.completionFlag)),
            ("Verification", text(.verificationFlag)),
        ]
        let observers = dataSet.items(for: .verifyingObserverSequence).compactMap { item in
            item.personName(for: .verifyingObserverName).map { ("Verified by", Optional(ReadableText.name($0))) }
        }
        return (lines + observers).compactMap { label, value in
            value.flatMap { $0.isEmpty ? nil : HeaderLine(label: label, value: $0) }
        }
    }
}
