import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// `…/bulkdata` and `…/bulkdata/{path}`: large values, one or all of them (PS3.18 10.4.1.1.5).
struct BulkDataRoute: Sendable {
    let archive: Archive
    let frames: FramesRoute
    let isAcceptStrict: Bool

    // MARK: - One value

    func answer(
        _ path: BulkDataPath, of entity: EntityPath, _ request: Request, at base: String
    ) async throws -> Response {
        let wanted = try request.negotiate(.bulkDataValue, requiresAccept: isAcceptStrict)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        guard let instance = found.instances.first else { throw Problem(.noSuchResource, "There is no such instance.") }
        let stream = StoredStream(instance: instance, blobs: archive.blobs)

        // Pixel data lies where the index says; only other values need the data set.
        if path.steps.isEmpty, path.tag.isPixelData, let layout = FrameLayout(decoding: instance.frameLayout) {
            guard case .native(let native) = layout.storage, native.wordSize <= 1, stream.isPlain else {
                return try await frames.answerPixelData(of: entity, request, at: base)
            }
            guard let form = wanted.representations.first(where: { $0.content == .octetStream }) else {
                throw Problem(.notAcceptable, "Uncompressed pixel data is offered as application/octet-stream.")
            }
            let conditional = Conditional(version: instance.version, representation: "b\(form.packaging)")
            if let notModified = conditional.notModified(request) { return notModified }
            let blob = RangedBlob(
                location: instance.location, range: native.offset..<native.offset + native.length,
                blobs: archive.blobs)
            var response = try await blob.response(
                request, as: form,
                contentType: form.contentType(transferSyntax: TransferSyntax.explicitVRLittleEndian.uid),
                location: "\(base)\(entity)/bulkdata/\(path)")
            conditional.apply(to: &response)
            return response
        }

        guard let value = try await BulkValue(path, in: stream.dataSet(), of: stream) else {
            throw Problem(.noSuchResource, "The instance has no such value.")
        }
        guard let form = wanted.form(of: value) else {
            throw Problem(.notAcceptable, "The value is offered as \(value.mediaType ?? "application/octet-stream").")
        }
        let conditional = Conditional(
            version: instance.version, representation: "b\(form.packaging)\(form.mediaType.fingerprint)")
        if let notModified = conditional.notModified(request) { return notModified }
        var response = try await value.response(
            request, as: form, location: "\(base)\(entity)/bulkdata/\(path)", blobs: archive.blobs)
        conditional.apply(to: &response)
        return response
    }

    // MARK: - All values

    /// Every large value and every frame of every instance, one part each.
    func answerAll(of entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        let wanted = try request.negotiate(.bulkData, requiresAccept: isAcceptStrict)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        var parts: [BulkPart] = []
        var hasUnacceptable = false
        for instance in found.instances {
            let stream = StoredStream(instance: instance, blobs: archive.blobs)
            let dataSet = try await stream.dataSet()
            for path in dataSet.bulkDataPaths {
                guard let value = BulkValue(path, in: dataSet, of: stream) else { continue }
                guard let form = wanted.form(of: value) else {
                    hasUnacceptable = true
                    continue
                }
                parts.append(.value(value, form, location: "\(base)\(instance.path)/bulkdata/\(path)"))
            }
            guard let layout = FrameLayout(decoding: instance.frameLayout), layout.frameCount > 0 else { continue }
            guard let form = frames.form(wanted.representations, for: instance) else {
                hasUnacceptable = true
                continue
            }
            parts += (1...layout.frameCount).map {
                .frame(FramePiece(instance, layout, number: $0, form: form))
            }
        }
        guard let first = parts.first else {
            throw hasUnacceptable
                ? Problem(.notAcceptable, "No bulk data is available in an acceptable form.")
                : Problem(.noSuchResource, "There is no bulk data.")
        }
        var response = multipart(parts, partType: first.mediaType, at: base)
        if hasUnacceptable {
            response.status = .partialContent
            response.headers[.warning] = "299 \(base) \"Some values are not available in an acceptable form\""
        }
        return response
    }

    private func multipart(_ bulkParts: [BulkPart], partType: String, at base: String) -> Response {
        var generator = SystemRandomNumberGenerator()
        let writer = MultipartRelatedWriter(partType: partType, using: &generator)
        let pixels = frames.pixels
        let body = ResponseBody { output in
            var parts = writer
            for part in bulkParts {
                switch part {
                case .frame(let frame):
                    let bytes = try await frame.bytes(by: pixels)
                    let head = parts.partBegins(
                        contentType: frame.form.contentType, location: frame.location(at: base),
                        length: bytes.readableBytes)
                    try await output.write(contentsOf: [ByteBuffer(bytes: head), bytes])
                case .value(let value, let form, let location):
                    guard let bytes = try await value.bytes() else { continue }
                    let head = parts.partBegins(
                        contentType: form.mediaType, location: location, length: bytes.readableBytes)
                    try await output.write(contentsOf: [ByteBuffer(bytes: head), bytes])
                }
            }
            try await output.write(ByteBuffer(bytes: parts.end()))
            try await output.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: writer.contentType, .acceptRanges: "none"], body: body)
    }
}

