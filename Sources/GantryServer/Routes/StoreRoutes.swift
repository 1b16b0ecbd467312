import Archive
import DICOMCore
import DICOMModels
import DICOMWeb
import HTTPTypes
import Hummingbird
import Ingestion
import NIOCore

/// STOW-RS: `POST /studies` and `POST /studies/{study}` (PS3.18 10.5).
struct StoreRoutes: Sendable {
    let pipeline: IngestionPipeline
    let limits: GantryConfiguration.Limits
    let isAcceptStrict: Bool
    /// Where the instances can be had, when that is not where they are stored.
    var retrieveBase: String?

    /// Receives, stores and answers every part of one request.
    func store(_ request: Request, study: UID?, at base: String, context: GantryContext) async throws -> Response {
        // 1. What needs no body (dicomweb.md 1.9, rows 6 to 12).
        let contentType = try StoreContentType(request.headers[values: .contentType])
        let answer = try StoreAnswer(request, isStrict: isAcceptStrict)
        let coding = try ContentCoding(request.headers[.contentEncoding])
        let length = try request.declaredLength
        if let length, length > limits.bytesPerRequest { throw LimitedBody.tooLarge(limit: limits.bytesPerRequest) }
        try request.checkExpectation()
        let isDryRun = try request.isDryRun
        if length == 0 { return Response(status: .noContent) }
        guard !pipeline.room.isFull else {
            throw Problem(.insufficientStorage, "The server's disk is filled beyond what its configuration allows.")
        }
        guard let reservation = pipeline.budget.reserve(expectedLength: length) else {
            throw Problem(.unavailable, "The server receives as many bytes at once as it may.")
        }
        defer { withExtendedLifetime(reservation) {} }
        try await context.askForBody(of: request.head)

        // 2. The body, part by part.
        let origin = IngestionOrigin(
            door: .stow, requestID: context.requestID, remoteAddress: context.remoteAddress,
            principal: context.principal,
            targetStudy: study)
        let body = LimitedBody(request.body, limit: limits.bytesPerRequest, coding: coding)
        let outcomes: [IngestionOutcome]
        switch contentType {
        case .instance:
            outcomes = try await SinglePartStore(pipeline: pipeline, origin: origin, isDryRun: isDryRun)
                .outcomes(of: body, length: coding == .identity ? length : nil)
        case .multipart(let boundary, let payload):
            var partLimits = PartLimits()
            partLimits.headerBytes = limits.partHeaderBytes
            partLimits.headerFields = limits.partHeaderFields
            partLimits.parts = limits.partsPerRequest
            outcomes = try await MultipartStore(
                pipeline: pipeline, origin: origin, isDryRun: isDryRun, partLimits: partLimits, base: base
            ).outcomes(of: body, boundary: boundary, payload: payload)
        }

        // 3. The verdict on each part.
        return answer.response(
            StoreResponse(outcomes: outcomes.map(\.storeOutcome)), base: retrieveBase ?? base, isDryRun: isDryRun)
    }
}

/// The one instance of a body that is a bare Part 10 file.
private struct SinglePartStore {
    let pipeline: IngestionPipeline
    let origin: IngestionOrigin
    let isDryRun: Bool

    func outcomes(of body: LimitedBody, length: Int?) async throws -> [IngestionOutcome] {
        var receiver: InstanceReceiver?
        do {
            for try await chunk in body where chunk.readableBytes > 0 {
                if receiver == nil { receiver = await pipeline.receive(expectedLength: length, origin: origin) }
                await receiver?.write(chunk)
            }
        } catch {
            await receiver?.abandon()
            throw error
        }
        guard let received = await receiver?.finish() else { return [] }
        return [await pipeline.ingest(received, dryRun: isDryRun)]
    }
}

/// The representation of the Store Instances Response Module that the client takes (PS3.18 10.5.3).
private struct StoreAnswer {
    private enum Form { case json, xml, multipartXML }

    private let form: Form

    init(_ request: Request, isStrict: Bool) throws {
        let wanted = try request.negotiate(.storeResponse, requiresAccept: isStrict).representations[0]
        form = wanted.content == .dicomXML ? (wanted.packaging == .multipart ? .multipartXML : .xml) : .json
    }

    func response(_ result: StoreResponse, base: String, isDryRun: Bool) -> Response {
        guard !result.outcomes.isEmpty else { return Response(status: .noContent) }
        let module = result.dataSet(serviceURL: base)
        var bytes: [UInt8] = []
        var headers: HTTPFields = [:]
        switch form {
        case .json:
            var writer = DICOMJSONWriter(bulkData: .inlineEverything)
            writer.write(module, into: &bytes)
            headers[.contentType] = "application/dicom+json"
        case .xml:
            var writer = NativeModelWriter(bulkData: .inlineEverything)
            writer.write(module, into: &bytes)
            headers[.contentType] = "application/dicom+xml"
        case .multipartXML:
            var parts = XMLParts()
            parts.append(module)
            parts.end()
            bytes = parts.bytes
            headers[.contentType] = parts.contentType
        }
        if let text = result.warningText { headers[.warning] = "299 \(base) \"\(text)\"" }
        if !isDryRun, let study = result.study {
            headers[.location] = "\(base)/studies/\(study.string)"
            headers[.contentLocation] = "\(base)/studies/\(study.string)"
        }
        headers[.retryAfter] = Problem.retryAfter(status: result.status.code)
        return Response(
            status: result.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension IngestionOutcome {
    /// The outcome as the response module tells it.
    var storeOutcome: StoreResponse.Outcome {
        switch self {
        case .stored(let identity, let warning, _):
            .stored(
                StoreResponse.Instance(
                    study: identity.study, series: identity.series, sopClass: identity.sopClass,
                    sopInstance: identity.instance),
                warning: warning.map { WarningReason(rawValue: $0.code) })
        case .refused(let cause, let identity?):
            .failed(
                sopClass: identity.sopClass, sopInstance: identity.instance, FailureReason(rawValue: cause.code))
        case .refused(let cause, nil):
            .unidentified(FailureReason(rawValue: cause.code))
        }
    }
}
