import Archive
import BlobStorage
import DICOMCore
import GantryTesting
import Ingestion
import NIOCore
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct MetadataAssemblyTests {
    /// A part of the request.
    struct Part {
        var location: String?
        var mediaType: String? = "application/octet-stream"
        var transferSyntaxUID: String?
        var bytes: [UInt8]
    }

    private static let mapping: MetadataAssembly.TransferSyntaxMapping = { mediaType, parameter in
        parameter ?? (mediaType == "video/mp4" ? "1.2.840.10008.1.2.4.102" : nil)
    }

    private func assemble(
        _ dataSets: [DataSet], _ parts: [Part], with harness: IngestionHarness
    ) async -> [IngestionOutcome] {
        var assembly = MetadataAssembly(
            pipeline: harness.pipeline, baseURI: "https://host/dicomweb/studies", transferSyntax: Self.mapping)
        for part in parts {
            await assembly.beginPart(
                contentLocation: part.location, mediaType: part.mediaType, transferSyntaxUID: part.transferSyntaxUID)
            var rest = part.bytes[...]
            while !rest.isEmpty {
                await assembly.write(ByteBuffer(bytes: rest.prefix(100_000)))
                rest = rest.dropFirst(100_000)
            }
            await assembly.endPart()
        }
        var outcomes: [IngestionOutcome] = []
        await assembly.assemble(dataSets, origin: IngestionOrigin(door: .stow, requestID: "r")) { received in
            outcomes.append(await harness.pipeline.ingest(received))
        }
        return outcomes
    }

    private func stored(_ harness: IngestionHarness) async throws -> DICOMFile {
        let location = try #require(harness.blobs.stored.first)
        let bytes = Array(try await harness.blobs.read(location).readableBytesView)
        return try Part10Reader.read(bytes, retention: .everything)
    }

    private func metadata(_ uri: String, _ change: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var dataSet = TestInstance().dataSet()
        dataSet.characterSet = .utf8
        dataSet.set(DataElement(.pixelData, .OB, .bulk(.uri(uri))))
        change(&dataSet)
        return dataSet
    }

    @Test(arguments: [
        ("bulk/1", "bulk/1"), ("https://host/dicomweb/bulk/1", "bulk/1"), ("../dicomweb/x y.bin", "x y.bin"),
        ("urn:uuid:1", "urn:uuid:1"), ("/b", "https://host/b"),
    ])
    func `uncompressed pixel data comes from the part that the URI names`(uri: String, location: String) async throws {
        try await IngestionHarness.run { (harness) async throws in
            let pixels = TestInstance().pixelData
            let outcomes = await assemble([metadata(uri)], [Part(location: location, bytes: pixels)], with: harness)
            #expect(outcomes.map(\.isStored) == [true])
            #expect(outcomes.first?.warning == nil)
            let file = try await stored(harness)
            #expect(file.transferSyntaxUID == "1.2.840.10008.1.2.1")
            #expect(file.isFaithful)
            #expect(file.dataSet[.pixelData]?.bytes.map(Array.init) == pixels)
            #expect(harness.blobs.staged == 0)
        }
    }

    @Test func `a large part goes through the blob store`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let pixels = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            var dataSet = metadata("big")
            for (tag, value) in [(DICOMCore.Tag.rows, 1500), (Tag.columns, 2000)] {
                let bytes = [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)]
                dataSet.set(DataElement(tag, .US, .bytes(bytes[...])))
            }
            let outcomes = await assemble([dataSet], [Part(location: "big", bytes: pixels)], with: harness)
            #expect(outcomes.map(\.isStored) == [true])
            #expect(try await stored(harness).dataSet[.pixelData]?.bytes.map(Array.init) == pixels)
            #expect(harness.blobs.staged == 0)
            #expect(harness.blobs.stored.count == 1)
        }
    }

    @Test(arguments: ["elsewhere", "http://169.254.169.254/", "file:///etc/passwd"])
    func `a URI that names no part refuses the instance`(uri: String) async throws {
        try await IngestionHarness.run { (harness) async throws in
            let parts = [Part(location: "bulk/1", bytes: [1, 2])]
            let outcomes = await assemble([metadata(uri)], parts, with: harness)
            #expect(outcomes.first?.code == 0xC003)
            #expect(outcomes.first?.refusedIdentity != nil)
            #expect(harness.blobs.stored.isEmpty)
            #expect(harness.blobs.staged == 0)
        }
    }

    @Test func `a part that nothing refers to gives a warning`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let parts = [Part(location: "a", bytes: TestInstance().pixelData), Part(location: "b", bytes: [1])]
            let outcomes = await assemble([metadata("a")], parts, with: harness)
            #expect(outcomes.first?.warning == .unreferencedBulkData)
        }
    }

    /// The header of a baseline JPEG of 4 rows and 6 columns.
    private static func jpeg(marker: UInt8 = 0xC0, predictor: UInt8 = 0, components: UInt8 = 3) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0, 0xFF, marker, 0, 8 + 3 * components, 8, 0, 4, 0, 6]
        bytes.append(components)
        for component in 1...components { bytes += [component, 0x11, 0] }
        bytes += [0xFF, 0xDA, 0, 6 + 2 * components, components]
        for component in 1...components { bytes += [component, 0] }
        return bytes + [predictor, 0, 0, 1, 2, 3, 4, 0xFF, 0xD9]
    }

    @Test func `a JPEG becomes a fragment, and its header fills the image attributes`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let dataSet = metadata("jpeg") { dataSet in
                for element in dataSet.elements where element.tag.group == 0x0028 { dataSet.remove(element.tag) }
            }
            let jpeg = Self.jpeg()
            let parts = [Part(location: "jpeg", mediaType: "image/jpeg", bytes: jpeg)]
            let outcomes = await assemble([dataSet], parts, with: harness)
            #expect(outcomes.map(\.isStored) == [true])
            let file = try await stored(harness)
            #expect(file.transferSyntaxUID == "1.2.840.10008.1.2.4.50")
            #expect(file.dataSet[.rows]?.bytes.map(Array.init) == [4, 0])
            #expect(file.dataSet[.columns]?.bytes.map(Array.init) == [6, 0])
            #expect(file.dataSet[.photometricInterpretation]?.bytes.map(Array.init) == Array("YBR_FULL_422".utf8))
            #expect(file.dataSet[.lossyImageCompression]?.bytes.map(Array.init) == Array("01".utf8))
            guard case .fragments(let value)? = file.dataSet[.pixelData]?.value else {
                Issue.record("pixel data is not encapsulated")
                return
            }
            #expect(value.fragments.map(\.range.count) == [jpeg.count + jpeg.count % 2])
        }
    }

    @Test(arguments: [
        (0xC1, 0, "1.2.840.10008.1.2.4.51"), (0xC3, 1, "1.2.840.10008.1.2.4.70"), (0xC3, 4, "1.2.840.10008.1.2.4.57"),
    ])
    func `the transfer syntax of a JPEG is that of its frame header`(
        marker: UInt8, predictor: UInt8, uid: String
    ) async throws {
        try await IngestionHarness.run { (harness) async throws in
            let jpeg = Self.jpeg(marker: marker, predictor: predictor, components: 1)
            let parts = [Part(location: "j", mediaType: "image/jpeg", bytes: jpeg)]
            #expect(await assemble([metadata("j")], parts, with: harness).map(\.isStored) == [true])
            #expect(try await stored(harness).transferSyntaxUID == uid)
        }
    }

    @Test(arguments: ["image/png", "image/gif", "text/plain", "image/jpeg"])
    func `pixel data that cannot be used refuses the instance`(mediaType: String) async throws {
        try await IngestionHarness.run { (harness) async throws in
            let parts = [Part(location: "p", mediaType: mediaType, bytes: Array("no image".utf8))]
            #expect(await assemble([metadata("p")], parts, with: harness).first?.code == 0xC122)
        }
    }

    @Test func `an encapsulated document keeps its media type and its length`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            var dataSet = TestInstance().dataSet(hasPixelData: false)
            dataSet.set(DataElement(.encapsulatedDocument, .OB, .bulk(.uri("doc"))))
            let parts = [Part(location: "doc", mediaType: "application/pdf", bytes: Array("%PDF-1.4!".utf8))]
            #expect(await assemble([dataSet], parts, with: harness).map(\.isStored) == [true])
            let file = try await stored(harness)
            let type = file.dataSet[.mimeTypeOfEncapsulatedDocument]?.bytes.map { String(decoding: $0, as: UTF8.self) }
            #expect(type == "application/pdf ")
            #expect(file.dataSet[.encapsulatedDocumentLength]?.bytes.map(Array.init) == [9, 0, 0, 0])
            #expect(file.dataSet[.encapsulatedDocument]?.bytes?.count == 10)
        }
    }

    @Test func `bulk data inside of a sequence is put in its place`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            var dataSet = TestInstance().dataSet(hasPixelData: false)
            let item = DataSet([DataElement(DICOMCore.Tag(0x5400, 0x1010), .OW, .bulk(.uri("wave")))])
            dataSet.set(DataElement(DICOMCore.Tag(0x5400, 0x0100), .SQ, .items([item, DataSet()])))
            #expect(
                await assemble([dataSet], [Part(location: "wave", bytes: [1, 2, 3])], with: harness).first?.isStored
                    == true)
            let file = try await stored(harness)
            let items = try #require(file.dataSet[DICOMCore.Tag(0x5400, 0x0100)]?.items)
            #expect(items.count == 2)
            #expect(items[0][DICOMCore.Tag(0x5400, 0x1010)]?.bytes.map(Array.init) == [1, 2, 3, 0])
        }
    }

    @Test(arguments: [
        ("ISO_IR 100", "Müller", "ISO_IR 100", [0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72] as [UInt8]),
        ("ISO_IR 100", "山田", "ISO_IR 192", Array("山田".utf8)), ("", "山田", "ISO_IR 192", Array("山田".utf8)),
    ])
    func `text is kept in the declared character set if it fits, else in UTF-8`(
        declared: String, name: String, stored terms: String, bytes: [UInt8]
    ) async throws {
        try await IngestionHarness.run { (harness) async throws in
            var instance = TestInstance()
            instance.characterSet = declared
            instance.patientName = name
            var dataSet = instance.dataSet(hasPixelData: false)
            dataSet.characterSet = .utf8
            #expect(await assemble([dataSet], [], with: harness).map(\.isStored) == [true])
            let file = try await stored(harness)
            let found = file.dataSet[.specificCharacterSet]?.bytes.map { String(decoding: $0, as: UTF8.self) }
            #expect(found == terms)
            #expect(file.dataSet[.patientName]?.bytes.map(Array.init)?.prefix(bytes.count) == bytes[...])
        }
    }
}
