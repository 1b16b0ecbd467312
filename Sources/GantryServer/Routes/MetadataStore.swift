import DICOMCore
import DICOMModels
import DICOMWeb
import Ingestion
import NIOCore

/// A store request of metadata and bulk data (PS3.18 10.5.1.2): its parts belong together and are kept until the last.
struct MetadataStore {
    private let pipeline: IngestionPipeline
    private let origin: IngestionOrigin
    private let isDryRun: Bool
    private let isXML: Bool
    private var assembly: MetadataAssembly
    private var dataSets: [DataSet] = []
    /// The metadata part that is being received; `nil` in a bulk data part.
    private var text: [UInt8]?

    private static let mostMetadataBytes = 64 << 20

    init(pipeline: IngestionPipeline, origin: IngestionOrigin, isDryRun: Bool, isXML: Bool, base: String) {
        self.pipeline = pipeline
        self.origin = origin
        self.isDryRun = isDryRun
        self.isXML = isXML
        assembly = MetadataAssembly(pipeline: pipeline, baseURI: base) { mediaType, parameter in
            parameter ?? PixelMediaTypes.transferSyntaxes(of: mediaType).first
        }
    }

    mutating func begin(_ header: PartHeader, isMetadata: Bool) async {
        guard !isMetadata else {
            text = []
            return
        }
        text = nil
        await assembly.beginPart(
            contentLocation: header.contentLocation, mediaType: header.contentType?.essence,
            transferSyntaxUID: header.contentType?["transfer-syntax"])
    }

    mutating func write(_ bytes: ByteBuffer) async throws {
        guard text != nil else { return await assembly.write(bytes) }
        text?.append(contentsOf: bytes.readableBytesView)
        if let text, text.count > Self.mostMetadataBytes {
            throw Problem(.tooLarge, "The metadata of a request may have \(Self.mostMetadataBytes) bytes.")
        }
    }

    /// Reads a metadata part that is complete; what cannot be read makes the whole request fail (PS3.18 10.5.3).
    mutating func endPart() async throws {
        guard let text else { return await assembly.endPart() }
        self.text = nil
        do {
            dataSets += isXML ? [try NativeModelReader.dataSet(from: text)] : try DICOMJSONReader.dataSets(from: text)
        } catch {
            throw Problem(
                .invalidBody,
                "The metadata is not a DICOM \(isXML ? "XML" : "JSON") document: \(error.code) at byte \(error.offset)."
            )
        }
    }

    mutating func abandon() async { await assembly.abandon() }

    /// Stores every data set, now that all bulk data is there.
    mutating func finish() async -> [IngestionOutcome] {
        var received: [ReceivedInstance] = []
        await assembly.assemble(dataSets, origin: origin) { received.append($0) }
        var outcomes: [IngestionOutcome] = []
        for instance in received { outcomes.append(await pipeline.ingest(instance, dryRun: isDryRun)) }
        return outcomes
    }
}
