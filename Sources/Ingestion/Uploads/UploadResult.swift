import Archive
import DICOMCore

/// What became of an upload's contents.
package struct UploadResult: Hashable, Sendable {
    /// Instances that are held now, be it that they were before.
    package var instances = 0
    /// The studies that they belong to, without repetition, in the order of their first instance.
    package var studies: [String] = []
    /// What was not taken; of very many the first ones.
    package var failures: [UploadFailure] = []
    /// How many failures there are.
    package var failureCount = 0

    /// How many failures, and how many studies, are kept.
    package static let mostListed = 1000

    package init() {}

    /// Nothing was taken, for this reason.
    package init(_ failure: UploadFailure) { add(failure) }

    /// Notes something that was not taken.
    package mutating func add(_ failure: UploadFailure) {
        failureCount += 1
        if failures.count < Self.mostListed { failures.append(failure) }
    }

    /// Notes what the pipeline made of a file.
    ///
    /// - Parameter file: Its name in the archive.
    mutating func add(_ outcome: IngestionOutcome, file: String?) {
        switch outcome {
        case .stored(let identity, _, _):
            instances += 1
            let study = identity.study.string
            if studies.count < Self.mostListed, studies.last != study, !studies.contains(study) {
                studies.append(study)
            }
        case .refused(let cause, let identity):
            add(UploadFailure(cause, instance: identity?.instance, file: file))
        }
    }
}

/// Why something of an upload was not taken, in words for its sender.
package struct UploadFailure: Hashable, Sendable, Codable {
    /// What went wrong, as programs tell it apart: four hexadecimal digits of a Failure Reason (0008,1197), or a word.
    package var code: String
    /// A sentence that holds no value of a data set.
    package var reason: String
    /// The name in the archive, when it is about one file of several.
    package var file: String?
    /// SOP Instance UID, where it could be read.
    package var instance: String?

    package init(code: String, reason: String, file: String? = nil, instance: String? = nil) {
        self.code = code
        self.reason = reason
        self.file = file
        self.instance = instance
    }

    init(_ cause: RefusalCause, instance: UID?, file: String?) {
        let digits = String(cause.code, radix: 16, uppercase: true)
        self.init(
            code: String(repeating: "0", count: max(0, 4 - digits.count)) + digits, reason: cause.explanation,
            file: file, instance: instance?.string)
    }

    /// The file is none that can be ingested.
    static func notDICOM(file: String? = nil) -> UploadFailure {
        UploadFailure(
            code: "not-dicom", reason: "This is neither a DICOM file nor a ZIP archive of such files.", file: file)
    }

    /// The object is another one than announced.
    static let wrongLength = UploadFailure(
        code: "wrong-length", reason: "The object has another length than was announced for it.")
    static let wrongDigest = UploadFailure(
        code: "wrong-checksum", reason: "The object has another SHA-256 than was announced for it.")
    static let changed = UploadFailure(
        code: "changed", reason: "The object was replaced after it had been received.")
    static let gone = UploadFailure(
        code: "gone", reason: "The object that was received is not there any more. Upload it again.")
    static let unreadable = UploadFailure(
        code: "internal",
        reason: "The object could not be processed. Whoever runs the server finds the cause in its log.")
}
