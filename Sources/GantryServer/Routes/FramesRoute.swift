import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore
import PixelWorkers

/// `…/frames/{frames}` and `…/pixeldata`: frames as bytes, or as the codestreams that are stored (PS3.18 10.4.1.1.6).
struct FramesRoute: Sendable {
    let archive: ReadableArchive
    let pixels: PixelAccess
    let isAcceptStrict: Bool

    private static let selection = TransferSyntaxSelection.withCodecs

    func answer(
        _ frames: FrameList, of entity: EntityPath, _ request: Request, at base: String
    ) async throws -> Response {
        let wanted = try request.negotiate(.frames(count: frames.numbers.count), requiresAccept: isAcceptStrict)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        guard let instance = found.instances.first else { throw Problem(.noSuchResource, "There is no such instance.") }
        let layout = try layout(of: instance)
        let present = frames.numbers.filter { $0 <= layout.frameCount }
        guard !present.isEmpty else {
            throw Problem(.noSuchResource, "The instance has \(layout.frameCount) frames.")
        }
        if TransferSyntax(uid: instance.transferSyntaxUID)?.isVideo == true {
            throw Problem(.notAcceptable, "A video stream cannot be cut into frames; ask for its bulk data.")
        }
        let representations = try wanted.representations(forItems: frames.numbers.count)
        var response = try await respond(
            present, of: instance, found.version, layout, as: representations, request, at: base)
        if present.count < frames.numbers.count {
            response.status = .partialContent
            response.headers[.warning] = "299 \(base) \"The instance has \(layout.frameCount) frames\""
        }
        return response
    }

    /// Every frame of every image below the entity.
    func answerPixelData(of entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        let wanted = try request.negotiate(.bulkData, requiresAccept: isAcceptStrict)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        let images = found.instances.compactMap { instance in
            FrameLayout(decoding: instance.frameLayout).map { (instance, $0) }
        }
        guard !images.isEmpty else { throw Problem(.noSuchResource, "There is no pixel data.") }
        let count = images.reduce(0) { $0 + $1.1.frameCount }
        let representations = try wanted.representations(forItems: count)
        if count == 1 {
            return try await respond(
                [1], of: images[0].0, found.version, images[0].1, as: representations, request, at: base)
        }
        var pieces: [FramePiece] = []
        for (instance, layout) in images {
            guard let (_, form) = choose(representations, for: instance) else { continue }
            pieces += (1...max(1, layout.frameCount)).map {
                FramePiece(instance, layout, number: $0, form: form)
            }
        }
        guard !pieces.isEmpty else { throw Problem(.notAcceptable, reason(representations, images[0].0)) }
        var response = try await multipart(pieces, at: base)
        if pieces.count < count {
            response.status = .partialContent
            response.headers[.warning] = "299 \(base) \"Some images are not available in an acceptable form\""
        }
        return response
    }

    // MARK: - One instance

    private func respond(
        _ numbers: [Int], of instance: StoredInstance, _ version: ResourceVersion, _ layout: FrameLayout,
        as representations: [Representation], _ request: Request, at base: String
    ) async throws -> Response {
        guard let (representation, form) = choose(representations, for: instance) else {
            throw Problem(.notAcceptable, reason(representations, instance))
        }
        let conditional = Conditional(
            version: version,
            representation: "f\(numbers.map(String.init).joined(separator: ",").fingerprint)"
                + (representation.packaging == .single ? "s" : "m") + form.contentType.fingerprint)
        if let notModified = conditional.notModified(request, cacheControl: Self.cacheControl) { return notModified }
        let pieces = numbers.map { FramePiece(instance, layout, number: $0, form: form) }
        var response: Response
        if representation.packaging == .single, pieces.count == 1 {
            let bytes = try await pieces[0].bytes(by: pixels)
            response = Response(
                status: .ok, headers: [.contentType: form.contentType, .acceptRanges: "none"],
                body: ResponseBody(byteBuffer: bytes))
        } else if pieces.count == 1 {
            response = try await onePart(pieces[0], at: base)
        } else {
            response = try await multipart(pieces, at: base)
        }
        conditional.apply(to: &response, cacheControl: Self.cacheControl)
        return response
    }

    private static let cacheControl = "private, max-age=86400"

    private func onePart(_ piece: FramePiece, at base: String) async throws -> Response {
        var generator = SystemRandomNumberGenerator()
        var parts = MultipartRelatedWriter(
            partType: piece.form.mediaType, transferSyntax: piece.form.transferSyntaxUID, using: &generator)
        let bytes = try await piece.bytes(by: pixels)
        let head = parts.partBegins(
            contentType: piece.form.contentType, location: piece.location(at: base), length: bytes.readableBytes)
        return Response(
            status: .ok, headers: [.contentType: parts.contentType, .acceptRanges: "none"],
            body: ResponseBody(contentsOf: [ByteBuffer(bytes: head), bytes, ByteBuffer(bytes: parts.end())]))
    }

