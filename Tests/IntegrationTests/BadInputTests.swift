import DICOMCore
import GantryTesting
import NIOHTTP1
import Testing

/// What is not DICOM, or not as it says: each has its exact answer and leaves nothing behind.
@Suite("Bad input over HTTP")
struct BadInputTests {
    /// A file that is refused, and the reason.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var file: [UInt8]
        var status = 400
        var reason = 0xC000
        var isIdentified = false

        init(_ name: String, status: Int = 400, reason: Int = 0xC000, isIdentified: Bool = false, _ file: [UInt8]) {
            testDescription = name
            self.file = file
            self.status = status
            self.reason = reason
            self.isIdentified = isIdentified
        }
    }

    private static let instance = TestInstance()

    /// A file whose data set ends with these bytes.
    private static func file(endingWith bytes: [UInt8]) -> [UInt8] { instance.part10(hasPixelData: false) + bytes }

    static let cases: [Case] = {
        let whole = instance.part10()
        let name = Tag(0x4010, 0x1000)
        let sequence = TestBytes.element(name, .SQ, length: TestBytes.undefined)
        var deep: [UInt8] = []
        for _ in 0..<10_000 { deep += sequence + TestBytes.item(length: TestBytes.undefined) }
        var traversal = instance
        traversal.sopInstanceUID = "1.2.3/../../../etc/passwd"
        var noStudy = instance
        noStudy.studyUID = "../../x"
        return [
            Case("a file cut in its pixel data", Array(whole.dropLast(7))),
            Case("a file cut in an element's header", Array(whole.dropLast(instance.pixelData.count + 5))),
            Case("a file cut in group 0002", Array(whole.prefix(180))),
            Case("a length of 4 GB", file(endingWith: TestBytes.element(name, .OB, [1, 2], length: 0xFFFF_FFFE))),
            Case(
                "a text longer than the file", file(endingWith: TestBytes.element(name, .LO, [65, 66], length: 5000))),
            Case(
                "an undefined length where none may be",
                file(endingWith: TestBytes.element(name, .UT, [65, 66], length: TestBytes.undefined))),
            Case(
                "a sequence with an item longer than the file",
                file(endingWith: TestBytes.element(name, .SQ, TestBytes.item([], length: 0x7FFF_FFF0), length: 8))),
            Case("10,000 levels of sequences", reason: 0xC001, file(endingWith: deep)),
            Case("a data set that inflates without end", reason: 0xC001, deflateBomb),
            Case("text that is no DICOM", Array("<html>This is no image.</html>".utf8)),
            Case("a UID that is a path", status: 409, reason: 0x0106, traversal.part10()),
            Case("a study UID that is a path", status: 409, reason: 0x0106, isIdentified: true, noStudy.part10()),
        ]
    }()

    /// A deflated data set of a private value of 300 MB of zeros.
    private static var deflateBomb: [UInt8] {
        let deflater = Deflater(.raw)
        var bytes: [UInt8] = []
        func add(_ piece: [UInt8]) { piece.withUnsafeBytes { deflater.receive($0, into: &bytes) } }
        add(TestBytes.encode(instance.dataSet(hasPixelData: false)))
        add(TestBytes.element(Tag(0x4010, 0x1000), .OB, [], length: 300 << 20))
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<300 { add(zeros) }
        deflater.finish(into: &bytes)
        return instance.part10(dataSet: bytes, transferSyntaxUID: "1.2.840.10008.1.2.1.99")
    }

    @Test(.timeLimit(.minutes(3)))
    func `a file that cannot be stored is refused with its reason and leaves nothing`() async throws {
        try await RunningServer.run { server in
            let idle = server.process.memory("VmRSS")
            for bad in Self.cases {
                for isMultipart in [true, false] {
                    let answer =
                        isMultipart
                        ? try await server.store([bad.file])
                        : StoreAnswer(
                            try await server.send(
                                .POST, "studies", ["Content-Type": "application/dicom"], body: bad.file))
                    #expect(answer.status == bad.status, "\(bad.testDescription)")
                    #expect(answer.answer["content-type"] == "application/dicom+json", "\(bad.testDescription)")
                    #expect(answer.stored == [], "\(bad.testDescription)")
                    let items = bad.isIdentified ? answer.failed : answer.others
                    #expect(items.map(\.reason) == [bad.reason], "\(bad.testDescription)")
                }
                #expect(RunningServer.temporaryFiles(in: server.folder) == [], "\(bad.testDescription)")
            }
            #expect(try await server.count("instances") == 0)
            #expect(try await server.changes() == [])
            #expect(server.process.memory("VmHWM") - idle < 128 << 10)
            // Among good ones it is the only one that fails, and they stand in their order.
            let good = (1...3).map { SampleImage(instance: $0).bytes }
            let answer = try await server.store([good[0], Self.cases[0].file, good[1], good[2]])
            #expect(answer.status == 202)
            #expect(answer.stored.count == 3)
            #expect(answer.others.map(\.reason) == [0xC000])
        }
    }

    /// dicomweb.md 7.2 H6, H10: neither the two bytes behind the VR nor all four make a length that ends in time.
    @Test(.timeLimit(.minutes(3)))
    func `an element with a VR that is none and an impossible length is refused`() async throws {
        try await RunningServer.run { server in
            let bytes = TestBytes.tag(Tag(0x4010, 0x1000)) + [0x01, 0x02, 0xFF, 0x7F, 1, 2, 3, 4]
            let answer = try await server.store([Self.file(endingWith: bytes)])
            #expect(answer.status == 400)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `a gzip bomb is given up with 400 and little memory`() async throws {
        try await RunningServer.run { server in
            let idle = server.process.memory("VmRSS")
            let deflater = Deflater(.gzip)
            var bytes: [UInt8] = []
            let zeros = [UInt8](repeating: 0, count: 1 << 20)
            let head = StoreBody.partBegins + SampleImage(rows: 20_000, columns: 20_000).head
            head.withUnsafeBytes { deflater.receive($0, into: &bytes) }
            for _ in 0..<400 { zeros.withUnsafeBytes { deflater.receive($0, into: &bytes) } }
            deflater.finish(into: &bytes)
            let answer = try await server.send(
                .POST, "studies", ["Content-Type": StoreBody.contentType, "Content-Encoding": "gzip"], body: bytes)
            #expect(answer.status == 400)
            #expect(answer["content-type"] == "application/problem+json")
            #expect(server.process.memory("VmHWM") - idle < 64 << 10)
            #expect(RunningServer.temporaryFiles(in: server.folder) == [])
            #expect(try await server.count("instances") == 0)

            // The same coding carries a good body.
            let honest = Deflater(.gzip)
            var coded: [UInt8] = []
            StoreBody.multipart([SampleImage().bytes]).withUnsafeBytes { honest.receive($0, into: &coded) }
            honest.finish(into: &coded)
            #expect(
                try await server.send(
                    .POST, "studies", ["Content-Type": StoreBody.contentType, "Content-Encoding": "gzip"], body: coded
                ).status == 200)
            #expect(
                try await server.send(
                    .POST, "studies", ["Content-Type": StoreBody.contentType, "Content-Encoding": "br"], body: coded
                ).status == 415)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `a multipart body without its end counts by its last part`() async throws {
        try await RunningServer.run { server in
            func send(_ body: [UInt8]) async throws -> StoreAnswer {
                StoreAnswer(
                    try await server.send(.POST, "studies", ["Content-Type": StoreBody.contentType], body: body))
            }
            let file = SampleImage().bytes
            let cut = try await send(StoreBody.partBegins + file.dropLast(10))
            #expect(cut.status == 400)
            #expect(cut.others.map(\.reason) == [0xC000])
            #expect(try await server.count("instances") == 0)
            let complete = try await send(StoreBody.partBegins + file)
            #expect(complete.status == 200)
            #expect(try await server.stored(SampleImage().path).body == file)
            #expect(try await send([]).status == 204)
            #expect(try await send(StoreBody.end).status == 204)
            #expect(try await send(Array("no boundary anywhere".utf8)).status == 400)
        }
    }

    /// REL-25.
    @Test(.timeLimit(.minutes(3)))
    func `ten thousand parts are taken, one more is answered with 413`() async throws {
        try await RunningServer.run { server in
            // Few are instances: what is counted is parts.
            let files = (1...10_000).map { number in
                number % 100 == 0 ? SampleImage(instance: number).bytes : [UInt8(ascii: "x")]
            }
            let answer = try await server.store(files)
            #expect(answer.status == 202)
            #expect(answer.stored.count == 100)
            #expect(answer.others.count == 9_900)
            #expect(try await server.count("instances?limit=1000") == 100)
            let tooMany = try await server.store([[UInt8]](repeating: [UInt8(ascii: "x")], count: 10_001))
            #expect(tooMany.status == 413)
            #expect(tooMany.answer["content-type"] == "application/problem+json")
            #expect(try await server.count("instances?limit=1000") == 100)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `paths and queries that are malformed are answered with 400 or 404`() async throws {
        try await RunningServer.run { server in
            let cases: [(String, Int)] = [
                ("studies/1..2", 400), ("studies/1.2/series/..%2f..%2fetc", 400), ("studies/%00", 400),
                ("studies/" + String(repeating: "1", count: 65), 400),
                ("studies/1.2/series/3/instances/4/frames/0", 400),
                ("studies?limit=-1", 400), ("nothing", 404), ("/etc/passwd", 404), ("studies/1.2.3", 404),
                ("studies?PatientName=" + String(repeating: "*", count: 5000), 204),
                ("studies?x=" + String(repeating: "y", count: 17 << 10), 414),
            ]
            for (path, status) in cases {
                let answer = try await server.get(path)
                #expect(answer.status == status, "\(path.prefix(60))")
                if status >= 400 { #expect(answer["content-type"] == "application/problem+json") }
            }
        }
    }
}
