import Archive
import BlobStorage
import DICOMCore
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore
import PixelWorkers

/// Study, series and instance resources: whole instances (PS3.18 10.4.1.1.1).
struct InstancesRoute: Sendable {
    let archive: ReadableArchive
    let pixels: PixelAccess
    let bulkData: BulkDataRoute
    let isAcceptStrict: Bool
    /// Whether a wildcard gives the stored transfer syntax (`retrieve.wildcardTransferSyntax`).
    let wildcardIsStored: Bool

    private static let selection = TransferSyntaxSelection.withCodecs

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
        // A part that may be sent as it is stored tells its transfer syntax itself.
        let isUniform = syntaxes.count == 1 && !contents.contains(where: \.mayBeStored)
        let representation =
            (wish.form == .zip ? "z" : isSingle ? "s" : "m") + syntaxes.sorted().joined(separator: ",").fingerprint
            + (contents.count < found.instances.count ? "p" : "")
        let conditional = Conditional(version: found.version, representation: representation)
        if let notModified = conditional.notModified(request) { return notModified }
        var response =
            if wish.form == .zip {
                try await ZippedInstances(
                    contents: contents, blobs: archive.blobs, parallelism: pixels.workers.parallelism
                ).response(study: entity.study.string)
            } else if isSingle {
                try await singlePart(one, request)
            } else {
                try await multipart(contents, sharing: isUniform ? one.transferSyntaxUID : nil, at: base)
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
            guard let target = TransferSyntax(uid: uid) else { return nil }
            var content = InstanceContent(instance, convertedTo: target, by: pixels)
            content.mayBeStored = wishes[best].transferSyntax == .default
            return content
        case .unavailable: return nil
        }
    }

    private func decision(_ instance: StoredInstance, _ wish: Representation) -> TransferSyntaxSelection.Decision {
        let stored = instance.transferSyntaxUID
        let isForStored = wish.transferSyntax == .default && wish.isWildcard && wildcardIsStored
        return Self.selection.instance(stored: stored, wish: isForStored ? .any : wish.transferSyntax)
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
        let body = MultipartInstances(
            contents: contents, blobs: archive.blobs, base: base, parallelism: pixels.workers.parallelism)
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
                case .octetStream, .pixels, .document, .dicomJSON, .dicomXML, .wadl: .bulkData
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
        let content = try await content.begun()
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
        let blobs = blobs
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: content.length) { writer in
                try await content.write(from: blobs, to: &writer)
                try await writer.finish(nil)
            })
    }
}
