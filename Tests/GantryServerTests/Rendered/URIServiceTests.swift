import DICOMCore
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

@Suite struct URIServiceTests {
    private func path(_ instance: TestInstance, _ query: String = "") -> String {
        "wado?requestType=WADO&studyUID=\(instance.studyUID)&seriesUID=\(instance.seriesUID)"
            + "&objectUID=\(instance.sopInstanceUID)\(query)"
    }

    @Test func `an image is shown in the type, part and size that are asked for`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image(frames: 3)
            try await server.store(image.part10())
            func get(_ query: String, _ accept: String = "*/*") async throws -> ServerHarness.Answer {
                try await server.send(.get, path(image, query), [.accept: accept])
            }
            let plain = try await get("")
            #expect(plain.status == 200 && plain.headers[.contentType] == "image/jpeg" && plain.imageSize == [12, 6])
            #expect(try await get("", "image/gif, image/jpeg, */*").headers[.contentType] == "image/jpeg")
            #expect(try await get("&contentType=image/png").headers[.contentType] == "image/png")
            #expect(try await get("&contentType=image%2Fpng,image%2Fjpeg;q=0.5").headers[.contentType] == "image/png")
            #expect(try await get("&rows=3").imageSize == [6, 3])
            #expect(try await get("&columns=24").imageSize == [24, 12])
            #expect(try await get("&rows=100&columns=6").imageSize == [6, 3])
            #expect(try await get("&region=0,0,0.5,1").imageSize == [6, 6])
            #expect(try await get("&region=0.5,0,1,1&rows=12").imageSize == [12, 12])
            let png = "&contentType=image/png"
            // In a window of its own each frame would look the same.
            let window = png + "&windowCenter=100&windowWidth=200"
            let frames = [try await get(window), try await get(window + "&frameNumber=2")]
            #expect(frames[0].bytes != frames[1].bytes && frames.map(\.imageSize) == [[12, 6], [12, 6]])
            let windowed = try await get(png + "&windowCenter=20&windowWidth=10")
            let rendered = try await server.send(
                .get, image.path + "/frames/1/rendered?window=20,10,linear", [.accept: "image/png"])
            #expect(windowed.bytes == rendered.bytes)
            #expect(try await get("&frameNumber=4").status == 404)
            for query in [
                "&frameNumber=0", "&frameNumber=x", "&rows=0", "&columns=-1", "&imageQuality=101", "&region=0,0,1",
                "&region=0.5,0,0.5,1", "&region=0,0,2,1", "&windowCenter=1", "&windowCenter=1&windowWidth=0",
                "&windowCenter=nan&windowWidth=5", "&presentationUID=1.2", "&transferSyntax=1.2.840.10008.1.2.1",
                "&contentType=application/dicom&rows=5",
            ] {
                #expect(try await get(query).status == 400, "\(query)")
            }
            #expect(try await get("&contentType=text/html").status == 406)
            #expect(try await get("&anonymize=yes").status == 406)
            let tag = try #require(plain.headers[.eTag])
            #expect(try await server.send(.get, path(image), [.ifNoneMatch: tag]).status == 304)
        }
    }

    @Test func `files, reports and documents come, too`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image()
            let report = TestInstance.report
            let document = TestInstance.document("application/pdf", Array("%PDF".utf8))
            try await server.store(image.part10())
            for other in [report, document] { try await server.store(other.part10(hasPixelData: false)) }
            let file = try await server.send(.get, path(image, "&contentType=application/dicom"))
            #expect(file.status == 200 && file.headers[.contentType]?.hasPrefix("application/dicom") == true)
            #expect(try await server.send(.get, path(report)).headers[.contentType] == "text/html; charset=utf-8")
            #expect(try await server.send(.get, path(report, "&contentType=text/plain")).status == 200)
            #expect(try await server.send(.get, path(document)).bytes == Array("%PDF".utf8))
            #expect(try await server.send(.get, path(report, "&frameNumber=1")).status == 404)
        }
    }

    @Test func `a presentation state gives the window`() async throws {
        try await ServerHarness.run { (server) async throws in
            let images = [TestInstance.image(1), TestInstance.image(2)]
            let state = TestInstance.presentationState(of: [images[0]], window: ("20", "10"))
            for image in images { try await server.store(image.part10()) }
            try await server.store(state.part10(hasPixelData: false))
            let query =
                "&contentType=image/png&presentationUID=\(state.sopInstanceUID)&presentationSeriesUID=\(state.seriesUID)"
            let shown = try await server.send(.get, path(images[0], query))
            let windowed = try await server.send(
                .get, path(images[0], "&contentType=image/png&windowCenter=20&windowWidth=10"))
            #expect(shown.status == 200 && shown.bytes == windowed.bytes)
            #expect(try await server.send(.get, path(images[1], query)).status == 404)
            #expect(try await server.send(.get, path(images[0], query + "&windowCenter=1&windowWidth=5")).status == 400)
        }
    }
}
