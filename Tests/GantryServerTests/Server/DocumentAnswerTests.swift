import DICOMCore
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

/// Encapsulated documents in the media type of their own (0042,0012) (PS3.18 8.7.3.3.4).
@Suite struct DocumentAnswerTests {
    private static let octets = #"multipart/related; type="application/octet-stream""#
    private static let pdf = #"multipart/related; type="application/pdf""#

    /// An encapsulated document; its odd length shows whether the padding is left out.
    private struct Document {
        var instance: TestInstance
        var bytes: [UInt8]

        init(_ mediaType: String, length: Int, study: Int = 1, instance number: Int = 1) {
            bytes = Array("%PDF-1.7\r\n".utf8)
            while bytes.count < length { bytes.append(UInt8(truncatingIfNeeded: bytes.count &* 7 >> 2)) }
            instance = TestInstance(study: study, instance: number)
            instance.sopClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
            instance.modality = "DOC"
            instance.elements = [
                DataElement(Tag(0x0042, 0x0011), .OB, .bytes((bytes + [0])[...])),
                DataElement(Tag(0x0042, 0x0012), .LO, .bytes(Self.even(mediaType)[...])),
                DataElement(Tag(0x0042, 0x0015), .UL, .bytes(TestBytes.uint32(bytes.count)[...])),
            ]
        }

        var study: String { "studies/\(instance.studyUID)" }
        var path: String { "\(study)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)" }
        var file: [UInt8] { instance.part10(hasPixelData: false) }

        private static func even(_ text: String) -> [UInt8] {
            Array(text.utf8) + (text.utf8.count % 2 == 0 ? [] : [0x20])
        }
    }

    /// Of a document that is kept with the data set, and of one that is read from the stored file.
    @Test(arguments: [
        1001, 40_001,
    ])
    func `a document alone is told in its type`(length: Int) async throws {
        try await ServerHarness.run { (server) async throws in
            let document = Document("application/pdf", length: length)
            #expect(try await server.store(document.file).status == 200)
            for path in ["", "/bulkdata", "/bulkdata/00420011"].map({ document.path + $0 })
                + [document.study + "/bulkdata"]
            {
                for accept in [
                    "application/pdf", "application/*;q=0.1, application/pdf", "application/pdf, image/jpeg",
                    "application/pdf, application/dicom;q=0.9", "application/pdf, */*;q=0.5",
                ] {
                    let answer = try await server.send(.get, path, [.accept: accept])
                    #expect(
                        answer.status == 200 && answer.headers[.contentType] == "application/pdf", "\(path) \(accept)")
                    #expect(answer.bytes == document.bytes, "\(path) \(accept)")
                    #expect(answer.headers[.contentDisposition]?.hasPrefix("attachment") == true)
                    #expect(answer.headers[.contentLocation]?.hasSuffix("/bulkdata/00420011") == true)
                    let tag = try #require(answer.headers[.eTag])
                    let again = try await server.send(.get, path, [.accept: accept, .ifNoneMatch: tag])
                    #expect(again.status == 304)
                }
                // As the JavaScript client asks, in both orders.
                for accept in ["\(Self.octets), \(Self.pdf)", "\(Self.pdf), \(Self.octets)", Self.pdf] {
                    let answer = try await server.send(.get, path, [.accept: accept])
                    #expect(answer.status == 200, "\(path) \(accept)")
                    #expect(
                        answer.headers[.contentType]?.hasPrefix(#"multipart/related; type="application/pdf""#) == true)
                    #expect(answer.body.contains("Content-Type: application/pdf\r\n"))
                    #expect(answer.body.contains("Content-Length: \(length)\r\n"))
                    #expect(answer.bytes.contains(document.bytes + Array("\r\n--".utf8)))
                }
                let octets = try await server.send(.get, path, [.accept: Self.octets])
                #expect(octets.status == 200 && octets.body.contains("Content-Type: application/octet-stream\r\n"))
                let single = try await server.send(.get, path, [.accept: "application/octet-stream"])
                #expect(single.headers[.contentType] == "application/octet-stream" && single.bytes == document.bytes)
                #expect(try await server.send(.get, path, [.accept: "text/xml"]).status == 406)
            }
            // Whoever wants files, or anything, gets files.
            for accept in ["*/*", "application/dicom, application/pdf;q=0.9"] {
                let answer = try await server.send(.get, document.path, [.accept: accept])
                #expect(answer.status == 200 && answer.headers[.contentType]?.contains("application/dicom") == true)
            }
            let range = try await server.send(
                .get, document.path, [.accept: "application/pdf", .range: "bytes=1-3"])
            #expect(range.status == 206 && range.body == "PDF")
        }
    }

