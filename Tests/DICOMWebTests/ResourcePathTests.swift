import DICOMCore
import DICOMWeb
import HTTPTypes
import Testing

@Suite struct ResourcePathTests {
    private static let S = "/studies/1.2"
    private static let E = "/studies/1.2/series/3.4"
    private static let I = "/studies/1.2/series/3.4/instances/5.6"

    static let paths: [String] =
        ["/", "/wado", "/studies", "/series", "/instances", "\(S)/series", "\(S)/instances", "\(E)/instances"]
        + [S, E, I].flatMap { entity in
            ["", "/metadata", "/rendered", "/thumbnail", "/bulkdata", "/pixeldata"].map { entity + $0 }
        }
        + [
            "\(I)/bulkdata/7FE00010", "\(I)/bulkdata/00400555/2/0040A160", "\(I)/frames/1", "\(I)/frames/3,1/rendered",
            "\(I)/frames/1,2/thumbnail",
        ]

    @Test(arguments: paths)
    func `reads every path and prints it again`(path: String) throws {
        #expect(try ResourcePath(path).description == path)
        #expect(try ResourcePath(path + (path == "/" ? "" : "/")).description == path)
        #expect(try ResourcePath(path.dropFirst()).description == path)
    }

    @Test func `escapes are decoded once`() throws {
        #expect(
            try ResourcePath("/studies/1%2E2/series/3.4/instances/5.6/frames/1%2C2").description.hasSuffix(
                "/1.2/series/3.4/instances/5.6/frames/1,2"))
        #expect(try ResourcePath("\(Self.I)/bulkdata/7fe00010").description == "\(Self.I)/bulkdata/7FE00010")
        #expect(try ResourcePath("/studies/0.01.2").description == "/studies/0.01.2")
    }

    @Test(arguments: [
        "/patients", "/Studies", "\(S)/foo", "\(S)/frames/1", "\(S)/bulkdata/7FE00010",
        "\(I)/frames", "\(I)/frames/1/foo", "\(I)/metadata/x", "/studies%2F1.2", "\(S)/bulkdata/../../../etc",
        "\(E)/frames/1", "/series/3.4", "\(S)//", "\(I)/frames/1/rendered/x",
    ])
    func `a path that fits no resource is unknown`(path: String) {
        #expect(throws: DICOMWebError.self) { try ResourcePath(path) }
        #expect(error(path)?.status == .notFound)
    }

    @Test(arguments: [
        "/studies/abc", "/studies//series", "/studies/1..2", "/studies/.1", "/studies/1.2/series/3.", "/studies/%zz",
        "/studies/%FF",
        "/studies/1%2F2", "/studies/" + String(repeating: "1", count: 65), "/studies/1.2%00", "\(I)/bulkdata/7FE0",
        "\(I)/bulkdata/00400555/0/0040A160", "\(I)/bulkdata/00400555/1", "/studies/\u{661}.2",
        "\(I)/frames/0", "\(I)/frames/a", "\(I)/frames/1,1", "\(I)/frames/-1", "\(I)/frames/1,", "\(I)/frames/1.5",
        "\(I)/frames/99999999999999999999", "\(I)/frames/+1", "\(I)/frames/1,%201",
    ])
    func `a malformed identifier is a bad request`(path: String) {
        #expect(error(path)?.status == .badRequest)
    }

    @Test func `methods are checked before identifiers`() {
        let refused = error("/studies/abc/metadata", .post)
        #expect(refused?.status == .methodNotAllowed)
        #expect(refused?.allow == [.get, .head])
        #expect(error("/studies", .patch)?.allow == [.get, .head, .post])
        #expect(error("/nothing", .patch)?.status == .notFound)
        #expect(error("/studies/1.2", .delete) == nil)
        #expect(error("/studies/1.2/series/3.4", .post)?.allow == [.get, .head, .delete])
        #expect(error("/", .options) == nil)
    }

    @Test(arguments: paths)
    func `a path has the methods that its error tells`(path: String) throws {
        #expect(error(path, .patch)?.allow == (try ResourcePath(path).allowedMethods))
    }

    @Test func `a bulk data path leads to its element`() throws {
        let inner = DataElement(Tag(0x0040, 0xA160), .UT, .bytes([0x41, 0x20]))
        let sequence = DataElement(Tag(0x0040, 0x0555), .SQ, .items([DataSet(), DataSet([inner])]))
        let path = try #require(BulkDataPath(segments: ["00400555", "2", "0040A160"]))
        #expect(path.element(in: DataSet([sequence])) == inner)
        #expect(
            BulkDataPath(steps: [.init(sequence: sequence.tag, item: 3)], tag: inner.tag).element(
                in: DataSet([sequence])) == nil)
    }

    private func error(_ path: String, _ method: HTTPRequest.Method? = nil) -> DICOMWebError? {
        do throws(DICOMWebError) {
            _ = try ResourcePath(path, for: method)
            return nil
        } catch { return error }
    }
}

