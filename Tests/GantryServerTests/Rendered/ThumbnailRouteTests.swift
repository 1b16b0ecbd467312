import DICOMCore
import GantryTesting
import HTTPTypes
import NIOCore
import Testing

@testable import GantryServer

@Suite struct ThumbnailRouteTests {
    @Test func `there is one small image at each level`() async throws {
        try await ServerHarness.run { (server) async throws in
            var large = TestInstance.image(1, frames: 3)
            (large.rows, large.columns) = (300, 400)
            try await server.store(TestInstance.report.part10(hasPixelData: false))
            try await server.store(large.part10())
            let study = "studies/\(large.studyUID)"
            for path in [study, "\(study)/series/\(large.seriesUID)", large.path, large.path + "/frames/2"] {
                let answer = try await server.send(.get, path + "/thumbnail")
                #expect(answer.status == 200 && answer.headers[.contentType] == "image/jpeg", "\(path)")
                #expect(answer.imageSize == [256, 192], "\(path)")
                let tag = try #require(answer.headers[.eTag])
                #expect(try await server.send(.get, path + "/thumbnail", [.ifNoneMatch: tag]).status == 304)
                let small = try await server.send(.get, path + "/thumbnail?viewport=64,64", [.accept: "image/png"])
                #expect(small.imageSize == [64, 48] && small.headers[.contentType] == "image/png")
            }
            // The middle frame, so the same image.
            let frame = try await server.send(.get, large.path + "/frames/2/thumbnail")
            #expect(try await server.send(.get, large.path + "/thumbnail").bytes == frame.bytes)
            #expect(try await server.send(.get, large.path + "/frames/1/thumbnail").bytes != frame.bytes)
            #expect(try await server.send(.get, large.path + "/frames/4/thumbnail").status == 404)
            for query in ["viewport=1,2,3", "viewport=0,0", "viewport=x"] {
                #expect(try await server.send(.get, "\(study)/thumbnail?\(query)").status == 400)
            }
            let ignored = try await server.send(.get, "\(study)/thumbnail?window=1,2,linear")
            #expect(ignored.status == 200 && ignored.headers[.warning]?.contains("window") == true)
            #expect(try await server.send(.get, study + "/thumbnail", [.accept: "text/html"]).status == 406)
            #expect(try await server.send(.get, "studies/1.2.3/thumbnail").status == 404)
        }
    }

    @Test func `small images are not made larger`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image()
            try await server.store(image.part10())
            #expect(try await server.send(.get, image.path + "/thumbnail").imageSize == [12, 6])
        }
    }

    @Test func `of a series it is the middle image`() async throws {
        try await ServerHarness.run { (server) async throws in
            for number in 1...5 { try await server.store(TestInstance.image(number).part10()) }
            let middle = TestInstance.image(3)
            let series = try await server.send(.get, "studies/\(middle.studyUID)/series/\(middle.seriesUID)/thumbnail")
            let image = try await server.send(.get, middle.path + "/thumbnail")
            #expect(series.headers[.lastModified] == nil && series.headers[.eTag] == image.headers[.eTag])
        }
    }

    @Test func `what is no image has an icon`() async throws {
        try await ServerHarness.run { (server) async throws in
            let report = TestInstance.report
            let document = TestInstance.document("application/pdf", Array("%PDF".utf8))
            try await server.store(report.part10(hasPixelData: false))
            try await server.store(document.part10(hasPixelData: false))
            let icons = [
                try await server.send(.get, report.path + "/thumbnail", [.accept: "image/png"]),
                try await server.send(.get, document.path + "/thumbnail", [.accept: "image/png"]),
            ]
            #expect(icons.map(\.imageSize) == [[256, 256], [256, 256]] && icons[0].bytes != icons[1].bytes)
            let small = try await server.send(.get, report.path + "/thumbnail?viewport=64,32")
            #expect(small.imageSize == [32, 32])
            #expect(try await server.send(.get, report.path + "/frames/1/thumbnail").status == 404)
        }
    }
}

@Suite struct ThumbnailCacheTests {
    private func key(_ version: Int64) -> ThumbnailCache.Key {
        .init(source: .frame(version: version, number: 1), width: 1, height: 1, mediaType: "image/jpeg")
    }

    @Test func `keeps what is small, and what was used last`() async throws {
        let cache = ThumbnailCache()
        var made = 0
        func get(_ version: Int64, _ length: Int = 8) async throws {
            _ = try await cache.image(key(version)) {
                made += 1
                return ByteBuffer(repeating: 0, count: length)
            }
        }
        try await get(1)
        try await get(1)
        #expect(made == 1)
        try await get(2, ThumbnailCache.lengthLimit + 1)
        try await get(2, ThumbnailCache.lengthLimit + 1)
        #expect(made == 3)
        // 256 others push out the one that was used longest ago.
        for version in 10..<265 { try await get(Int64(version)) }
        try await get(1)
        #expect(made == 258)
        try await get(1000)
        try await get(1)
        #expect(made == 259)
        try await get(10)
        #expect(made == 260)
    }
}
