import DICOMCore
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

@Suite struct RenderedRouteTests {
    @Test func `an image comes in the type that is asked for`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image()
            try await server.store(image.part10())
            for (accept, type) in [
                ("*/*", "image/jpeg"), ("image/*", "image/jpeg"), ("image/jpeg", "image/jpeg"),
                ("image/png", "image/png"), ("image/gif", "image/gif"), ("image/png;q=0.5, image/gif", "image/gif"),
                ("text/html, image/png", "image/png"),
            ] {
                let answer = try await server.send(.get, image.path + "/rendered", [.accept: accept])
                #expect(answer.status == 200 && answer.headers[.contentType] == type, "\(accept)")
                #expect(answer.imageSize == [12, 6], "\(accept)")
                #expect(answer.headers[.contentLocation]?.hasSuffix(image.path + "/rendered") == true)
            }
            let chosen = try await server.send(.get, image.path + "/rendered?accept=image/png", [.accept: "*/*"])
            #expect(chosen.headers[.contentType] == "image/png")
            for accept in ["text/html", "application/dicom", "image/jpeg;q=0", "video/mp4"] {
                #expect(try await server.send(.get, image.path + "/rendered", [.accept: accept]).status == 406)
            }
        }
    }

    @Test(arguments: [
        "window=1,2", "window=a,2,linear", "window=1,0.5,linear", "viewport=0,1", "viewport=5", "quality=0",
        "quality=101", "quality=", "annotation=", "annotation=a%20b", "iccprofile=x",
        "window=1,2,linear&window=1,2,linear",
    ])
    func `a malformed parameter is answered with 400`(query: String) async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image()
            try await server.store(image.part10())
            for path in ["/rendered?", "/frames/1/rendered?"] {
                #expect(try await server.send(.get, image.path + path + query).status == 400, "\(path)\(query)")
            }
        }
    }

    @Test func `parameters have their effect`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image()
            try await server.store(image.part10())
            func get(_ query: String, _ accept: String = "image/png") async throws -> ServerHarness.Answer {
                try await server.send(.get, image.path + "/rendered?" + query, [.accept: accept])
            }
            #expect(try await get("viewport=6,6").imageSize == [6, 3])
            #expect(try await get("viewport=24,24").imageSize == [24, 12])
            #expect(try await get("viewport=3,3,0,0,3,6").imageSize == [2, 3])
            let plain = try await get("")
            #expect(try await get("window=20,10,linear").bytes != plain.bytes)
            // The window that the pixels, 0 to 71, would have by themselves.
            #expect(try await get("window=35.5,71,linear-exact").bytes == plain.bytes)
            #expect(try await get("quality=95", "image/jpeg").byteCount > get("quality=20", "image/jpeg").byteCount)
            #expect(try await get("iccprofile=srgb", "image/gif").status == 400)
            #expect(try await get("iccprofile=srgb").byteCount > plain.byteCount)
            let ignored = try await get("foo=1")
            #expect(ignored.status == 200 && ignored.headers[.warning]?.contains("foo") == true)
            #expect(try await get("viewport=16384,16384,0,0,6,6").status == 413)
        }
    }

    @Test func `a frame past the end is not there, and several come as parts`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image(frames: 5)
            try await server.store(image.part10())
            func get(_ path: String, _ accept: String) async throws -> ServerHarness.Answer {
                try await server.send(.get, "\(image.path)/\(path)", [.accept: accept])
            }
            let one = try await get("frames/2/rendered", "image/png")
            #expect(one.status == 200 && one.imageSize == [12, 6])
            #expect(try await get("frames/6/rendered", "image/png").status == 404)
            #expect(try await get("frames/1,2/rendered", "image/png").status == 406)
            let some = try await get("frames/4,2,9/rendered", "multipart/related; type=\"image/png\"")
            #expect(some.status == 206 && some.headers[.warning]?.contains("5 frames") == true)
            #expect(some.partLines.count == 4 && some.partLines[0] == "Content-Type: image/png")
            #expect(
                some.partLines[1].hasSuffix("/frames/4/rendered") && some.partLines[3].hasSuffix("/frames/2/rendered"))
            let all = try await get("rendered", "*/*")
            #expect(all.headers[.contentType]?.hasPrefix("multipart/related; type=\"image/jpeg\"") == true)
            #expect(all.partLines.count == 10)
            let animation = try await get("rendered", "image/gif")
            #expect(animation.status == 200 && animation.imageSize == [12, 6])
            // One graphic control extension for each frame.
            let marks = animation.bytes.indices.dropLast(2).filter {
                Array(animation.bytes[$0...$0 + 2]) == [0x21, 0xF9, 0x04]
            }
            #expect(marks.count == 5)
            #expect(try await get("rendered", "image/jpeg").status == 406)
        }
    }

    @Test func `caches are told, and HEAD has the same fields`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image(frames: 2)
            try await server.store(image.part10())
            let path = image.path + "/frames/1/rendered"
            let answer = try await server.send(.get, path, [.accept: "image/png"])
            let tag = try #require(answer.headers[.eTag])
            #expect(answer.headers[.cacheControl] == "private, max-age=86400")
            #expect(answer.headers[.vary] == "Accept, Accept-Encoding")
            let again = try await server.send(.get, path, [.accept: "image/png", .ifNoneMatch: tag])
            #expect(again.status == 304 && again.byteCount == 0)
            for (other, accept) in [
                (path, "image/jpeg"), (path + "?viewport=5,5", "image/png"),
                (image.path + "/frames/2/rendered", "image/png"),
            ] {
                let answer = try await server.send(.get, other, [.accept: accept, .ifNoneMatch: tag])
                #expect(answer.status == 200 && answer.headers[.eTag] != tag)
            }
            let head = try await server.send(.head, path, [.accept: "image/png"])
            #expect(head.status == 200 && head.byteCount == 0 && head.headers[.eTag] == tag)
            #expect(head.headers[.contentLength] == "\(answer.byteCount)")
        }
    }

    @Test func `a study has a part for each image, and tells what it leaves out`() async throws {
        try await ServerHarness.run { (server) async throws in
            let images = (1...3).map { TestInstance.image($0) }
            for image in images { try await server.store(image.part10()) }
            let study = "studies/\(images[0].studyUID)/rendered"
            let whole = try await server.send(.get, study)
            #expect(whole.status == 200 && whole.partLines.count == 6)
            #expect(whole.headers[.cacheControl] == "private, no-cache")
            #expect(try await server.send(.get, study, [.accept: "image/jpeg"]).status == 406)

            try await server.store(TestInstance.report.part10(hasPixelData: false))
            try await server.store(TestInstance.other("66", 5).part10(hasPixelData: false))
            let mixed = try await server.send(.get, study)
            #expect(mixed.status == 206 && mixed.headers[.warning]?.contains("1 instances") == true)
            #expect(mixed.partLines.filter { $0.hasPrefix("Content-Type: image/jpeg") }.count == 3)
            #expect(mixed.partLines.contains("Content-Type: text/html; charset=utf-8"))
            let pictures = try await server.send(.get, study, [.accept: "multipart/related; type=\"image/png\""])
            #expect(pictures.status == 206 && pictures.partLines.count == 6)
        }
    }

    @Test func `a report is text, and can do nothing in a browser`() async throws {
        try await ServerHarness.run { (server) async throws in
            let report = TestInstance.report
            try await server.store(report.part10(hasPixelData: false))
            let page = try await server.send(.get, report.path + "/rendered")
            #expect(page.status == 200 && page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.body.contains("Nodule &lt;script&gt;") && !page.body.contains("<script"))
            #expect(page.headers[.contentSecurityPolicy] == "default-src 'none'; style-src 'unsafe-inline'; sandbox")
            let text = try await server.send(.get, report.path + "/rendered", [.accept: "text/plain"])
            #expect(text.headers[.contentType] == "text/plain; charset=utf-8" && text.body.contains("<script>"))
            let xml = try await server.send(.get, report.path + "/rendered", [.accept: "text/xml"])
            #expect(xml.headers[.contentType] == "text/xml; charset=utf-8" && xml.body.hasPrefix("<?xml"))
            #expect(try await server.send(.get, report.path + "/rendered", [.accept: "image/*"]).status == 406)
            #expect(try await server.send(.get, report.path + "/frames/1/rendered").status == 404)
            let raw = TestInstance.other("66", 5)
            try await server.store(raw.part10(hasPixelData: false))
            #expect(try await server.send(.get, raw.path + "/rendered").status == 404)
            #expect(try await server.send(.get, raw.path + "/rendered", [.accept: "image/png"]).status == 406)
        }
    }

    @Test func `a document is handed out as it is`() async throws {
        try await ServerHarness.run { (server) async throws in
            let bytes = Array("%PDF-1.4 of odd length ".utf8) + [UInt8](repeating: 7, count: 10_000)
            let document = TestInstance.document("application/pdf", bytes)
            try await server.store(document.part10(hasPixelData: false))
            let path = document.path + "/rendered"
            let whole = try await server.send(.get, path, [.accept: "application/pdf"])
            #expect(whole.status == 200 && whole.bytes == bytes)
            #expect(whole.headers[.contentType] == "application/pdf")
            #expect(whole.headers[.contentDisposition] == "attachment")
            #expect(whole.headers[.contentSecurityPolicy]?.contains("sandbox") == true)
            let part = try await server.send(.get, path, [.range: "bytes=2-9"])
            #expect(part.status == 206 && part.bytes == Array(bytes[2...9]))
            #expect(try await server.send(.get, path, [.accept: "image/png"]).status == 406)
        }
    }

    @Test func `a video is its stream, whatever its fragments`() async throws {
        try await ServerHarness.run { (server) async throws in
            let video = TestInstance.image(frames: 3)
            let pieces = [(0..<100).map { UInt8($0) }, (100..<160).map { UInt8($0) }]
            try await server.store(
                video.part10(fragments: pieces, transferSyntaxUID: "1.2.840.10008.1.2.4.102"))
            let path = video.path + "/rendered"
            let whole = try await server.send(.get, path)
            #expect(whole.status == 200 && whole.headers[.contentType] == "video/mp4")
            #expect(whole.bytes == pieces.flatMap(\.self) && whole.headers[.acceptRanges] == "bytes")
            let part = try await server.send(.get, path, [.accept: "video/mp4", .range: "bytes=90-109"])
            #expect(part.status == 206 && part.bytes == (90...109).map { UInt8($0) })
            #expect(part.headers[.contentRange] == "bytes 90-109/160")
            #expect(try await server.send(.get, path, [.accept: "image/jpeg"]).status == 406)
            #expect(try await server.send(.get, video.path + "/frames/1/rendered").status == 406)
        }
    }

    @Test func `a presentation state shows its images in its window`() async throws {
        try await ServerHarness.run { (server) async throws in
            let images = [TestInstance.image(1), TestInstance.image(2)]
            let state = TestInstance.presentationState(of: [images[0]], window: ("20", "10"))
            for image in images { try await server.store(image.part10()) }
            try await server.store(state.part10(hasPixelData: false))
            let shown = try await server.send(.get, state.path + "/rendered", [.accept: "image/png"])
            #expect(shown.status == 200)
            let windowed = try await server.send(
                .get, images[0].path + "/rendered?window=20,10,linear", [.accept: "image/png"])
            #expect(shown.bytes == windowed.bytes)
            #expect(try await server.send(.get, state.path + "/rendered?window=20,10,linear").status == 400)
            #expect(try await server.send(.get, state.path + "/rendered?viewport=5,5,1,1").status == 400)
            #expect(
                try await server.send(.get, state.path + "/rendered?viewport=6,6", [.accept: "image/png"]).imageSize
                    == [6, 3])
            _ = try await server.send(.delete, images[0].path)
            #expect(try await server.send(.get, state.path + "/rendered").status == 404)
        }
    }

    @Test func `the tables of a presentation state take the place of what the image says`() async throws {
        try await ServerHarness.run { (server) async throws in
            let image = TestInstance.image(1)
            try await server.store(image.part10())
            func shown(_ window: (String, String), _ more: [DataElement]) async throws -> ServerHarness.Answer {
                let state = TestInstance.presentationState(
                    of: [image],
                    [
                        TestInstance.sequence(
                            .softcopyVOILUTSequence,
                            [
                                [
                                    TestInstance.text(.windowCenter, .DS, window.0),
                                    TestInstance.text(.windowWidth, .DS, window.1),
                                    TestInstance.text(.voilutFunction, .CS, "LINEAR_EXACT"),
                                ]
                            ])
                    ] + more)
                _ = try await server.send(.delete, state.path)
                #expect(try await server.store(state.part10(hasPixelData: false)).status == 200)
                return try await server.send(.get, state.path + "/rendered", [.accept: "image/png"])
            }
            func plain(_ window: String) async throws -> ServerHarness.Answer {
                try await server.send(
                    .get, image.path + "/rendered?window=\(window),linear-exact", [.accept: "image/png"])
            }
            // A presentation table that is the identity, and one that turns all around.
            let straight = TestInstance.sequence(
                .presentationLUTSequence, [TestInstance.table(first: 0, bits: 8, Array(0...255))])
            let turned = TestInstance.sequence(
                .presentationLUTSequence, [TestInstance.table(first: 0, bits: 8, (0...255).reversed())])
            #expect(try await shown(("25.5", "51"), [straight]).bytes == plain("25.5,51").bytes)
            let inverse = try await shown(
                ("20", "10"), [TestInstance.text(.presentationLUTShape, .CS, "INVERSE")])
            let table = try await shown(("20", "10"), [turned])
            #expect(inverse.status == 200 && table.status == 200)
            #expect(inverse.bytes != (try await plain("20,10").bytes))
            // A modality table that doubles is a window of half the size.
            let doubling = TestInstance.sequence(
                .modalityLUTSequence, [TestInstance.table(first: 0, bits: 16, (0..<4096).map { 2 * $0 })])
            #expect(try await shown(("40", "20"), [doubling]).bytes == plain("20,10").bytes)
        }
    }

    @Test func `a damaged codestream is told, and costs nothing else`() async throws {
        try await ServerHarness.run { (server) async throws in
            let bad = TestInstance.image(1)
            let good = TestInstance.image(2)
            for syntax in ["50", "70", "80", "90"] {
                let file = bad.part10(
                    fragments: [[0xFF, 0xD8, 0xFF, 0xC0] + [UInt8](repeating: 0x55, count: 400)],
                    transferSyntaxUID: "1.2.840.10008.1.2.4.\(syntax)")
                #expect(try await server.store(file).status == 200)
                for path in ["/rendered", "/frames/1/rendered", "/thumbnail"] {
                    let answer = try await server.send(.get, bad.path + path, [.accept: "image/jpeg"])
                    #expect(
                        answer.status == 422 && answer.problem?.type == "urn:gantry:problem:damaged-pixels",
                        "\(syntax)\(path)")
                }
                _ = try await server.send(.delete, bad.path)
            }
            try await server.store(good.part10())
            #expect(try await server.send(.get, good.path + "/rendered").status == 200)
        }
    }
}
