import DICOMCore
import DICOMWeb
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

@Suite struct SearchAnswerTests {
    private static let imageType = DataElement(.imageType, .CS, .bytes(Array(#"ORIGINAL\PRIMARY"#.utf8)[...]))

    private static func fill(_ server: ServerHarness) async throws {
        for number in 1...3 {
            var instance = TestInstance(study: number)
            instance.patientID = "P\(number)"
            instance.elements = [imageType]
            #expect(try await server.store(instance.part10()).status == 200)
        }
    }

    @Test func `tells how many results are left`() async throws {
        try await ServerHarness.run { (server) async throws in
            try await Self.fill(server)
            let first = try await server.send(path: "studies?limit=2")
            #expect(first.headers[.warning]?.contains("There are 1 additional results that can be requested") == true)
            #expect(first.headers[.warning]?.hasPrefix("299 http://localhost/dicomweb ") == true)
            let rest = try await server.send(path: "studies?limit=2&offset=2")
            #expect(rest.status == 200 && rest.headers[.warning] == nil)
            #expect(try await server.send(path: "studies?offset=3").status == 204)
            #expect(try await server.send(path: "studies?limit=0").status == 204)
        }
    }

    @Test func `no more results than the configuration allows`() async throws {
        var configuration = GantryConfiguration()
        configuration.search.maximumResults = 1
        try await ServerHarness.run(configuration) { (server) async throws in
            try await Self.fill(server)
            let answer = try await server.send(path: "studies?limit=1000")
            #expect(answer.headers[.warning]?.contains("There are 2 additional results") == true)
        }
    }

    @Test func `names what it ignored, and refuses it when asked to be strict`() async throws {
        try await ServerHarness.run { (server) async throws in
            try await Self.fill(server)
            let answer = try await server.send(path: "studies?foo=1&Rows=5&PatientID=P1")
            #expect(answer.status == 200 && answer.body.contains("\"P1\"") && !answer.body.contains("\"P2\""))
            #expect(
                answer.headers[.warning]?.contains("The following query parameters were ignored: foo, Rows") == true)
            #expect(try await server.send(.get, "studies?foo=1", [.prefer: "handling=strict"]).status == 400)
        }
    }

    @Test func `nothing found is 204, or an empty array for those who want a body`() async throws {
        try await ServerHarness.run { (server) async throws in
            let none = try await server.send(path: "studies")
            #expect(none.status == 204 && none.byteCount == 0 && none.headers[.contentType] == nil)
            let empty = try await server.send(.get, "studies", [.prefer: "return=representation"])
            #expect(empty.status == 200 && empty.body == "[]")
        }
    }

    @Test func `returns what is indexed though it is not matched`() async throws {
        try await ServerHarness.run { (server) async throws in
            try await Self.fill(server)
            for parameter in ["includefield=ImageType", "includefield=00080008", "includefield=all"] {
                #expect(try await server.send(path: "instances?\(parameter)").body.contains("PRIMARY"), "\(parameter)")
            }
            #expect(try await !server.send(path: "instances").body.contains("PRIMARY"))
            #expect(try await !server.send(path: "studies?includefield=ImageType").body.contains("PRIMARY"))
        }
    }

    @Test func `every attribute that can be matched is matched without an error`() async throws {
        try await ServerHarness.run { (server) async throws in
            try await Self.fill(server)
            for attribute in SearchableAttributes.standard.attributes where attribute.matching != .none {
                let path = attribute.level == .study ? "studies" : attribute.level == .series ? "series" : "instances"
                for value in values(of: attribute.matching) {
                    let answer = try await server.send(path: "\(path)?\(attribute.path)=\(value)")
                    #expect([200, 204].contains(answer.status), "\(attribute.path)=\(value): \(answer.body)")
                    #expect(answer.headers[.warning] == nil, "\(attribute.path)=\(value)")
                }
                let order = try await server.send(path: "\(path)?orderby=-\(attribute.path.last.hexadecimal)")
                #expect(order.status == 200 || attribute.path.tags.count > 1, "\(attribute.path): \(order.body)")
            }
        }
    }

    private func values(of matching: SearchableAttribute.Matching) -> [String] {
        switch matching {
        case .none: []
        case .uid: ["", "1.2.3", "1.2.3,1.2.4"]
        case .text: ["", "*", "x", "x*", "?x*y"]
        case .code: ["*", "CT", "C*", "CT,MR"]
        case .personName: ["", "Smith", "Sm*th^?", "%E5%B1%B1"]
        case .date: ["", "20240115", "20240101-20240131", "-20240131", "20240101-"]
        case .time: ["", "1011", "10-11", "-12", "22-02"]
        case .dateTime: ["", "2024", "2024-2025", "20240101-0500-"]
        case .number: ["", "1", "01", "1e0"]
        }
    }

    @Test func `answers in JSON and XML, compressed when asked`() async throws {
        try await ServerHarness.run { (server) async throws in
            try await Self.fill(server)
            let json = try await server.send(.get, "studies", [.acceptEncoding: "gzip"])
            #expect(json.headers[.contentType] == "application/dicom+json" && json.headers[.contentEncoding] == "gzip")
            #expect(json.headers[.vary] == "Accept, Accept-Encoding")
            let xml = try await server.send(
                .get, "studies", [.accept: "multipart/related; type=\"application/dicom+xml\""])
            #expect(xml.headers[.contentType]?.hasPrefix("multipart/related; type=\"application/dicom+xml\"") == true)
            #expect(xml.body.components(of: "<NativeDicomModel") == 3)
        }
    }
}

@Suite struct CompressedInstanceTests {
    /// An instance with one fragment of pixel data that is no image.
    private static func file(_ instance: TestInstance, _ transferSyntaxUID: String) -> [UInt8] {
        let pixels =
            TestBytes.element(.pixelData, .OB, length: TestBytes.undefined) + TestBytes.item()
            + TestBytes.item([0xFF, 0xD8, 0xFF, 0xD9]) + TestBytes.sequenceEnd
        var dataSet = instance.dataSet()
        dataSet.remove(.pixelData)
        return instance.part10(dataSet: TestBytes.encode(dataSet) + pixels, transferSyntaxUID: transferSyntaxUID)
    }

    @Test func `what cannot be decoded is to be had as it is stored`() async throws {
        try await ServerHarness.run { (server) async throws in
            let (plain, compressed) = (TestInstance(instance: 1), TestInstance(instance: 2))
            let bytes = Self.file(compressed, "1.2.840.10008.1.2.4.70")
            #expect(try await server.store(plain.part10()).status == 200)
            #expect(try await server.store(bytes).status == 200)
            let path =
                "studies/\(compressed.studyUID)/series/\(compressed.seriesUID)/instances/\(compressed.sopInstanceUID)"

            let refused = try await server.send(
                .get, path, [.accept: "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"])
            #expect(refused.status == 422 && refused.problem?.advice.contains("transfer-syntax=*") == true)
            for wish in ["", "; transfer-syntax=*", "; transfer-syntax=1.2.840.10008.1.2.4.70"] {
                let stored = try await server.send(.get, path, [.accept: "application/dicom\(wish)"])
                #expect(stored.status == 200 && stored.byteCount == bytes.count)
                #expect(stored.headers[.contentType] == "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.70")
            }
            // Of a study, each part says what it is.
            let study = try await server.send(path: "studies/\(plain.studyUID)")
            #expect(study.status == 200)
            let syntaxes = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"]
            #expect(syntaxes.allSatisfy { study.body.contains("application/dicom; transfer-syntax=\($0)\r\n") })
            let frame = try await server.send(.get, path + "/frames/1", [.accept: "image/jpeg"])
            #expect(frame.status == 200 && frame.byteCount == 4)
        }
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of text: String) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
