import Archive
import BlobStorage
import DICOMCore
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// Study, series and instance resources: whole instances (PS3.18 10.4.1.1.1).
struct InstancesRoute: Sendable {
    let archive: Archive
    let bulkData: BulkDataRoute
    let isAcceptStrict: Bool
    /// Whether a wildcard gives the stored transfer syntax (`retrieve.wildcardTransferSyntax`).
    let wildcardIsStored: Bool

    private static let selection = TransferSyntaxSelection()

    func answer(_ entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        // 1. What the client takes, before anything is looked up.
        let wanted = try request.negotiate(
            entity.instance == nil ? .instances : .instance, requiresAccept: isAcceptStrict)
        let wishes = InstanceWishes.inOrder(wanted.representations)
        guard wishes.contains(where: { $0.form != .bulkData }) else {
            return try await bulkData.answerAll(of: entity, request, at: base)
        }

        // 2. What there is, in the best of the forms that it is to be had in.
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        var refusal: any Error = Problem(.notAcceptable, "There is nothing to send.")
        for (index, wish) in wishes.enumerated() {
            do {
                return wish.form == .bulkData
                    ? try await bulkData.answerAll(of: entity, request, at: base)
                    : try await files(found, as: wish, of: entity, request, at: base)
            } catch let error where Problem.isNothingAcceptable(error) {
                if index == 0 { refusal = error }
            }
        }
        throw refusal
    }

    /// The instances as Part 10 files: one, several, or an archive of them.
    private func files(
        _ found: StoredInstances, as wish: InstanceWishes, of entity: EntityPath, _ request: Request, at base: String
    ) async throws -> Response {
        let wishes = wish.representations
        let contents = found.instances.compactMap { content(of: $0, wishes: wishes) }
        guard let one = contents.first else { throw Problem(.notAcceptable, reason(found.instances, wishes)) }

        let isSingle = wishes[0].packaging == .single
        let syntaxes = Set(contents.map(\.transferSyntaxUID))
        let representation =
            (wish.form == .zip ? "z" : isSingle ? "s" : "m") + syntaxes.sorted().joined(separator: ",").fingerprint
            + (contents.count < found.instances.count ? "p" : "")
        let conditional = Conditional(version: found.version, representation: representation)
        if let notModified = conditional.notModified(request) { return notModified }
        var response =
            if wish.form == .zip {
                ZippedInstances(contents: contents, blobs: archive.blobs).response(study: entity.study.string)
            } else if isSingle {
                try await singlePart(one, request)
            } else {
                try await multipart(
                    contents, sharing: syntaxes.count == 1 ? one.transferSyntaxUID : nil, at: base)
            }
        if contents.count < found.instances.count {
            response.status = .partialContent
            let missing = found.instances.count - contents.count
            response.headers[.warning] =
                "299 \(base) \"\(missing) instances are not available in an acceptable transfer syntax\""
        }
        conditional.apply(to: &response)
        return response
    }

    /// The instance in the best transfer syntax that is wished for.
    private func content(of instance: StoredInstance, wishes: [Representation]) -> InstanceContent? {
        let decisions = wishes.map { (quality: $0.quality, decision: decision(instance, $0)) }
        guard let best = Self.selection.best(of: decisions) else { return nil }
        switch decisions[best].decision {
        case .stored: return InstanceContent(stored: instance)
        case .convert(let uid):
            return TransferSyntax(uid: uid).map { InstanceContent(instance, convertedTo: $0) }
        case .unavailable: return nil
        }
    }

    private func decision(_ instance: StoredInstance, _ wish: Representation) -> TransferSyntaxSelection.Decision {
        let stored = instance.transferSyntaxUID
        let isForStored = wish.transferSyntax == .default && wish.isWildcard && wildcardIsStored
        return TransferSyntaxSelection.withoutDecoding(stored, isForStored ? .any : wish.transferSyntax)
    }

    private func reason(_ instances: [StoredInstance], _ wishes: [Representation]) -> String {
        guard let instance = instances.first, let wish = wishes.first,
            case .unavailable(let reason) = decision(instance, wish)
        else { return "There is nothing to send." }
        return reason.explanation
    }

