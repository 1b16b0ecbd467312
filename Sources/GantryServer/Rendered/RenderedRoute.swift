import Archive
import DICOMCore
import DICOMPixels
import DICOMWeb
import HTTPTypes
import Hummingbird

/// `…/rendered` of studies, series, instances and frames: images, text and documents for who has no DICOM
/// (PS3.18 10.4.1.1.3).
struct RenderedRoute: Sendable {
    let archive: ReadableArchive
    let pixels: PixelAccess
    let isAcceptStrict: Bool

    /// Of an instance: it stays what it is. Others come to a series and a study.
    static let cacheControl = "private, max-age=86400"

    func answer(_ entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        let wanted = try self.wanted(request)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        let viewed = try await view(found.instances)
        var answer: RenderedAnswer
        if entity.instance != nil, let only = viewed.first {
            if case .presentationState = only.kind { return try await present(only, wanted, request, at: base) }
            answer = try self.answer([only], of: found, wanted)
        } else {
            answer = try self.answer(viewed.filter(\.isDecodable), of: found, wanted)
            answer.cacheControl = "private, no-cache"
        }
        answer.location = "\(base)\(entity)/rendered"
        return try await answer.response(to: request, at: base, by: pixels)
    }

    func answer(
        _ frames: FrameList, of entity: EntityPath, _ request: Request, at base: String
    ) async throws -> Response {
        let wanted = try self.wanted(request)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        guard let viewed = try await view(found.instances).first else {
            throw Problem(.noSuchResource, "There is no such instance.")
        }
        let count: Int
        switch viewed.kind {
        case .image(let layout): count = layout.frameCount
        case .video: throw Problem(.notAcceptable, "A video stream cannot be cut into frames; ask for all of it.")
        case .report, .document, .presentationState, .other:
            throw Problem(.noSuchResource, "The instance has no frames: no pixel data, or no usable description.")
        }
        let present = frames.numbers.filter { $0 <= count }
        guard !present.isEmpty else { throw Problem(.noSuchResource, "The instance has \(count) frames.") }
        let offer = try wanted.offers(for: [viewed.category(frames: frames.numbers.count)])[0]
        let parts =
            offer.isMultipart
            ? viewed.parts([offer.mediaType], frames: present)
            : [viewed.whole(as: offer.mediaType, frames: present)].compactMap(\.self)
        try wanted.check(parts)
        var answer = RenderedAnswer(
            parts: parts, isMultipart: offer.isMultipart, rendering: try ImageRendering(wanted.parameters),
            version: found.version, warnings: wanted.parameters.warnings)
        answer.location = "\(base)\(entity)/frames/\(frames.numbers.map(String.init).joined(separator: ","))/rendered"
        if present.count < frames.numbers.count {
            answer.isPartial = true
            answer.warnings.append("The instance has \(count) frames")
        }
        return try await answer.response(to: request, at: base, by: pixels)
    }

    private func wanted(_ request: Request) throws -> RenderedRequest {
        try RenderedRequest(
            RenderingParameters(query: request.uri.query), request, requiresAccept: isAcceptStrict)
    }

    private func view(_ instances: [StoredInstance]) async throws -> [ViewedInstance] {
        var viewed: [ViewedInstance] = []
        for instance in instances { viewed.append(try await ViewedInstance(instance, in: archive.blobs)) }
        return viewed
    }

    /// What these instances are in the best acceptable type of each.
    private func answer(
        _ viewed: [ViewedInstance], of found: StoredInstances, _ wanted: RenderedRequest
    ) throws -> RenderedAnswer {
        let offers = try wanted.offers(for: viewed.map { $0.category() })
        let isMultipart = offers[0].isMultipart
        let types = offers.filter(\.isMultipart).map(\.mediaType)
        let chosen = viewed.map { viewed in
            isMultipart ? viewed.parts(types) : [viewed.whole(as: offers[0].mediaType)].compactMap(\.self)
        }
        let parts = chosen.flatMap(\.self)
        try wanted.check(parts)
        var answer = RenderedAnswer(
            parts: parts, isMultipart: isMultipart, rendering: try ImageRendering(wanted.parameters),
            version: found.version, warnings: wanted.parameters.warnings)
        let missing = found.instances.count - chosen.count { !$0.isEmpty }
        if missing > 0 {
            answer.isPartial = true
            answer.warnings.append("\(missing) instances cannot be rendered to an acceptable type")
        }
        return answer
    }

    /// The images that a presentation state refers to, with its grays (PS3.18 8.3.5.1.4).
    private func present(
        _ viewed: ViewedInstance, _ wanted: RenderedRequest, _ request: Request, at base: String
    ) async throws -> Response {
        try wanted.parameters.checkForPresentationState()
        let identity = viewed.instance.identity
        let state = try await PresentationState(viewed.instance, in: archive.blobs)
        let study = EntityPath(study: identity.study)
        let known = Dictionary(
            try await archive.instances(study: identity.study).required(study).instances
                .map { ($0.identity.instance, $0) }
        ) { first, _ in first }
        var images: [(viewed: ViewedInstance, frames: [Int]?)] = []
        for reference in state.references {
            guard let instance = known[reference.instance], instance.identity.series == reference.series else {
                continue
            }
            let image = try await ViewedInstance(instance, in: archive.blobs)
            guard case .image = image.kind, image.isDecodable else { continue }
            images.append((image, reference.frames.isEmpty ? nil : reference.frames))
        }
        guard !images.isEmpty else {
            throw Problem(.noSuchResource, "None of the images that the presentation state refers to is here.")
        }
        let offer = try wanted.offers(for: images.map { $0.viewed.category(frames: $0.frames?.count) })[0]
        var parts = images.flatMap { image, frames in
            offer.isMultipart
                ? image.parts([offer.mediaType], frames: frames)
                : [image.whole(as: offer.mediaType, frames: frames)].compactMap(\.self)
        }
        for index in parts.indices { parts[index].state = state }
        try wanted.check(parts)
        var answer = RenderedAnswer(
            parts: parts, isMultipart: offer.isMultipart, rendering: try ImageRendering(wanted.parameters),
            // Of several instances, of which one may go: no time tells when that was.
            version: ResourceVersion(
                number: images.map(\.viewed.instance.version).reduce(viewed.instance.version, max), modifiedAt: nil),
            warnings: wanted.parameters.warnings)
        answer.location = "\(base)\(EntityPath(identity))/rendered"
        answer.isPartial = images.count < state.references.count
        if answer.isPartial { answer.warnings.append("Some images of the presentation state are not here") }
        if !state.leftOut.isEmpty {
            answer.warnings.append("Not rendered: \(state.leftOut.joined(separator: ", "))")
        }
        return try await answer.response(to: request, at: base, by: pixels)
    }
}

extension RenderedRequest {
    /// Refuses what an image in one of these types cannot have.
    fileprivate func check(_ parts: [RenderedPart]) throws {
        for part in parts {
            switch part.content {
            case .frame, .animation: try parameters.check(mediaType: part.mediaType)
            case .report, .document, .video: continue
            }
        }
    }
}

extension EntityPath {
    init(_ identity: InstanceIdentity) {
        self.init(study: identity.study, series: identity.series, instance: identity.instance)
    }
}