    @Test func `of several values those of the type come, and no single part for more than one`() async throws {
        try await ServerHarness.run { (server) async throws in
            let documents = (1...2).map { Document("application/pdf", length: 5001 + $0 * 2, instance: $0) }
            for document in documents { try await server.store(document.file) }
            let study = documents[0].study
            let both = try await server.send(.get, study, [.accept: Self.pdf])
            #expect(both.status == 200 && documents.allSatisfy { both.bytes.contains($0.bytes) })
            #expect(try await server.send(.get, study, [.accept: "application/pdf"]).status == 406)
            #expect(try await server.send(.get, study + "/bulkdata", [.accept: "application/pdf"]).status == 406)

            // An image alone, one in a study of others, and one of several frames.
            var frames = TestInstance(study: 2)
            frames.frames = 2
            try await server.store(frames.part10())
            try await server.store(TestInstance(study: 3).part10())
            for (number, status) in [(2, 406), (3, 200)] {
                let path = "studies/\(TestInstance(study: number).studyUID)/bulkdata"
                let alone = try await server.send(.get, path, [.accept: "application/octet-stream"])
                #expect(alone.status == status, "study \(number)")
                if status == 200 { #expect(alone.bytes == TestInstance().pixelData) }
                let parts = try await server.send(.get, path, [.accept: "application/octet-stream, \(Self.octets)"])
                #expect(parts.status == 200)
            }
            let image = TestInstance(instance: 3)
            try await server.store(image.part10())
            let some = try await server.send(.get, study, [.accept: Self.pdf])
            #expect(some.status == 206 && some.headers[.warning] != nil)
            #expect(documents.allSatisfy { some.bytes.contains($0.bytes) })
            let path = "\(study)/series/\(image.seriesUID)/instances/\(image.sopInstanceUID)"
            #expect(try await server.send(.get, path, [.accept: "application/pdf"]).status == 406)
            let file = try await server.send(.get, path, [.accept: "application/pdf, application/dicom;q=0.1"])
            #expect(file.status == 200 && file.bytes == image.part10())
        }
    }

    @Test(arguments: [
        ("text/xml", "text/xml"), ("model/stl", "model/stl"), ("MODEL/OBJ", "model/obj"), ("model/mtl", "model/mtl"),
        // What can be no document's type is not repeated.
        ("*/*", "application/octet-stream"), ("multipart/related", "application/octet-stream"),
        ("text/x\r\nSet-Cookie: a", "application/octet-stream"), ("", "application/octet-stream"),
    ])
    func `the type is that of the attribute, if it is one`(value: String, contentType: String) async throws {
        try await ServerHarness.run { (server) async throws in
            let document = Document(value, length: 301)
            #expect(try await server.store(document.file).status == 200)
            let answer = try await server.send(
                .get, document.path + "/bulkdata/00420011",
                [.accept: "\(contentType), multipart/related; type=\"\(contentType)\";q=0.1"])
            #expect(answer.status == 200 && answer.headers[.contentType] == contentType)
            #expect(answer.bytes == document.bytes)
        }
    }
}
