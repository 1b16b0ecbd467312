import Archive
import DICOMCore
import DICOMPixels
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// WADO-URI: one instance as a Part 10 file, or something to look at (PS3.18 9).
struct URIServiceRoute: Sendable {
    let archive: ReadableArchive
    let pixels: PixelAccess
    let trail: ReadTrail

    func answer(_ request: Request, at base: String, context: GantryContext) async throws -> Response {
        let query = request.uri.queryParameters
        func text(_ name: String) -> String? { query[Substring(name)].map(String.init) }
        guard text("requestType") == "WADO" else {
            throw Problem(.invalidQuery, "The parameter requestType has to be WADO.")
        }
        func uid(_ name: String) throws -> UID {
            guard let uid = text(name).flatMap({ UID($0) }) else {
                throw Problem(.invalidQuery, "The parameter \(name) is missing or no UID.")
            }
            return uid
        }
        let entity = EntityPath(
            study: try uid("studyUID"), series: try uid("seriesUID"), instance: try uid("objectUID"))
        let isFile = wantsFile(text("contentType"), request)
        let rendered = try URIRenderedRequest(text)
        if isFile {
            for name in URIRenderedRequest.names where text(name) != nil {
                throw Problem(.invalidQuery, "The parameter \(name) does not go with application/dicom.")
            }
        }
        if text("anonymize") == "yes" {
            throw Problem(.notAcceptable, "This server does not anonymize; nothing was sent.")
        }
        guard isFile || text("transferSyntax") == nil else {
            throw Problem(.invalidQuery, "The parameter transferSyntax goes with application/dicom only.")
        }
        let wish = TransferSyntaxWish(parameter: text("transferSyntax"))
        let accept = AcceptHeader(text("contentType").map { [$0] } ?? request.headers[values: .accept])
        return try await trail.retrieval(of: entity, as: .wadoURI, context: context) {
            let found = try await archive.instances(
                study: entity.study, series: entity.series, instance: entity.instance
            ).required(entity)
            return isFile
                ? try await file(found, wish, request)
                : try await image(of: found, rendered, accept, request, at: base)
        }
    }

    /// Without `contentType`, the Accept header decides, which has to name the type: a browser's wildcard means an image.
    private func wantsFile(_ contentType: String?, _ request: Request) -> Bool {
        let ranges = AcceptHeader(contentType.map { [$0] } ?? request.headers[values: .accept]).ranges
        let named = ranges.contains { $0.mediaType.essence == "application/dicom" && $0.quality > 0 }
        return named
            && (contentType != nil || !ranges.contains { $0.mediaType.type == "*" || $0.mediaType.type == "image" })
    }

    // MARK: - File

    private func file(
        _ found: StoredInstances, _ wish: TransferSyntaxWish, _ request: Request
    ) async throws -> Response {
        guard let instance = found.instances.first else { throw Problem(.noSuchResource, "There is no such instance.") }
        let content: InstanceContent
        switch TransferSyntaxSelection.withCodecs.instance(stored: instance.transferSyntaxUID, wish: wish) {
        case .stored: content = InstanceContent(stored: instance)
        case .convert(let uid):
            guard let target = TransferSyntax(uid: uid) else {
                throw Problem(.notAcceptable, TransferSyntaxSelection.Reason.cannotEncode.explanation)
            }
            content = InstanceContent(instance, convertedTo: target, by: pixels)
        case .unavailable(let reason): throw Problem(.notAcceptable, reason.explanation)
        }
        let conditional = Conditional(
            version: found.version, representation: "u" + content.transferSyntaxUID.fingerprint)
        if let notModified = conditional.notModified(request) { return notModified }
        var response = try await SinglePartFile(content: content, blobs: archive.blobs).response(request)
        conditional.apply(to: &response)
        return response
    }

    // MARK: - Something to look at

    private func image(
        of found: StoredInstances, _ wanted: URIRenderedRequest, _ accept: AcceptHeader, _ request: Request,
        at base: String
    ) async throws -> Response {
        guard let instance = found.instances.first else { throw Problem(.noSuchResource, "There is no such instance.") }
        let viewed = try await ViewedInstance(instance, in: archive.blobs)
        let layout: FrameLayout?
        if case .image(let known) = viewed.kind { layout = known } else { layout = nil }
        // One frame is in any type; all of them are in a GIF only, and without a number others show the first.
        let category = layout == nil ? viewed.category() : .singleFrameImage
        let types = RenderedMediaTypes([category])
        guard !types.offers.isEmpty else { throw Problem(.noSuchResource, "There is nothing to render.") }
        guard let type = try types.choices(accept: accept).first(where: { !$0.isMultipart })?.mediaType else {
            throw Problem(.notAcceptable, "A WADO-URI answer has one part.")
        }
        var numbers: [Int]?
        if let layout {
            numbers = type == "image/gif" && wanted.frame == nil ? nil : [wanted.frame ?? 1]
            guard (wanted.frame ?? 1) <= layout.frameCount else {
                throw Problem(.noSuchResource, "The instance has \(layout.frameCount) frames.")
            }
        } else if wanted.frame != nil {
            throw Problem(.noSuchResource, "The instance has no frames.")
        }
        guard var part = viewed.whole(as: type, frames: numbers) else {
            throw Problem(.noSuchResource, "There is nothing to render.")
        }
        var version = found.version
        if let presentation = wanted.presentation {
            let state = try await self.state(presentation, for: instance)
            part.state = state.state
            version = ResourceVersion(number: max(version.number, state.version.number), modifiedAt: nil)
        }
        let description = wanted.region == nil || layout == nil ? nil : try await pixels.image(of: instance)
        let answer = RenderedAnswer(
            parts: [part], isMultipart: false, rendering: wanted.rendering(of: description), version: version,
            warnings: (part.state?.leftOut).flatMap {
                $0.isEmpty ? nil : ["Not rendered: \($0.joined(separator: ", "))"]
            } ?? [])
        return try await answer.response(to: request, at: base, by: pixels)
    }

    private func state(
        _ presentation: (state: UID, series: UID), for instance: StoredInstance
    ) async throws -> (state: PresentationState, version: ResourceVersion) {
        let entity = EntityPath(
            study: instance.identity.study, series: presentation.series, instance: presentation.state)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        guard let stored = found.instances.first, stored.identity.sopClass.string == PresentationState.sopClass else {
            throw Problem(.notAcceptable, "Only Grayscale Softcopy Presentation States are rendered.")
        }
        let state = try await PresentationState(stored, in: archive.blobs)
        guard state.references.contains(where: { $0.instance == instance.identity.instance }) else {
            throw Problem(.noSuchResource, "The presentation state does not refer to the image.")
        }
        return (state, found.version)
    }
}
