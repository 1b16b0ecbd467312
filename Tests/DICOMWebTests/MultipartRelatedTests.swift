import DICOMWeb
import Testing

/// What a body came apart into.
private struct Parts: Equatable {
    var parts: [Part] = []
    var ending = MultipartRelatedParser.Ending.empty

    struct Part: Equatable {
        var fields: [PartHeader.Field] = []
        var problem: PartHeader.Problem?
        var payload: [UInt8] = []
        var isEnded = false
    }

    init(_ pieces: [ArraySlice<UInt8>], boundary: String, limits: PartLimits = .standard) throws {
        var parser = MultipartRelatedParser(boundary: try #require(MultipartBoundary(boundary)), limits: limits)
        for piece in pieces {
            try piece.withUnsafeBytes { bytes in
                try parser.receive(bytes) { event in
                    switch event {
                    case .partBegins(let header): parts.append(Part(fields: header.fields, problem: header.problem))
                    case .bytes(let range): parts[parts.count - 1].payload += bytes[range]
                    case .heldBytes(let held): parts[parts.count - 1].payload += held
                    case .partEnds: parts[parts.count - 1].isEnded = true
                    }
                }
            }
        }
        ending = parser.finish()
        if case .insidePart(let held) = ending {
            parts[parts.count - 1].payload += held
            ending = .insidePart(heldBytes: [])
        }
    }

    /// The payloads as text.
    var texts: [String] { parts.map { String(decoding: $0.payload, as: UTF8.self) } }
}

@Suite struct MultipartRelatedParserTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var body: String
        var texts: [String]
        var ending = MultipartRelatedParser.Ending.closed
        var problems: [PartHeader.Problem?]?
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "two parts", body: "--b\r\nA: 1\r\n\r\none\r\n--b\r\nA: 2\r\n\r\ntwo\r\n--b--\r\n",
            texts: ["one", "two"]),
        Case(name: "leading CRLF, no final CRLF", body: "\r\n--b\r\n\r\none\r\n--b--", texts: ["one"]),
        Case(
            name: "preamble and epilogue", body: "hello\r\n --b\r\n--bx\r\n--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\nno",
            texts: ["one"]),
        Case(name: "LF only", body: "--b\nA: 1\n\none\r\n--b\nA: 2\n\ntwo\n--b--\n", texts: ["one\r", "two"]),
        Case(
            name: "LF payload in CRLF framing", body: "--b\r\n\r\none\n--b\r\nmore\r\n--b--",
            texts: ["one\n--b\r\nmore"]),
        Case(name: "LF header in CRLF framing", body: "--b\r\nA: 1\n\none\r\n--b--", texts: ["one"]),
        Case(name: "empty payload", body: "--b\r\nA: 1\r\n\r\n\r\n--b--", texts: [""]),
        Case(
            name: "header's line end is the delimiter's", body: "--b\r\nA: 1\r\n\r\n--b\r\n\r\n--b--", texts: ["", ""]),
        Case(
            name: "header without an empty line",
            body: "--b\r\nA: 1\r\n--b\r\nA: 2\r\n\r\ntwo\r\n--b\r\nA: 3\r\n--b--\r\n",
            texts: ["", "two", ""]),
        Case(
            name: "boundary as prefix", body: "--b\r\n\r\none\r\n--bc\r\n--b-\r\n--b x\r\n--b--",
            texts: ["one\r\n--bc\r\n--b-\r\n--b x"]),
        Case(name: "boundary inside a line", body: "--b\r\n\r\none --b\r\n --b\r\n--b--", texts: ["one --b\r\n --b"]),
        Case(
            name: "blanks behind the boundary", body: "--b \t\r\n\r\none\r\n--b  \r\n\r\ntwo\r\n--b-- x",
            texts: ["one", "two"]),
        Case(
            name: "line ends in payload", body: "--b\r\n\r\n\r\n\r\n\r\r\n\n--\r\n-\r\n--\r\n--b--",
            texts: ["\r\n\r\n\r\r\n\n--\r\n-\r\n--"]),
        Case(name: "CR before the delimiter", body: "--b\r\n\r\none\r\r\n--b--", texts: ["one\r"]),
        Case(name: "CR behind a boundary", body: "--b\r\n\r\none\r\n--b\r\r\n--b--", texts: ["one\r\n--b\r"]),
        Case(name: "starts with a boundary that is none", body: "--b\r\n\r\n--bx\r\n--b--", texts: ["--bx"]),
        Case(name: "empty", body: "", texts: [], ending: .empty),
        Case(name: "white space", body: "\r\n \t\r\n", texts: [], ending: .empty),
        Case(name: "close delimiter alone", body: "--b--\r\n", texts: []),
        Case(name: "no delimiter", body: "DICM and more\r\n-- b", texts: [], ending: .noDelimiter),
        Case(name: "half a delimiter", body: "\r\n--", texts: [], ending: .noDelimiter),
        Case(name: "delimiter alone", body: "--b", texts: [], ending: .beforePart),
        Case(name: "ends in a header", body: "--b\r\nA: 1", texts: [], ending: .beforePart),
        Case(
            name: "no close delimiter", body: "--b\r\n\r\none\r\n--b\r\n\r\ntwo", texts: ["one", "two"],
            ending: .insidePart(heldBytes: [])),
        Case(
            name: "half a close delimiter", body: "--b\r\n\r\none\r\n-", texts: ["one\r\n-"],
            ending: .insidePart(heldBytes: [])),
        Case(
            name: "close delimiter cut", body: "--b\r\n\r\none\r\n--b-", texts: ["one"],
            ending: .insidePart(heldBytes: [])),
        Case(
            name: "nested multipart", body: "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--",
            texts: ["--c--"], problems: [.nestedMultipart]),
        Case(
            name: "base64", body: "--b\r\nContent-Transfer-Encoding: Base64\r\n\r\nQQ==\r\n--b--", texts: ["QQ=="],
            problems: [.transferEncoding]),
        Case(
            name: "binary", body: "--b\r\nContent-Transfer-Encoding: BINARY\r\n\r\nQ\r\n--b--", texts: ["Q"],
            problems: [nil]),
        Case(name: "no field", body: "--b\r\nnonsense\r\n\r\none\r\n--b--", texts: ["one"], problems: [.malformed]),
        Case(
            name: "too many fields", body: "--b\r\n" + String(repeating: "A: 1\r\n", count: 17) + "\r\none\r\n--b--",
            texts: ["one"], problems: [.tooManyFields]),
    ]

    @Test(arguments: cases)
    func `comes apart the same however the bytes are split`(example: Case) throws {
        let body = Array(example.body.utf8)
        let whole = try Parts([body[...]], boundary: "b")
        #expect(whole.texts == example.texts)
        #expect(whole.ending == example.ending)
        if let problems = example.problems { #expect(whole.parts.map(\.problem) == problems) }
        #expect(try Parts(body.indices.map { body[$0...$0] }, boundary: "b") == whole)
        for split in body.indices {
            #expect(try Parts([body[..<split], body[split...]], boundary: "b") == whole)
        }
    }

    @Test(arguments: [1, 2, 3, 5, 7, 64, 1000])
    func `binary payload survives any chunk size`(size: Int) throws {
        var generator = Counter(state: 7)
        var payload: [UInt8] = []
        for _ in 0..<3000 { payload.append([0x0D, 0x0A, 0x2D, 0x62, 0x00, 0xFF][Int(generator.next() % 6)]) }
        // The real delimiter must not occur by chance.
        payload.removeAll { $0 == 0x62 }
        let body = Array("--bbb\r\n\r\n".utf8) + payload + Array("\r\n--bbb--".utf8)
        let pieces = stride(from: 0, to: body.count, by: size).map { body[$0..<min(body.count, $0 + size)] }
        let parts = try Parts(pieces, boundary: "bbb")
        #expect(parts.parts.map(\.payload) == [payload])
        #expect(parts.ending == .closed)
    }

    @Test func `a long header is a part that is refused`() throws {
        let body = Array(
            "--b\r\nX: \(String(repeating: "x", count: 1 << 20))\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--".utf8)
        for size in [100, 4096, body.count] {
            let pieces = stride(from: 0, to: body.count, by: size).map { body[$0..<min(body.count, $0 + size)] }
            let parts = try Parts(pieces, boundary: "b")
            #expect(parts.parts.map(\.problem) == [.tooLarge, nil])
            #expect(parts.texts.last == "two")
        }
    }

    @Test func `parts are limited`() throws {
        var limits = PartLimits()
        limits.parts = 2
        let body = Array(String(repeating: "--b\r\n\r\n\r\n", count: 3).utf8)
        #expect(throws: MultipartError.self) { try Parts([body[...]], boundary: "b", limits: limits) }
    }

    @Test func `continuation lines are joined and names are in lower case`() throws {
        let body = Array(
            "--b\r\nContent-Type: application/dicom;\r\n\tname=\"x\"\r\nCONTENT-ID: <a@b>\r\n\r\n\r\n--b--".utf8)
        let fields = try Parts([body[...]], boundary: "b").parts[0].fields
        let header = PartHeader(fields: fields)
        #expect(header.contentType?.essence == "application/dicom")
        #expect(header.contentType?["name"] == "x")
        #expect(header.contentID == "a@b")
    }

    @Test(arguments: ["", "x ", " x", String(repeating: "x", count: 71), "a\r\nb", "ä"])
    func `illegal boundaries are refused`(text: String) {
        #expect(MultipartBoundary(text) == nil)
    }
}