@Suite struct ByteRangeTests {
    @Test(arguments: [
        (nil, ByteRange.whole), ("bytes=0-99", .part(0..<100)), ("bytes=100-199", .part(100..<200)),
        ("bytes=-50", .part(950..<1000)), ("bytes=900-", .part(900..<1000)), ("bytes=900-9999", .part(900..<1000)),
        ("bytes=-5000", .part(0..<1000)), ("bytes=1000-", .unsatisfiable), ("bytes=1000-1001", .unsatisfiable),
        ("bytes=-0", .unsatisfiable), ("bytes=5-4", .whole), ("bytes=0-1,3-4", .whole), ("items=0-1", .whole),
        ("bytes", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("Bytes = 0-0", .part(0..<1)),
        ("bytes=99999999999999999999-", .unsatisfiable), ("bytes=0-99999999999999999999", .part(0..<1000)),
    ])
    func `reads one range and passes over the rest`(text: String?, expected: ByteRange) {
        #expect(ByteRange(text, length: 1000) == expected)
    }

    @Test func `tells the range of the answer`() {
        #expect(ByteRange.part(0..<100).contentRange(length: 4096) == "bytes 0-99/4096")
        #expect(ByteRange.unsatisfiable.contentRange(length: 10) == "bytes */10")
        #expect(ByteRange("bytes=0-", length: 0) == .unsatisfiable)
    }
}

@Suite struct EntityTagTests {
    @Test(arguments: [
        ([#""a""#], true), ([#"W/"a""#], true), ([#""b", "a""#], true), ([#""b""#, #""a""#], true), (["*"], true),
        ([#""b""#], false), ([], false), (["a"], false), ([#""a"#], false), ([#""*""#], false), ([#""b",W/"a""#], true),
    ])
    func `If-None-Match compares weakly with each tag of the list`(values: [String], expected: Bool) {
        #expect(EntityTag("a").matches(ifNoneMatch: values) == expected)
    }

    @Test func `If-Match compares strongly`() {
        #expect(EntityTag("a").matches(ifMatch: [#"W/"b", "a""#]))
        #expect(!EntityTag("a").matches(ifMatch: [#"W/"a""#]))
        #expect(!EntityTag("a", isWeak: true).matches(ifMatch: [#""a""#]))
        #expect(EntityTag("a", isWeak: true).description == #"W/"a""#)
    }
}

@Suite struct CapabilitiesDescriptionTests {
    @Test func `lists the tree of resources`() {
        let text = String(decoding: CapabilitiesDescription().wadl(serviceURL: "http://h/dicomweb?a&b"), as: UTF8.self)
        #expect(text.contains("<resources base=\"http://h/dicomweb?a&amp;b/\">"))
        for path in [
            "studies", "series", "instances", "metadata", "rendered", "thumbnail", "bulkdata", "pixeldata", "frames",
        ] {
            #expect(text.contains("<resource path=\"\(path)\">"))
        }
        #expect(text.contains("<method name=\"POST\""))
        #expect(text.split(separator: "<resource ").count == text.split(separator: "</resource>").count)
    }
}
