import DICOMWeb
import Testing

@Suite struct MediaTypeTests {
    @Test(arguments: [
        (#"multipart/related; type="application/dicom"; boundary=b"#, "multipart/related", "application/dicom"),
        ("multipart/related;type=application/dicom", "multipart/related", "application/dicom"),
        (#"Multipart/Related; BOUNDARY=x; Type="Application/DICOM""#, "multipart/related", "Application/DICOM"),
        (#"multipart/related; type="application/dicom";"#, "multipart/related", "application/dicom"),
        (#"multipart/related ; type = "application/dicom" ;; x=1"#, "multipart/related", "application/dicom"),
        (#"multipart/related; type="a\"b;c,d""#, "multipart/related", #"a"b;c,d"#),
    ])
    func `reads names in any case and values with or without quotes`(text: String, essence: String, type: String) throws
    {
        let mediaType = try #require(MediaType(text))
        #expect(mediaType.essence == essence)
        #expect(mediaType["type"] == type)
    }

    @Test(arguments: [
        "", "application", "application/", "/dicom", "a/b c", "a/b; x", "a/b; =1", #"a/b; x="1"#, #"a/b; x="1"y"#,
        "a/b; x=\u{1}", "*/dicom", "a b/c", #"a/b; x=1"2"#,
    ])
    func `refuses what is not a media type`(text: String) {
        #expect(MediaType(text) == nil)
    }

    @Test func `writes values that are no token in quotes`() {
        let mediaType = MediaType(
            type: "multipart", subtype: "related",
            parameters: [.init("type", "application/dicom"), .init("transfer-syntax", "1.2.840"), .init("x", #"a"b"#)])
        #expect(
            mediaType.description == #"multipart/related; type="application/dicom"; transfer-syntax=1.2.840; x="a\"b""#)
    }
}

@Suite struct AcceptHeaderTests {
    private func ranges(_ values: String...) -> [String] {
        AcceptHeader(values).ranges.map { "\($0.mediaType) \($0.quality)" }
    }

    @Test func `no header and a blank one are any type`() {
        #expect(AcceptHeader([]).isAbsent)
        #expect(AcceptHeader(["", " , "]).isAbsent)
        #expect(ranges() == ["*/* 1000"])
        #expect(!AcceptHeader(["nonsense"]).isAbsent)
        #expect(ranges("nonsense") == [])
    }

    @Test func `several lines are one list`() {
        #expect(ranges("a/b;q=0.5, c/d", "e/f; q=0") == ["a/b 500", "c/d 1000", "e/f 0"])
    }

    @Test func `a comma inside quotes does not separate`() {
        #expect(ranges(#"a/b; x="1,2", c/d"#) == [#"a/b; x="1,2" 1000"#, "c/d 1000"])
        #expect(ranges(#"a/b; x="1\",2", c/d"#).count == 2)
    }

    @Test func `bad items are left out and the rest counts`() {
        #expect(ranges("a/b, c, d/e; q=2, f/g; q=x, h/i; q=1.5, j/k; x=1; x=2, l/m;q=.5") == ["a/b 1000", "l/m 500"])
    }

    @Test(arguments: [
        (#"a/b; q="1""#, 1000), ("a/b;q=0.123", 123), ("a/b;q=1.000", 1000), ("a/b;q=0.9999", 999), ("a/b;q=1.", 1000),
        ("a/b; Q=0.5", 500), ("a/b;q=0.5;x=1", 500),
    ])
    func `weights count in thousandths`(text: String, quality: Int) {
        #expect(AcceptHeader([text]).ranges.map(\.quality) == [quality])
    }
}

@Suite struct PixelMediaTypesTests {
    @Test(arguments: [
        ("image/jpeg", "1.2.840.10008.1.2.4.70"), ("image/dicom-rle", "1.2.840.10008.1.2.5"),
        ("image/jls", "1.2.840.10008.1.2.4.80"), ("image/jp2", "1.2.840.10008.1.2.4.90"),
        ("image/jpx", "1.2.840.10008.1.2.4.92"), ("image/jphc", "1.2.840.10008.1.2.4.201"),
        ("image/jxl", "1.2.840.10008.1.2.4.110"), ("video/mpeg", "1.2.840.10008.1.2.4.101"),
        ("video/mp4", "1.2.840.10008.1.2.4.102"), ("video/h265", "1.2.840.10008.1.2.4.107"),
    ])
    func `each media type has the default of the standard`(mediaType: String, uid: String) {
        #expect(PixelMediaTypes.transferSyntaxes(of: mediaType).first == uid)
        #expect(PixelMediaTypes.mediaType(ofTransferSyntax: uid) == mediaType)
    }

    @Test(arguments: [
        ("image/x-jls", "image/jls"), ("image/dicom+jpeg-ls", "image/jls"), ("image/x-dicom-rle", "image/dicom-rle"),
        ("image/dicom+rle", "image/dicom-rle"), ("image/dicom+jp2", "image/jp2"), ("image/dicom+jpx", "image/jpx"),
        ("video/mpeg2", "video/mpeg"), ("image/jp2", "image/jp2"),
    ])
    func `old names mean the present ones`(alias: String, name: String) {
        #expect(PixelMediaTypes.canonicalName(alias) == name)
    }

    @Test func `both ways agree`() {
        for mediaType in PixelMediaTypes.all {
            for uid in PixelMediaTypes.transferSyntaxes(of: mediaType) {
                #expect(PixelMediaTypes.mediaType(ofTransferSyntax: uid) == mediaType)
            }
        }
        #expect(PixelMediaTypes.mediaType(ofTransferSyntax: "1.2.840.10008.1.2.1") == nil)
        #expect(PixelMediaTypes.canonicalName("image/png") == nil)
    }
}

@Suite struct MediaTypeSelectionTests {
    private let texts = [
        #"multipart/related; type="application/octet-stream""#, "application/octet-stream",
        #"multipart/related; type="image/jls""#, "image/jls", #"multipart/related; type="image/jp2""#, "image/jp2",
    ]

    private func choices(_ accept: String, query: String? = nil) -> [String] {
        let selection = MediaTypeSelection(offers: texts.compactMap { MediaType($0) })
        return selection.choices(accept: AcceptHeader([accept]), query: query.map { AcceptHeader([$0]) })
            .map { "\($0.offer)\($0.transferSyntax.map { " \($0)" } ?? "")" }
    }

    @Test(arguments: [
        ("*/*", ["0", "1", "2", "3", "4", "5"]),
        ("text/csv", []),
        ("application/octet-stream", ["1"]),
        ("image/*", ["3", "5"]),
        ("image/x-jls", ["3"]),
        (#"multipart/related; type="image/*""#, ["2", "4"]),
        (#"multipart/related; type="image/dicom+jpeg-ls""#, ["2"]),
        ("multipart/related", ["0", "2", "4"]),
        (
            "multipart/related; type=image/jls; q=1, multipart/related; type=application/octet-stream; q=0.1",
            ["2", "0"]
        ),
        (#"multipart/related; type="application/octet-stream"; transfer-syntax=*"#, ["0 *"]),
        ("image/jp2; transfer-syntax=1.2; q=0.5, image/jp2; transfer-syntax=*", ["5 *", "5 1.2"]),
        ("image/jp2;q=0, */*", ["0", "1", "2", "3", "4"]),
        ("image/jls;q=0.1, */*", ["3", "0", "1", "2", "4", "5"]),
        ("image/*;q=0.2, image/jp2;q=0", ["3"]),
        ("text/csv, image/jp2, application/dicom;q=0.9", ["5"]),
        ("IMAGE/JLS", ["3"]),
    ])
    func `gives the choices best first`(accept: String, expected: [String]) {
        #expect(choices(accept) == expected)
    }

    @Test func `the query parameter comes first and the header is kept for the rest`() {
        #expect(choices("image/jp2", query: "image/jls") == ["3", "5"])
        #expect(choices("image/jp2", query: "text/csv") == ["5"])
        #expect(choices("*/*", query: "image/jp2").first == "5")
    }
}
