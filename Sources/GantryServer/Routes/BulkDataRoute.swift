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
    let archive: ReadableArchive
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
            let conditional = Conditional(version: found.version, representation: "b\(form.packaging)")
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
        guard let form = wanted.form(of: value, wanted.representations) else {
            throw Problem(.notAcceptable, "The value is offered as \(value.mediaType ?? "application/octet-stream").")
        }
        let conditional = Conditional(
            version: found.version, representation: "b\(form.packaging)\(form.mediaType.fingerprint)")
        if let notModified = conditional.notModified(request) { return notModified }
        var response = try await value.response(
            request, as: form, location: "\(base)\(entity)/bulkdata/\(path)")
        conditional.apply(to: &response)
        return response
    }

    // MARK: - All values

    /// Every large value and every frame of every instance, one part each. Where only one of them is acceptable it may
    /// come alone.
    func answerAll(of entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        let wanted = try request.negotiate(.bulkData, requiresAccept: isAcceptStrict)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)

        // 1. What there is.
        var items: [BulkItem] = []
        for instance in found.instances {
            let stream = StoredStream(instance: instance, blobs: archive.blobs)
            let dataSet = try await stream.dataSet()
            for path in dataSet.bulkDataPaths {
                guard let value = BulkValue(path, in: dataSet, of: stream) else { continue }
                items.append(.value(value, location: "\(base)\(instance.path)/bulkdata/\(path)"))
            }
            guard let layout = FrameLayout(decoding: instance.frameLayout), layout.frameCount > 0 else { continue }
            items.append(.frames(of: instance, layout))
        }
        guard !items.isEmpty else { throw Problem(.noSuchResource, "There is no bulk data.") }

        // 2. How it is told: as if it were one item, and if more are acceptable, again without the single-part forms.
        var parts = self.parts(items, wanted, wanted.representations, isOneOfSeveral: false)
        let count = items.reduce(0) { $0 + $1.count }
        if parts.count > 1 {
            let forms = try wanted.representations(forItems: parts.count)
            parts = self.parts(items, wanted, forms, isOneOfSeveral: true)
        }
        guard let first = parts.first else {
            throw Problem(.notAcceptable, "No bulk data is available in an acceptable form.")
        }
        let conditional = Conditional(
            version: found.version, representation: "a" + parts.map(\.mark).joined(separator: ",").fingerprint)
        if let notModified = conditional.notModified(request) { return notModified }
        var response: Response
        switch first {
        case .value(let value, let form, let location) where form.packaging == .single:
            response = try await value.response(request, as: form, location: location)
        case .frame where parts.count == 1:
            response = try await frames.answerPixelData(of: entity, request, at: base)
        case .value, .frame:
            response = multipart(parts, partType: first.mediaType, at: base)
            if parts.count < count { response.status = .partialContent }
        }
        if parts.count < count {
            response.headers[.warning] = "299 \(base) \"Some values are not available in an acceptable form\""
        }
        conditional.apply(to: &response)
        return response
    }

    /// The items that can be told in an acceptable form.
    private func parts(
        _ items: [BulkItem], _ wanted: RetrieveRequest, _ representations: [Representation], isOneOfSeveral: Bool
    ) -> [BulkPart] {
        var parts: [BulkPart] = []
        for item in items {
            switch item {
            case .value(let value, let location):
                guard let form = wanted.form(of: value, representations, isOneOfSeveral: isOneOfSeveral) else {
                    continue
                }
                parts.append(.value(value, form, location: location))
            case .frames(let instance, let layout):
                guard let form = frames.form(representations, for: instance) else { continue }
                parts += (1...layout.frameCount).map {
                    .frame(FramePiece(instance, layout, number: $0, form: form))
                }
            }
        }
        return parts
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
                    if let range = value.storedRange {
                        let head = parts.partBegins(
                            contentType: form.mediaType, location: location, length: range.count)
                        try await output.write(ByteBuffer(bytes: head))
                        let chunks = pixels.blobs.chunks(value.stream.instance.location, range, chunkSize: 1 << 20)
                        for try await chunk in chunks { try await output.write(chunk) }
                        continue
                    }
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

/// A large value or an instance's frames, before it is known how they are told.
private enum BulkItem: Sendable {
    case value(BulkValue, location: String)
    /// At least one.
    case frames(of: StoredInstance, FrameLayout)

    var count: Int {
        switch self {
        case .value: 1
        case .frames(_, let layout): layout.frameCount
        }
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

    /// Tells forms apart, for entity tags.
    var mark: String {
        switch self {
        case .value(_, let form, _): (form.packaging == .single ? "s" : "m") + form.mediaType
        case .frame(let frame): frame.form.contentType
        }
    }
}

/// A large value that is no pixel data.
struct BulkValue: Sendable {
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

    /// Where the bytes lie in the stored file, when they are sent as they lie there.
    var storedRange: Range<Int>? {
        guard stream.isPlain, case .bulk(.range(let range)) = element.value,
            TransferSyntax(uid: stream.instance.transferSyntaxUID)?.isBigEndian != true
        else { return nil }
        guard let documentLength, documentLength > 0 else { return range }
        return range.prefix(documentLength)
    }

    /// The same as a body.
    var blob: RangedBlob? {
        storedRange.map { RangedBlob(location: stream.instance.location, range: $0, blobs: stream.blobs) }
    }

    func response(
        _ request: Request, as form: Representation, location: String
    ) async throws -> Response {
        if let blob {
            return try await blob.response(request, as: form, contentType: form.mediaType, location: location)
        }
        guard let bytes = try await bytes() else { throw Problem(.noSuchResource, "The value has no bytes.") }
        return try RangedBytes(bytes: bytes).response(
            request, as: form, contentType: form.mediaType, location: location)
    }
}

extension RetrieveRequest {
    /// How a value is told: in its own type when it has one, else as bytes; `nil` when neither is acceptable.
    fileprivate func form(
        of value: BulkValue, _ representations: [Representation], isOneOfSeveral: Bool = false
    ) -> Representation? {
        if let mediaType = value.mediaType { return document(mediaType, isOneOfSeveral: isOneOfSeveral) }
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
