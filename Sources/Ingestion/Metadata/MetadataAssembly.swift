import BlobStorage
package import DICOMCore
package import NIOCore

/// Puts instances together from a store of metadata and bulk data: data sets in JSON or XML whose large values come as
/// parts of their own (PS3.18 10.5.2; dicomweb.md 3.7).
///
/// Parts may come in any order. Each goes through `beginPart`, `write` and `endPart`; when the body has ended,
/// `assemble` makes a Part 10 file of every data set and sends it through the same receiver as all others. A URI names
/// a part of the same request or nothing: none is ever fetched.
package struct MetadataAssembly {
    /// A transfer syntax for a media type and its `transfer-syntax` parameter; `nil` when there is none (2.5).
    package typealias TransferSyntaxMapping = @Sendable (_ mediaType: String, _ parameter: String?) -> String?

    private let pipeline: IngestionPipeline
    private let baseURI: String?
    private let mapping: TransferSyntaxMapping
    private var parts: [BulkDataPart] = []
    private var positions: [String: [Int]] = [:]
    private var open: OpenPart?
    private var memoryLeft = Self.memoryLimit

    private struct OpenPart {
        var part: BulkDataPart
        var spool: BulkDataSpool
        var failure: RefusalCause?
    }

    /// The most bytes that all parts of a request keep in memory.
    private static let memoryLimit = 16 << 20

    /// - Parameters:
    ///   - baseURI: The URI of the request, against which relative references are resolved.
    ///   - transferSyntax: What the media types of pixel data mean.
    package init(
        pipeline: IngestionPipeline, baseURI: String?, transferSyntax mapping: @escaping TransferSyntaxMapping
    ) {
        self.pipeline = pipeline
        self.baseURI = baseURI
        self.mapping = mapping
    }

    /// Begins a bulk data part.
    ///
    /// - Parameters:
    ///   - contentLocation: The part's Content-Location, by which metadata refer to it.
    ///   - mediaType: Type and subtype without parameters; `nil` when the part does not tell.
    ///   - transferSyntaxUID: The parameter `transfer-syntax` of the part's Content-Type.
    package mutating func beginPart(contentLocation: String?, mediaType: String?, transferSyntaxUID: String?) async {
        await endPart()
        open = OpenPart(
            part: BulkDataPart(
                reference: contentLocation.map { BulkDataReference($0, base: baseURI) },
                mediaType: mediaType?.lowercased() ?? BulkDataPart.octetStream, transferSyntaxUID: transferSyntaxUID),
            spool: BulkDataSpool(blobs: pipeline.blobs, memoryLimit: memoryLeft))
    }

    /// Takes the next bytes of the part.
    package mutating func write(_ bytes: ByteBuffer) async {
        guard open != nil, open?.failure == nil else { return }
        do {
            try await open?.spool.write(bytes)
        } catch {
            open?.failure = RefusalCause(storageError: error)
            await open?.spool.abandon()
        }
    }

    /// Ends the part.
    package mutating func endPart() async {
        guard var ended = open else { return }
        open = nil
        if let failure = ended.failure {
            ended.part.content = .failure(failure)
        } else {
            do {
                let bytes = try await ended.spool.finish()
                if case .memory = bytes.place { memoryLeft = max(0, memoryLeft - bytes.length) }
                ended.part.content = .success(bytes)
            } catch {
                ended.part.content = .failure(RefusalCause(storageError: error))
            }
        }
        if let reference = ended.part.reference {
            for name in Set([reference.verbatim, reference.resolved]) {
                positions[name, default: []].append(parts.count)
            }
        }
        parts.append(ended.part)
    }

    /// Makes a file of each data set, hands them over one after the other, and forgets the parts.
    package mutating func assemble(
        _ dataSets: [DataSet], origin: IngestionOrigin, _ body: (ReceivedInstance) async -> Void
    ) async {
        await endPart()
        var referenced: Set<Int> = []
        for dataSet in dataSets {
            forEachReference(in: dataSet) { _, uri in referenced.formUnion(positions(of: uri)) }
        }
        for dataSet in dataSets {
            var receiver = await pipeline.receive(expectedLength: nil, origin: origin)
            do {
                let pieces = try AssembledFile(dataSet, from: self).pieces
                for piece in pieces where !receiver.isRefused { try await write(piece, to: &receiver) }
            } catch let cause as RefusalCause {
                await receiver.refuse(cause, identity: PartialIdentity(dataSet))
            } catch {
                await receiver.refuse(RefusalCause(storageError: error), identity: PartialIdentity(dataSet))
            }
            var received = await receiver.finish()
            received.hasUnreferencedBulkData = referenced.count < parts.count
            await body(received)
        }
        await abandon()
    }

    /// Gives everything up. Nothing remains.
    package mutating func abandon() async {
        await open?.spool.abandon()
        open = nil
        let staged = parts.compactMap { part -> StagedBlob? in
            guard case .success(let bytes) = part.content, case .blob(let blob) = bytes.place else { return nil }
            return blob
        }
        parts = []
        positions = [:]
        if !staged.isEmpty { await pipeline.blobs.discard(staged) }
    }

    private func write(_ piece: AssembledFile.Piece, to receiver: inout InstanceReceiver) async throws {
        switch piece {
        case .bytes(let bytes): await receiver.write(ByteBuffer(bytes: bytes))
        case .part(let position, let range):
            guard case .success(let spooled) = parts[position].content else { throw RefusalCause.internalFailure }
            try await spooled.forEachPiece(of: range, from: pipeline.blobs) { await receiver.write($0) }
        }
    }

    // MARK: - What the file asks

    /// The parts that an attribute refers to, in the order in which they came.
    func parts(for uri: String, of tag: Tag) throws(RefusalCause) -> [(position: Int, part: BulkDataPart)] {
        let positions = positions(of: uri)
        guard !positions.isEmpty else { throw .bulkDataMissing(tag) }
        for position in positions {
            if case .failure(let cause) = parts[position].content { throw cause }
        }
        return positions.map { ($0, parts[$0]) }
    }

    func transferSyntaxUID(for part: BulkDataPart) -> String? { mapping(part.mediaType, part.transferSyntaxUID) }

    private func positions(of uri: String) -> [Int] {
        if let found = positions[uri] { return found }
        return positions[BulkDataReference(uri, base: baseURI).resolved] ?? []
    }

    private func forEachReference(in dataSet: DataSet, _ body: (Tag, String) -> Void) {
        for element in dataSet.elements {
            switch element.value {
            case .bulk(.uri(let uri)): body(element.tag, uri)
            case .items(let items): for item in items { forEachReference(in: item, body) }
            case .bytes, .fragments, .bulk(.range): continue
            }
        }
    }
}

/// One bulk data part of a request.
struct BulkDataPart: Sendable {
    static let octetStream = "application/octet-stream"

    let reference: BulkDataReference?
    let mediaType: String
    let transferSyntaxUID: String?
    var content: Result<SpooledBytes, RefusalCause> = .failure(.partMalformed)

    init(reference: BulkDataReference?, mediaType: String, transferSyntaxUID: String?) {
        self.reference = reference
        self.mediaType = mediaType
        self.transferSyntaxUID = transferSyntaxUID
    }

    var length: Int { (try? content.get().length) ?? 0 }
    var head: [UInt8] { (try? content.get().head) ?? [] }
}
