import Archive
import BlobStorage
import DICOMCore
import Messaging

/// What our own events tell of an instance: UIDs, class, size and digest, and nothing of the patient.
enum IngestionEvents {
    /// What is announced when the instance is stored.
    static func stored(_ instance: CheckedInstance, source: String, time: Int64) -> CloudEvent {
        let identity = instance.identity
        return CloudEvent(
            id: UUIDv7(milliseconds: time), source: source, type: .instanceStored,
            subject: "studies/\(identity.study)/series/\(identity.series)/instances/\(identity.instance)",
            time: time, partitionKey: identity.study.string, data: data(of: instance))
    }

    /// The data of `EventType.instanceStored` and `.instanceReplaced`.
    private static func data(of instance: CheckedInstance) -> [UInt8] {
        var data = EventData()
        data.add("studyInstanceUID", instance.identity.study.string)
        data.add("seriesInstanceUID", instance.identity.series.string)
        data.add("sopInstanceUID", instance.identity.instance.string)
        data.add("sopClassUID", instance.identity.sopClass.string)
        data.add("transferSyntaxUID", instance.file.transferSyntaxUID)
        data.add("bytes", instance.blob.length)
        data.add("sha256", hexadecimal: instance.blob.digest)
        data.add("door", instance.origin.door.rawValue)
        data.add("requestID", instance.origin.requestID)
        return data.bytes
    }
}
