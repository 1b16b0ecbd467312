import DICOMCore

/// The columns of a study's row that searches match on.
struct StudyKeys: Hashable, Codable, Sendable {
    var patientID: String
    var patientIDIssuer: String
    var patientName: PersonNameKeys
    var patientBirthDate: Int64
    var patientSex: String
    var date: Int64
    var time: Int64
    var accessionNumber: String
    var referringPhysician: PersonNameKeys
    var studyID: String
    var description: String

    init(_ dataSet: DataSet) {
        patientID = MatchingKeys.text(dataSet, .patientID)
        patientIDIssuer = MatchingKeys.text(dataSet, .issuerOfPatientID)
        patientName = PersonNameKeys(dataSet, .patientName)
        patientBirthDate = MatchingKeys.date(dataSet, .patientBirthDate)
        patientSex = MatchingKeys.text(dataSet, .patientSex)
        date = MatchingKeys.date(dataSet, .studyDate)
        time = MatchingKeys.time(dataSet, .studyTime)
        accessionNumber = MatchingKeys.text(dataSet, .accessionNumber)
        referringPhysician = PersonNameKeys(dataSet, .referringPhysicianName)
        studyID = MatchingKeys.text(dataSet, .studyID)
        description = MatchingKeys.text(dataSet, .studyDescription)
    }

    /// Takes from `other` what is empty here.
    mutating func fill(from other: StudyKeys) {
        func fill(_ mine: inout String, _ theirs: String) { if mine.isEmpty { mine = theirs } }
        fill(&patientID, other.patientID)
        fill(&patientIDIssuer, other.patientIDIssuer)
        if patientName.isEmpty { patientName = other.patientName }
        if patientBirthDate == ArchiveSchema.noDate { patientBirthDate = other.patientBirthDate }
        fill(&patientSex, other.patientSex)
        if date == ArchiveSchema.noDate { date = other.date }
        if time == ArchiveSchema.noTime { time = other.time }
        fill(&accessionNumber, other.accessionNumber)
        if referringPhysician.isEmpty { referringPhysician = other.referringPhysician }
        fill(&studyID, other.studyID)
        fill(&description, other.description)
    }
}

/// The columns of a series' row that searches match on, and the items of its Request Attributes Sequence.
struct SeriesKeys: Hashable, Codable, Sendable {
    /// One item of (0040,0275).
    struct Request: Hashable, Codable, Sendable {
        var scheduledStepID: String
        var requestedProcedureID: String
    }

    var modality: String
    var number: Int64?
    var description: String
    var bodyPart: String
    var date: Int64
    var time: Int64
    var procedureStepDate: Int64
    var procedureStepTime: Int64
    var requests: [Request]

    init(_ dataSet: DataSet) {
        modality = MatchingKeys.text(dataSet, .modality)
        number = MatchingKeys.number(dataSet, .seriesNumber)
        description = MatchingKeys.text(dataSet, .seriesDescription)
        bodyPart = MatchingKeys.text(dataSet, .bodyPartExamined)
        date = MatchingKeys.date(dataSet, .seriesDate)
        time = MatchingKeys.time(dataSet, .seriesTime)
        procedureStepDate = MatchingKeys.date(dataSet, .performedProcedureStepStartDate)
        procedureStepTime = MatchingKeys.time(dataSet, .performedProcedureStepStartTime)
        requests = (dataSet[.requestAttributesSequence]?.items ?? []).map {
            Request(
                scheduledStepID: MatchingKeys.text($0, .scheduledProcedureStepID),
                requestedProcedureID: MatchingKeys.text($0, .requestedProcedureID))
        }
    }

    /// Takes from `other` what is empty here.
    mutating func fill(from other: SeriesKeys) {
        func fill(_ mine: inout String, _ theirs: String) { if mine.isEmpty { mine = theirs } }
        fill(&modality, other.modality)
        if number == nil { number = other.number }
        fill(&description, other.description)
        fill(&bodyPart, other.bodyPart)
        if date == ArchiveSchema.noDate { date = other.date }
        if time == ArchiveSchema.noTime { time = other.time }
        if procedureStepDate == ArchiveSchema.noDate { procedureStepDate = other.procedureStepDate }
        if procedureStepTime == ArchiveSchema.noTime { procedureStepTime = other.procedureStepTime }
        if requests.isEmpty { requests = other.requests }
    }
}

extension StudyKeys {
    /// Nothing but the patient's identifier.
    init(patientID: String) {
        self.init(DataSet())
        self.patientID = patientID
    }
}