    private func multipart(_ pieces: [FramePiece], at base: String) async throws -> Response {
        var generator = SystemRandomNumberGenerator()
        let form = pieces[0].form
        let isUniform = pieces.allSatisfy { $0.form == form }
        let writer = MultipartRelatedWriter(
            partType: form.mediaType, transferSyntax: isUniform ? form.transferSyntaxUID : nil, using: &generator)
        let pixels = pixels
        // What cannot be decoded is told with a status: later frames can only cut the answer off.
        let frames = MadeAhead(pieces.count, ahead: max(pixels.workers.parallelism, pixels.blobs.readsAtOnce)) {
            index in
            try await pieces[index].bytes(by: pixels)
        }
        let first = try await frames.next()
        let body = ResponseBody { output in
            var parts = writer
            var next = first
            for piece in pieces {
                guard let bytes = next else { break }
                let head = parts.partBegins(
                    contentType: piece.form.contentType, location: piece.location(at: base),
                    length: bytes.readableBytes)
                try await output.write(contentsOf: [ByteBuffer(bytes: head), bytes])
                next = try await frames.next()
            }
            try await output.write(ByteBuffer(bytes: parts.end()))
            try await output.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: writer.contentType, .acceptRanges: "none"], body: body)
    }

    private func layout(of instance: StoredInstance) throws -> FrameLayout {
        guard let layout = FrameLayout(decoding: instance.frameLayout), layout.frameCount > 0 else {
            throw Problem(.noSuchResource, "The instance has no frames: no pixel data, or no usable image description.")
        }
        return layout
    }

    // MARK: - Forms

    /// The best representation of this instance's frames, and how its bytes are to be told.
    private func choose(
        _ representations: [Representation], for instance: StoredInstance
    ) -> (Representation, FrameForm)? {
        let decisions = representations.map { (quality: $0.quality, decision: decision($0, instance)) }
        guard let best = Self.selection.best(of: decisions) else { return nil }
        let representation = representations[best]
        switch decisions[best].decision {
        case .stored:
            return (
                representation,
                FrameForm(mediaType: representation.mediaType, transferSyntaxUID: instance.transferSyntaxUID)
            )
        case .convert(let uid):
            return (representation, FrameForm(mediaType: representation.mediaType, transferSyntaxUID: uid))
        case .unavailable: return nil
        }
    }

    private func decision(
        _ representation: Representation, _ instance: StoredInstance
    ) -> TransferSyntaxSelection.Decision {
        switch representation.content {
        case .octetStream:
            Self.selection.octets(stored: instance.transferSyntaxUID, wish: representation.transferSyntax)
        case .pixels(let mediaType):
            Self.selection.pixels(
                mediaType: mediaType, stored: instance.transferSyntaxUID, wish: representation.transferSyntax)
        case .dicom, .dicomJSON, .dicomXML, .document, .zip, .wadl: .unavailable(.notOfMediaType)
        }
    }

    /// How this instance's frames are told; `nil` when no form is acceptable.
    func form(_ representations: [Representation], for instance: StoredInstance) -> FrameForm? {
        choose(representations, for: instance)?.1
    }

    private func reason(_ representations: [Representation], _ instance: StoredInstance) -> String {
        guard let first = representations.first, case .unavailable(let reason) = decision(first, instance) else {
            return "No frame is available in an acceptable form."
        }
        return reason.explanation
    }
}

/// How the bytes of a frame are labelled.
struct FrameForm: Hashable, Sendable {
    var mediaType: String
    var transferSyntaxUID: String

    var contentType: String { "\(mediaType); transfer-syntax=\(transferSyntaxUID)" }
}

/// One frame of a stored instance, in the form in which it is sent.
struct FramePiece: Sendable {
    let frame: StoredFrame
    let form: FrameForm

    init(_ instance: StoredInstance, _ layout: FrameLayout, number: Int, form: FrameForm) {
        frame = StoredFrame(instance: instance, layout: layout, number: number)
        self.form = form
    }

    func location(at base: String) -> String {
        let identity = frame.instance.identity
        return
            "\(base)/studies/\(identity.study)/series/\(identity.series)/instances/\(identity.instance)/frames/\(frame.number)"
    }

    func bytes(by access: PixelAccess) async throws -> ByteBuffer {
        guard let stored = TransferSyntax(uid: frame.instance.transferSyntaxUID),
            let target = TransferSyntax(uid: form.transferSyntaxUID), stored != target,
            target.isEncapsulated || stored.isEncapsulated && stored != .encapsulatedUncompressed
        else { return try await frame.bytes(from: access.blobs) }
        return try await frame.converted(to: target, by: access).bytes
    }
}