/// One part of an answer with all bulk data.
private enum BulkPart: Sendable {
    case value(BulkValue, Representation, location: String)
    case frame(FramePiece)

    var mediaType: String {
        switch self {
        case .value(_, let form, _): form.mediaType
        case .frame(let frame): frame.form.mediaType
        }
    }
}

/// A large value that is no pixel data.
private struct BulkValue: Sendable {
    let element: DataElement
    let stream: StoredStream
    /// The type of an encapsulated document (0042,0012).
    let mediaType: String?
    /// The length of an encapsulated document without its padding (0042,0015).
    let documentLength: Int?

    init?(_ path: BulkDataPath, in dataSet: DataSet, of stream: StoredStream) {
        guard let element = path.element(in: dataSet) else { return nil }
        switch element.value {
        case .bytes, .bulk(.range): break
        case .bulk(.uri), .items, .fragments: return nil
        }
        self.element = element
        self.stream = stream
        let isDocument = path.steps.isEmpty && path.tag == .encapsulatedDocument
        mediaType = isDocument ? dataSet.string(for: .mimeTypeOfEncapsulatedDocument) : nil
        documentLength = isDocument ? dataSet.int(for: .encapsulatedDocumentLength) : nil
    }

    func bytes() async throws -> ByteBuffer? {
        guard var bytes = try await stream.value(of: element) else { return nil }
        if let documentLength, documentLength > 0, documentLength < bytes.readableBytes {
            bytes = bytes.getSlice(at: bytes.readerIndex, length: documentLength) ?? bytes
        }
        return bytes
    }

    func response(
        _ request: Request, as form: Representation, location: String, blobs: any BlobStore
    ) async throws -> Response {
        if stream.isPlain, case .bulk(.range(let range)) = element.value,
            TransferSyntax(uid: stream.instance.transferSyntaxUID)?.isBigEndian != true
        {
            let length = documentLength.map { min(max($0, 0), range.count) } ?? range.count
            return try await RangedBlob(
                location: stream.instance.location,
                range: range.lowerBound..<range.lowerBound + (length > 0 ? length : range.count), blobs: blobs
            ).response(request, as: form, contentType: form.mediaType, location: location)
        }
        guard let bytes = try await bytes() else { throw Problem(.noSuchResource, "The value has no bytes.") }
        return try RangedBytes(bytes: bytes).response(
            request, as: form, contentType: form.mediaType, location: location)
    }
}

extension RetrieveRequest {
    /// How a value is told: in its own type when it has one, else as bytes; `nil` when neither is acceptable.
    fileprivate func form(of value: BulkValue) -> Representation? {
        if let mediaType = value.mediaType { return document(mediaType) }
        return representations.first { $0.content == .octetStream }
    }
}

extension StoredInstance {
    /// The path of the instance below a service root.
    fileprivate var path: String {
        "/studies/\(identity.study)/series/\(identity.series)/instances/\(identity.instance)"
    }
}

extension Tag {
    /// Pixel Data, Float Pixel Data or Double Float Pixel Data.
    var isPixelData: Bool { group == 0x7FE0 && [0x0008, 0x0009, 0x0010].contains(element) }
}

extension DataSet {
    /// The paths of all values that are not in memory, and of an encapsulated document, pixel data left out.
    fileprivate var bulkDataPaths: [BulkDataPath] {
        var paths: [BulkDataPath] = []
        // Sequences that are still to be looked through; the depth is bounded by the reader.
        var open: [(steps: [BulkDataPath.Step], dataSet: DataSet)] = [([], self)]
        while let (steps, dataSet) = open.popLast() {
            for element in dataSet {
                switch element.value {
                case .bulk(.range):
                    if steps.isEmpty, element.tag.isPixelData { continue }
                    paths.append(BulkDataPath(steps: steps, tag: element.tag))
                case .bytes(let bytes):
                    if steps.isEmpty, element.tag == .encapsulatedDocument, !bytes.isEmpty {
                        paths.append(BulkDataPath(tag: element.tag))
                    }
                case .items(let items):
                    for (index, item) in items.enumerated() {
                        open.append((steps + [.init(sequence: element.tag, item: index + 1)], item))
                    }
                case .fragments, .bulk(.uri): break
                }
            }
        }
        return paths
    }
}