@Suite struct MultipartRelatedWriterTests {
    @Test func `what is written comes apart again`() throws {
        var generator = Counter(state: 1)
        var writer = MultipartRelatedWriter(partType: "application/dicom", transferSyntax: "*", using: &generator)
        var body = writer.partBegins(contentType: "application/dicom", location: "http://h/\r\nX: 1", length: 3)
        body += Array("one".utf8)
        body += writer.partBegins(contentType: "application/dicom")
        body += writer.end()
        let mediaType = try #require(MediaType(writer.contentType))
        #expect(mediaType["type"] == "application/dicom")
        #expect(writer.contentType.contains(#"; boundary="gantry-"#))
        let parts = try Parts([body[...]], boundary: try #require(mediaType["boundary"]))
        #expect(parts.texts == ["one", ""])
        #expect(parts.parts[0].fields.map(\.name) == ["content-type", "content-location", "content-length"])
        #expect(parts.ending == .closed)
    }

    @Test func `a body without parts is a close delimiter`() throws {
        var generator = Counter(state: 2)
        let writer = MultipartRelatedWriter(partType: "application/dicom", using: &generator)
        #expect(try Parts([writer.end()[...]], boundary: writer.boundary.text).ending == .closed)
    }

    @Test func `boundaries differ and are legal`() {
        var generator = SystemRandomNumberGenerator()
        let boundaries = (0..<50).map { _ in MultipartBoundary(using: &generator) }
        #expect(Set(boundaries).count == 50)
        #expect(boundaries.allSatisfy { MultipartBoundary($0.text) == $0 && $0.text.utf8.count == 36 })
    }
}

/// A small generator that gives the same numbers each time.
private struct Counter: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 11 ^ state << 40
    }
}