    private func multipart(
        _ contents: [InstanceContent], sharing transferSyntax: String?, at base: String
    ) async throws -> Response {
        var generator = SystemRandomNumberGenerator()
        let parts = MultipartRelatedWriter(
            partType: "application/dicom", transferSyntax: transferSyntax, using: &generator)
        let body = MultipartInstances(contents: contents, blobs: archive.blobs, base: base)
        return Response(
            status: .ok, headers: [.contentType: parts.contentType, .acceptRanges: "none"],
            body: try await body.body(parts))
    }

    private func singlePart(_ content: InstanceContent, _ request: Request) async throws -> Response {
        try await SinglePartFile(content: content, blobs: archive.blobs).response(request)
    }
}

/// What a client wants of instances in one form.
private struct InstanceWishes {
    enum Form { case files, zip, bulkData }

    let form: Form
    /// Never empty; best first.
    var representations: [Representation]

    /// The forms by the weight of the best representation of each. What only a wildcard covers is an archive or bulk data
    /// only if that is all there is: whoever takes anything wants files.
    static func inOrder(_ representations: [Representation]) -> [InstanceWishes] {
        var result: [InstanceWishes] = []
        for representation in representations {
            let form: Form =
                switch representation.content {
                case .dicom: .files
                case .zip: .zip
                case .octetStream, .pixels, .document, .dicomJSON, .dicomXML, .rendered, .wadl: .bulkData
                }
            if form != .files, representation.isWildcard, !result.isEmpty { continue }
            if let index = result.firstIndex(where: { $0.form == form }) {
                result[index].representations.append(representation)
            } else {
                result.append(InstanceWishes(form: form, representations: [representation]))
            }
        }
        return result
    }
}

extension Problem {
    /// Whether the resource, or nothing of it, can be had in a form: another one may do.
    fileprivate static func isNothingAcceptable(_ error: any Error) -> Bool {
        switch error {
        case let problem as Problem: problem.kind == .notAcceptable || problem.kind == .noSuchResource
        case let error as DICOMWebError: error.code == .notAcceptable
        default: false
        }
    }
}

/// One Part 10 file as a whole body, with byte ranges where its length is known.
struct SinglePartFile {
    let content: InstanceContent
    let blobs: any BlobStore

    func response(_ request: Request) async throws -> Response {
        var headers: HTTPFields = [
            .contentType: "application/dicom; transfer-syntax=\(content.transferSyntaxUID)",
            .contentDisposition: "attachment; filename=\"\(content.instance.identity.instance).dcm\"",
        ]
        if case .stored = content.form {
            return try await RangedBlob(
                location: content.instance.location, range: 0..<content.instance.length, blobs: blobs
            ).response(request, headers: headers)
        }
        headers[.acceptRanges] = "none"
        let (content, blobs) = (content, blobs)
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: content.length) { writer in
                try await content.write(from: blobs, to: &writer)
                try await writer.finish(nil)
            })
    }
}

extension TransferSyntaxSelection {
    /// The decision for a whole instance while nothing decodes pixel data: what is losslessly compressed is to be sent
    /// decoded by default (dicomweb.md 2.6), so that it is only to be had by its name or with `*`.
    static func withoutDecoding(_ stored: String, _ wish: TransferSyntaxWish) -> Decision {
        let decision = TransferSyntaxSelection().instance(stored: stored, wish: wish)
        if case .convert(let uid) = decision, let target = TransferSyntax(uid: uid),
            !Part10Converter.canConvert(TransferSyntax(uid: stored), to: target)
        {
            // Uncompressed, but encapsulated: the frames would have to be taken out of their fragments.
            return wish == .default ? .stored : .unavailable(.cannotDecode)
        }
        guard decision == .stored, wish == .default, stored != TransferSyntax.explicitVRLittleEndian.uid,
            let syntax = TransferSyntax(uid: stored), !syntax.isLossy, !syntax.isVideo
        else { return decision }
        return .unavailable(.cannotDecode)
    }
}
