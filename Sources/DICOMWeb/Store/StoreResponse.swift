public import DICOMCore

/// The Store Instances Response Module (PS3.18 Annex I): what became of each part of a store request.
public struct StoreResponse: Hashable, Sendable {
    /// The identity of a stored instance.
    public struct Instance: Hashable, Sendable {
        public var study: UID
        public var series: UID
        public var sopClass: UID
        public var sopInstance: UID

        public init(study: UID, series: UID, sopClass: UID, sopInstance: UID) {
            self.study = study
            self.series = series
            self.sopClass = sopClass
            self.sopInstance = sopInstance
        }
    }

    /// What became of one part.
    public enum Outcome: Hashable, Sendable {
        case stored(Instance, warning: WarningReason? = nil)
        /// Refused, and the SOP Class and Instance are known.
        case failed(sopClass: UID, sopInstance: UID, FailureReason)
        /// Refused, and it cannot be said which instance it was.
        case unidentified(FailureReason)
    }

    /// In the order of the parts.
    public var outcomes: [Outcome]

    public init(outcomes: [Outcome] = []) { self.outcomes = outcomes }

    /// The one study that instances were stored to; `nil` when there are none or several.
    public var study: UID? {
        var study: UID?
        for case .stored(let instance, _) in outcomes {
            guard study == nil || study == instance.study else { return nil }
            study = instance.study
        }
        return study
    }

    /// The module as a data set. URLs start with the public address of the service, which has no slash at its end.
    ///
    /// Sequences are present only when they have items; the items are in the order of the parts.
    public func dataSet(serviceURL: String) -> DataSet {
        var stored: [DataSet] = []
        var failed: [DataSet] = []
        var others: [DataSet] = []
        for outcome in outcomes {
            switch outcome {
            case .stored(let instance, let warning):
                let url =
                    "\(serviceURL)/studies/\(instance.study.string)/series/\(instance.series.string)"
                    + "/instances/\(instance.sopInstance.string)"
                var item = Self.item(sopClass: instance.sopClass, sopInstance: instance.sopInstance)
                item.set(.text(.retrieveURL, .UR, url))
                if let warning { item.set(.number(.warningReason, warning.rawValue)) }
                stored.append(item)
            case .failed(let sopClass, let sopInstance, let reason):
                var item = Self.item(sopClass: sopClass, sopInstance: sopInstance)
                item.set(.number(.failureReason, reason.rawValue))
                failed.append(item)
            case .unidentified(let reason):
                others.append(DataSet([.number(.failureReason, reason.rawValue)], characterSet: .utf8))
            }
        }
        var module = DataSet(characterSet: .utf8)
        module.set(.text(.retrieveURL, .UR, study.map { "\(serviceURL)/studies/\($0.string)" } ?? ""))
        if !failed.isEmpty { module.set(DataElement(.failedSOPSequence, .SQ, .items(failed))) }
        if !stored.isEmpty { module.set(DataElement(.referencedSOPSequence, .SQ, .items(stored))) }
        if !others.isEmpty { module.set(DataElement(.otherFailuresSequence, .SQ, .items(others))) }
        return module
    }

    private static func item(sopClass: UID, sopInstance: UID) -> DataSet {
        DataSet(
            [
                .text(.referencedSOPClassUID, .UI, sopClass.string),
                .text(.referencedSOPInstanceUID, .UI, sopInstance.string),
            ], characterSet: .utf8)
    }
}

extension DataElement {
    fileprivate static func text(_ tag: Tag, _ vr: VR, _ text: String) -> DataElement {
        var bytes = Array(text.utf8)
        if bytes.count % 2 != 0 { bytes.append(vr.paddingByte) }
        return DataElement(tag, vr, .bytes(bytes[...]))
    }

    fileprivate static func number(_ tag: Tag, _ number: UInt16) -> DataElement {
        DataElement(tag, .US, .bytes([UInt8(truncatingIfNeeded: number), UInt8(number >> 8)]))
    }
}
