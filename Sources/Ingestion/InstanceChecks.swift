import Archive
import BlobStorage
import DICOMCore

/// The checks between receiving and storing, in the order of dicomweb.md 3.1, which decides what reason wins.
struct InstanceChecks: Sendable {
    /// A stage's value, or the reason why there is none.
    enum Verdict<Next> {
        case passed(Next)
        case refused(RefusalCause, PartialIdentity?)
    }

    let configuration: IngestionConfiguration

    /// Media Storage Directory Storage, the class of a DICOMDIR (PS3.10 8.6).
    private static let directoryClass = "1.2.840.10008.1.3.10"

    /// Steps 4 and 5: transfer syntax and UIDs.
    func identify(_ file: DICOMFile, _ blob: StagedBlob, of received: ReceivedInstance) -> Verdict<IdentifiedInstance> {
        let identity = IdentityReading(file)
        guard isTransferSyntaxAccepted(of: file) else { return .refused(.transferSyntax, identity.partial) }
        // A DICOMDIR has no SOP Common module: only its file meta says what it is (C27, E20).
        if identity.isSOPClassMissing, file.fileMeta.mediaStorageSOPClassUID == Self.directoryClass {
            return .refused(.sopClass, identity.directory)
        }
        switch identity.complete {
        case .failure(let cause): return .refused(cause, identity.partial)
        case .success(let whole):
            return .passed(
                IdentifiedInstance(
                    file: file, blob: blob, identity: whole, origin: received.origin, receivedAt: received.receivedAt,
                    hasUnreferencedBulkData: received.hasUnreferencedBulkData))
        }
    }

    /// Steps 6 to 9 as far as they are not the parser's: file meta, study of the request, SOP Class, slack.
    func check(_ instance: IdentifiedInstance) -> Verdict<CheckedInstance> {
        let identity = instance.identity
        let partial = PartialIdentity(
            sopClass: identity.sopClass, instance: identity.instance, study: identity.study)
        var warning: IngestionWarning? = instance.hasUnreferencedBulkData ? .unreferencedBulkData : nil
        for rule in instance.file.findings.lazy.map(\.rule) {
            if rule == .trailingData || rule == .trailingSlack { warning = .slack }
            if rule == .metaUIDMismatch { warning = .fileMetaDiffers }
        }
        if let target = instance.origin.targetStudy, target != identity.study {
            guard configuration.studyMismatch == .warn else { return .refused(.studyMismatch, partial) }
            warning = .studyMismatch
        }
        let sopClass = identity.sopClass.string
        guard sopClass != Self.directoryClass, !configuration.deniedSOPClasses.contains(sopClass) else {
            return .refused(.sopClass, partial)
        }
        return .passed(
            CheckedInstance(
                file: instance.file, blob: instance.blob, identity: identity, origin: instance.origin,
                receivedAt: instance.receivedAt, warning: warning))
    }

    /// Step 4 by the register of dicomweb.md 2.10.
    private func isTransferSyntaxAccepted(of file: DICOMFile) -> Bool {
        guard let syntax = file.transferSyntax ?? TransferSyntax(uid: file.transferSyntaxUID) else {
            return configuration.unknownTransferSyntax == .accept
        }
        return syntax.isFileSyntax
    }
}

/// The four UIDs of a data set, as far as they are there (step 5).
private struct IdentityReading {
    private let sopClass, instance, study, series: Result<UID, RefusalCause>
    private let fileMeta: FileMetaInformation

    init(_ file: DICOMFile) {
        let check = IdentityCheck(dataSet: file.dataSet)
        sopClass = Self.uid(check.sopClass)
        instance = Self.uid(check.sopInstance)
        study = Self.uid(check.study)
        series = Self.uid(check.series)
        fileMeta = file.fileMeta
    }

    var isSOPClassMissing: Bool { if case .failure = sopClass { true } else { false } }

    /// What an item of FailedSOPSequence needs; without it the failure belongs to OtherFailuresSequence.
    var partial: PartialIdentity? {
        guard case .success(let sopClass) = sopClass, case .success(let instance) = instance else { return nil }
        return PartialIdentity(sopClass: sopClass, instance: instance, study: try? study.get())
    }

    /// A DICOMDIR, named by its file meta.
    var directory: PartialIdentity? {
        guard let sopClass = fileMeta.mediaStorageSOPClassUID.flatMap({ UID($0) }),
            let instance = fileMeta.mediaStorageSOPInstanceUID.flatMap({ UID($0) })
        else { return nil }
        return PartialIdentity(sopClass: sopClass, instance: instance)
    }

    /// All four; SOP Class and Instance are judged first, as they decide where the failure is told.
    var complete: Result<InstanceIdentity, RefusalCause> {
        sopClass.flatMap { sopClass in
            instance.flatMap { instance in
                study.flatMap { study in
                    series.map { series in
                        InstanceIdentity(study: study, series: series, instance: instance, sopClass: sopClass)
                    }
                }
            }
        }
    }

    private static func uid(_ identifier: IdentityCheck.Identifier) -> Result<UID, RefusalCause> {
        switch identifier.state {
        case .missing: .failure(.missingUID(identifier.tag))
        case .empty: .failure(.emptyUID(identifier.tag))
        case .invalid: .failure(.invalidUID(identifier.tag))
        case .valid(let text): UID(text).map { .success($0) } ?? .failure(.invalidUID(identifier.tag))
        }
    }
}

extension RefusalCause: Error {}
