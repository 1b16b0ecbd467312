import DICOMCore
import DICOMModels

/// What a server says of the instances of one store request: its Store Instances Response Module (PS3.18 I).
package struct StoreReport: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case stored
        /// Stored, with a Warning Reason (0008,1196).
        case storedWithWarning(reason: UInt16)
        /// Not stored, with a Failure Reason (0008,1197); `nil` when none was given.
        case failed(reason: UInt16?)
    }

    package struct Instance: Hashable, Sendable {
        package var sopInstanceUID: String
        package var outcome: Outcome
    }

    package var status: Int
    package var instances: [Instance] = []
    /// Reasons of failures that could not be told of an instance.
    package var otherFailures: [UInt16?] = []
    /// What else the server said: a problem's detail, or the start of a body that is no response module.
    package var explanation: String?

    package init(status: Int) {
        self.status = status
    }

    /// Reads the body of an answer. A body that is not a response module becomes the explanation.
    package init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        let isJSON = contentType.contains("json") && !contentType.contains("problem")
        guard isJSON, let module = try? DICOMJSONReader.dataSets(from: body).first else {
            explanation = body.isEmpty ? nil : String(decoding: body.prefix(500), as: UTF8.self)
            return
        }
        for item in module.items(for: .referencedSOPSequence) {
            guard let uid = item.uid(for: .referencedSOPInstanceUID)?.string else { continue }
            let warning = item.unsignedShort(.warningReason).map { Outcome.storedWithWarning(reason: $0) }
            instances.append(Instance(sopInstanceUID: uid, outcome: warning ?? .stored))
        }
        for item in module.items(for: .failedSOPSequence) {
            let reason = item.unsignedShort(.failureReason)
            if let uid = item.uid(for: .referencedSOPInstanceUID)?.string {
                instances.append(Instance(sopInstanceUID: uid, outcome: .failed(reason: reason)))
            } else {
                otherFailures.append(reason)
            }
        }
        otherFailures += module.items(for: .otherFailuresSequence).map { $0.unsignedShort(.failureReason) }
    }

    package var storedCount: Int {
        instances.count { if case .failed = $0.outcome { false } else { true } }
    }

    package var failedCount: Int { instances.count - storedCount + otherFailures.count }
}

extension DataSet {
    fileprivate func unsignedShort(_ tag: Tag) -> UInt16? { int(for: tag).flatMap { UInt16(exactly: $0) } }
}
