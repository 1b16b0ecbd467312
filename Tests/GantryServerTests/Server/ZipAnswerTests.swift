import DICOMCore
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

/// `application/zip` of a study, a series and an instance (PS3.18 8.7.3).
@Suite struct ZipAnswerTests {
    private static let zip: HTTPFields = [.accept: "application/zip"]
    private static let anySyntax: HTTPFields = [.accept: "application/zip; transfer-syntax=*"]
    private static let rle = "1.2.840.10008.1.2.5"

    private static func name(_ instance: TestInstance) -> String {
        "\(instance.seriesUID)/\(instance.sopInstanceUID).dcm"
    }

    private static func path(_ instance: TestInstance) -> String {
        "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
    }

    @Test func `a study, a series and an instance come as the files that were stored`() async throws {
        try await ServerHarness.run { (server) async throws in
            let instances = (1...5).map { TestInstance(series: 1 + $0 % 2, instance: $0) }
            for instance in instances { try await server.store(instance.part10()) }
            let one = instances[0]
            for (path, expected) in [
                ("studies/\(one.studyUID)", instances),
                ("studies/\(one.studyUID)/series/\(one.seriesUID)", instances.filter { $0.seriesUID == one.seriesUID }),
                (Self.path(one), [one]),
            ] {
                let answer = try await server.send(.get, path, Self.zip)
                #expect(answer.status == 200 && answer.headers[.contentType] == "application/zip")
                #expect(answer.headers[.contentDisposition] == "attachment; filename=\"\(one.studyUID).zip\"")
                #expect(answer.headers[.acceptRanges] == "none")
                let files = try #require(ZipListing(answer.bytes))
                #expect(files.names == Set(expected.map(Self.name)), "\(path)")
                for instance in expected { #expect(files[Self.name(instance)] == instance.part10()) }
                #expect(!answer.body.prefix(while: { $0 != "\0" }).contains("Smith"))

                // What is known already is not sent again; HEAD tells the same.
                let tag = try #require(answer.headers[.eTag])
                let again = try await server.send(.get, path, Self.zip)
                #expect(again.headers[.eTag] == tag && again.bytes == answer.bytes)
                let known = try await server.send(
                    .get, path, [.accept: "application/zip", .ifNoneMatch: tag])
                #expect(known.status == 304 && known.byteCount == 0)
                let head = try await server.send(.head, path, Self.zip)
                #expect(head.status == 200 && head.byteCount == 0 && head.headers[.eTag] == tag)
                #expect(head.headers[.contentType] == "application/zip")
                let other = try await server.send(.get, path, [.accept: "*/*"])
                #expect(other.headers[.eTag] != tag)
                #expect(other.headers[.contentType]?.hasPrefix("multipart/related") == true)
            }
            // Another version has another tag.
            let before = try await server.send(.head, "studies/\(one.studyUID)", Self.zip).headers[.eTag]
            try await server.store(TestInstance(instance: 9).part10())
            #expect(try await server.send(.head, "studies/\(one.studyUID)", Self.zip).headers[.eTag] != before)
            #expect(try await server.send(.get, "studies/1.2.3", Self.zip).status == 404)
        }
    }

    @Test(arguments: [
        ("application/zip", "application/zip"), ("APPLICATION/ZIP;q=0.1", "application/zip"),
        ("application/dicom, application/zip", "application/zip"), ("application/*", "application/zip"),
        (#"multipart/related; type="application/dicom", application/zip"#, "multipart/related"),
        (#"multipart/related; type="application/dicom"; q=0.5, application/zip"#, "application/zip"),
        (#"multipart/related; type="application/dicom"; q=0.5, application/zip;q=0.4"#, "multipart/related"),
        ("application/zip;q=0, */*", "multipart/related"), ("application/zip;q=0", nil), ("*/*", "multipart/related"),
        // Bulk data is wanted more, but there is none of that type; the archive is second best.
        (#"multipart/related; type="application/pdf", application/zip;q=0.5"#, "application/zip"),
        ("application/zip; transfer-syntax=1.2.840.10008.1.2", nil),
        ("application/zip; transfer-syntax=1.2.840.10008.1.2, */*;q=0.1", "multipart/related"),
    ])
    func `is negotiated as other types are`(accept: String, contentType: String?) async throws {
        try await ServerHarness.run { (server) async throws in
            let instance = TestInstance()
            try await server.store(instance.part10())
            let answer = try await server.send(.get, "studies/\(instance.studyUID)", [.accept: accept])
            #expect(answer.status == (contentType == nil ? 406 : 200))
            if let contentType { #expect(answer.headers[.contentType]?.hasPrefix(contentType) == true) }
            let query = try await server.send(
                .get, "studies/\(instance.studyUID)?accept=application/zip", [.accept: "*/*"])
            #expect(query.headers[.contentType] == "application/zip")
        }
    }

    @Test func `files are converted, and those that cannot be are sent as they are stored`() async throws {
        try await ServerHarness.run { (server) async throws in
            // 1. Two that are sent in Explicit VR Little Endian, of which one has to be converted, and one that cannot be.
            let plain = TestInstance(instance: 1)
            let implicit = TestInstance(instance: 2)
            var compressed = TestInstance(instance: 3)
            compressed.rows = 0
            try await server.store(plain.part10())
            let implicitFile = implicit.part10(
                dataSet: implicit.dataSet().reduce(into: []) { bytes, element in
                    guard case .bytes(let value) = element.value else { return }
                    bytes += TestBytes.implicit(element.tag, Array(value))
                }, transferSyntaxUID: "1.2.840.10008.1.2")
            #expect(try await server.store(implicitFile).status == 200)
            let fragments =
                TestBytes.element(Tag(0x7FE0, 0x0010), .OB, [], length: TestBytes.undefined)
                + TestBytes.item() + TestBytes.item([1, 2, 3, 4]) + TestBytes.sequenceEnd
            let compressedFile = compressed.part10(
                dataSet: TestBytes.encode(compressed.dataSet(hasPixelData: false)) + fragments,
                transferSyntaxUID: Self.rle)
            #expect(try await server.store(compressedFile).status == 200)
            let study = "studies/\(plain.studyUID)"

            // 2. By default.
            let partial = try await server.send(.get, study, Self.zip)
            #expect(partial.status == 200)
            let files = try #require(ZipListing(partial.bytes))
            #expect(files.names == [Self.name(plain), Self.name(implicit), Self.name(compressed)])
            #expect(files[Self.name(compressed)] == compressedFile)
            #expect(files[Self.name(plain)] == plain.part10())
            let single = try await server.send(.get, Self.path(implicit), [.accept: "application/dicom"])
            #expect(single.status == 200 && files[Self.name(implicit)] == single.bytes)

            // 3. As they are stored, but for what never leaves.
            let whole = try await server.send(.get, study, Self.anySyntax)
            #expect(whole.status == 200 && whole.headers[.warning] == nil)
            let all = try #require(ZipListing(whole.bytes))
            #expect(all.names.count == 3 && all[Self.name(compressed)] == compressedFile)
            #expect(whole.headers[.eTag] != partial.headers[.eTag])

            // 4. By name.
            let named = try await server.send(.get, study, [.accept: "application/zip; transfer-syntax=\(Self.rle)"])
            #expect(named.status == 200)
            #expect(ZipListing(named.bytes)?[Self.name(compressed)] == compressedFile)
            let unknown = [HTTPField.Name.accept: "application/zip; transfer-syntax=1.2.840.10008.1.2.4.50"]
            #expect(
                try await server.send(.get, study, HTTPFields(unknown.map { HTTPField(name: $0, value: $1) })).status
                    == 406)
        }
    }
}

/// The stored files of an archive, found by its central directory.
struct ZipListing {
    private var files: [String: [UInt8]] = [:]

    var names: Set<String> { Set(files.keys) }
    subscript(name: String) -> [UInt8]? { files[name] }

    /// `nil` for what is no archive, or one with other than stored files.
    init?(_ bytes: [UInt8]) {
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= bytes.count else { return nil }
            return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        guard number(bytes.count - 22, 4) == 0x0605_4B50, let count = number(bytes.count - 12, 2),
            var entry = number(bytes.count - 6, 4)
        else { return nil }
        for _ in 0..<count {
            guard number(entry, 4) == 0x0201_4B50, number(entry + 10, 2) == 0, let length = number(entry + 24, 4),
                let nameLength = number(entry + 28, 2), let extra = number(entry + 30, 2),
                let header = number(entry + 42, 4), number(header, 4) == 0x0403_4B50,
                let headerName = number(header + 26, 2), let headerExtra = number(header + 28, 2)
            else { return nil }
            let name = String(decoding: bytes[entry + 46..<entry + 46 + nameLength], as: UTF8.self)
            let start = header + 30 + headerName + headerExtra
            guard start + length <= bytes.count else { return nil }
            files[name] = Array(bytes[start..<start + length])
            entry += 46 + nameLength + extra
        }
        guard files.count == count else { return nil }
    }
}
