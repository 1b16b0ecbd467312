import DICOMWeb
import HTTPTypes
import Testing

@Suite struct RenderingParametersTests {
    private typealias Parameters = RenderingParameters

    private func refusal(
        _ query: String, _ resource: RenderingParameters.Resource = .rendered
    ) -> DICOMWebError? {
        do throws(DICOMWebError) {
            _ = try RenderingParameters(resource, query: query)
            return nil
        } catch {
            return error
        }
    }

    @Test func `nothing is asked for without a query`() throws {
        for query in [nil, "", "&", "accept=image/jpeg"] {
            var parameters = try Parameters(query: query)
            parameters.accept = []
            #expect(parameters == (try Parameters(query: nil)))
        }
    }

    @Test func `all parameters are read`() throws {
        let query =
            "window=-40.5,4e2,linear-exact&viewport=256,128&quality=50&annotation=technique,patient,patient"
            + "&iccprofile=adobergb&charset=utf-8,iso-8859-1&accept=image%2Fpng&accept=image/gif"
        let parameters = try Parameters(query: query)
        #expect(parameters.window == .init(center: -40.5, width: 400, function: .linearExact))
        #expect(parameters.viewport == .init(width: 256, height: 128))
        #expect(parameters.quality == 50)
        #expect(parameters.annotations == [.technique, .patient])
        #expect(parameters.iccProfile == .adobergb)
        #expect(parameters.charsets == ["utf-8", "iso-8859-1"])
        #expect(parameters.accept == ["image/png", "image/gif"])
        #expect(parameters.warnings.isEmpty)
    }

    @Test func `a region's values may be left out`() throws {
        func viewport(_ text: String) throws -> Parameters.Viewport? {
            try Parameters(query: "viewport=" + text).viewport
        }
        #expect(try viewport("9,8,1.5") == .init(width: 9, height: 8, x: 1.5))
        #expect(try viewport("9,8,,,-3,4") == .init(width: 9, height: 8, regionWidth: -3, regionHeight: 4))
        #expect(try viewport("9,8,,2,") == .init(width: 9, height: 8, y: 2))
        #expect(try viewport("9,8,,,,-4.5") == .init(width: 9, height: 8, regionHeight: -4.5))
        #expect(try viewport("16384,16384")?.isSizeOnly == true)
        #expect(try viewport("9,8,1")?.isSizeOnly == false)
        #expect(try viewport("9%2C8")?.width == 9)
    }

    @Test(arguments: [
        "window=", "window=40,400", "window=40,400,", "window=a,b,linear", "window=40,0,linear", "window=40,0.5,linear",
        "window=40,0,sigmoid", "window=40,-1,linear-exact", "window=40,400,cubic", "window=40,400,linear,1",
        "window=nan,400,linear", "window=40,inf,linear", "window=0x10,400,linear", "window=1e999,400,linear",
        "window=40,400,LINEAR", "window",
        "viewport=", "viewport=256", "viewport=0,0", "viewport=256,0", "viewport=-1,256", "viewport=1.5,256",
        "viewport=256,256,1,1,1,1,1", "viewport=256,256,x", "viewport=256,256,0,0,0,5", "viewport=16385,1",
        "viewport=99999999999999999999,1", "viewport=%2B1,5",
        "quality=", "quality=0", "quality=101", "quality=x", "quality=50.5", "quality=-5", "quality=%2050",
        "annotation=", "annotation=patient,,technique", "annotation=patient,", "annotation=a%20b", "annotation=%22",
        "iccprofile=", "iccprofile=SRGB", "iccprofile=cmyk",
    ])
    func `what is malformed is refused by name`(query: String) throws {
        let error = try #require(refusal(query))
        #expect(error.code == .invalidQuery && error.status == .badRequest)
        #expect(error.detail.hasPrefix(query.prefix { $0 != "=" } + " "))
        #expect(error.clause.hasPrefix("PS3.18 8.3.5.1."))
    }

    @Test(arguments: [
        "window=1,2,linear", "viewport=1,1", "quality=1", "annotation=patient", "iccprofile=no", "charset=x",
    ])
    func `a parameter that comes twice is refused`(pair: String) {
        #expect(refusal(pair + "&" + pair)?.detail.hasSuffix("is given more than once.") == true)
    }

    @Test(arguments: ["quality=%", "quality=%FF", "%zz=1"])
    func `bad escapes are refused`(query: String) {
        #expect(refusal(query)?.code == .invalidQuery)
    }

    @Test func `unknown annotations and parameters are ignored with a warning`() throws {
        let parameters = try Parameters(query: "annotation=patient,dose&colour=1&x%22=2")
        #expect(parameters.annotations == [.patient])
        #expect(
            parameters.warnings == [
                "The following annotations are not supported: dose",
                "The following query parameters were ignored: colour, x?",
            ])
    }

    @Test func `a thumbnail has a size only`() throws {
        let parameters = try Parameters(.thumbnail, query: "viewport=64,64&window=nonsense&accept=image/png")
        #expect(parameters.viewport == .init(width: 64, height: 64) && parameters.window == nil)
        #expect(parameters.warnings == ["The following query parameters were ignored: window"])
        #expect(refusal("viewport=256,256,1,1", .thumbnail)?.status == .badRequest)
        #expect(refusal("viewport=256", .thumbnail)?.status == .badRequest)
    }

    @Test func `a profile needs a media type that has a place for it`() throws {
        for profile in ["yes", "srgb", "adobergb", "rommrgb"] {
            let parameters = try Parameters(query: "iccprofile=" + profile)
            try parameters.check(mediaType: "image/jpeg")
            try parameters.check(mediaType: "image/png")
            for type in ["image/gif", "text/html", "video/mp4"] {
                #expect(throws: DICOMWebError.self) { try parameters.check(mediaType: type) }
            }
        }
        try Parameters(query: "iccprofile=no").check(mediaType: "image/gif")
        try Parameters(query: nil).check(mediaType: "image/gif")
    }

    @Test func `a presentation state has its own window and region`() throws {
        try Parameters(query: "viewport=5,5&quality=3").checkForPresentationState()
        for query in ["window=1,2,linear", "viewport=5,5,1"] {
            #expect(throws: DICOMWebError.self) { try Parameters(query: query).checkForPresentationState() }
        }
    }
}
