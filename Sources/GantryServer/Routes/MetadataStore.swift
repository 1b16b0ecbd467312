import DICOMCore
import DICOMWeb
import Ingestion
import NIOCore

/// A store request of metadata and bulk data (PS3.18 10.5.1.2): its parts belong together and are kept until the last.
struct MetadataStore {
    let pipeline: IngestionPipeline
    let origin: IngestionOrigin
    let isDryRun: Bool
    let isXML: Bool
    let base: String

    mutating func begin(_ header: PartHeader, isMetadata: Bool) async throws {}
    mutating func write(_ bytes: ByteBuffer) async throws {}
    mutating func endPart() async {}
    func abandon() async {}
    func finish() async throws -> [IngestionOutcome] { [.refused(.metadataUnusable, identity: nil)] }
}
