import DICOMCore
import DICOMWeb
import HTTPTypes
import Testing

@Suite struct SearchRequestTests {
    private func request(
        _ text: String, path: String = "/studies", prefer: [String] = [], features: SearchFeatures = SearchFeatures()
    ) throws(DICOMWebError) -> SearchRequest {
        try SearchRequest(try ResourcePath(path), query: text, prefer: prefer, features: features)
    }

    private func status(_ text: String, path: String = "/studies", prefer: [String] = []) -> Int {
        do throws(DICOMWebError) {
            _ = try request(text, path: path, prefer: prefer)
            return 200
        } catch { return error.status.code }
    }

    private func condition(_ text: String, path: String = "/studies") throws -> AttributeMatch.Condition? {
        let request = try request(text, path: path)
        #expect(request.warnings == [])
        return request.query.matches.first?.condition
    }

    @Test(arguments: ["PatientID", "00100020"])
    func `keywords and tags name the same attribute`(name: String) throws {
        let match = try request("\(name)=A%5E1").query.matches
        #expect(match == [AttributeMatch(AttributePath(.patientID), .single("A^1"))])
        #expect(try condition("0020000d=1.2") == .uidList([try #require(UID("1.2"))]))
    }

    @Test(arguments: [
        ("PatientID=", AttributeMatch.Condition.universal), ("PatientID=*", .universal), ("PatientID=**", .universal),
        ("PatientID", .universal), ("PatientID=a***b", .wildcard("a*b")), ("PatientID=1?3", .wildcard("1?3")),
        ("PatientID=+x+", .single("x")), ("PatientID=a,b", .single("a,b")), ("PatientID=a%2Bb", .single("a+b")),
        ("PatientName=m%C3%BCLLER^j*", .personName("müLLER^j*", fuzzy: false)),
        ("ModalitiesInStudy=CT", .single("CT")), ("ModalitiesInStudy=CT,PT", .anyOf(["CT", "PT"])),
        ("ModalitiesInStudy=CT%2CPT&multiplevaluematching=true", .allOf(["CT", "PT"])),
        ("PatientID=%22%22&emptyvaluematching=true", .emptyValue), ("PatientID=%22%22", .single("\"\"")),
    ])
    func `values become kinds of matching`(text: String, expected: AttributeMatch.Condition) throws {
        #expect(try condition(text) == expected)
    }

    @Test func `lists of UIDs take a comma raw or encoded`() throws {
        let uids = try ["1.2", "3.4"].map { try #require(UID($0)) }
        for separator in [",", "%2C", "%5C"] {
            #expect(try condition("StudyInstanceUID=1.2\(separator)3.4") == .uidList(uids))
        }
    }

    @Test func `numbers compare as numbers`() throws {
        for text in ["7", "007", "%2B7", "+7", "7.0"] {
            #expect(try condition("SeriesNumber=\(text)", path: "/series") == .number(7))
        }
    }

    @Test func `a date range and its time range are one interval`() throws {
        let matches = try request("StudyTime=1200-1300&StudyDate=20240101-20240131").query.matches
        #expect(matches.count == 1)
        let expected = AttributeMatch.Condition.combined(
            date: try #require(DateRange("20240101-20240131")), time: try #require(TimeRange("1200-1300")),
            timeTag: .studyTime)
        #expect(matches.first?.condition == expected)
        #expect(try request("StudyTime=12&StudyDate=20240101-20240131").query.matches.count == 2)
        #expect(try request("StudyTime=1200-1300&StudyDate=20240101").query.matches.count == 2)
        #expect(try condition("StudyDate=2024.01.15") == DateRange("20240115").map { .dateRange($0) })
    }

    @Test(arguments: [
        "RequestAttributesSequence.RequestedProcedureID", "00400275.00401001", "RequestAttributesSequence.00401001",
    ])
    func `sequence paths mix keywords and tags`(name: String) throws {
        let path = AttributePath([.requestAttributesSequence, .requestedProcedureID])
        #expect(try request("\(name)=RP1", path: "/series").query.matches == [AttributeMatch(path, .single("RP1"))])
    }

    @Test(arguments: [
        "StudyDate=2024-13-99", "StudyDate=20241399", "StudyTime=25", "StudyDate=x-y", "StudyDate=-", "limit=-1",
        "limit=x", "offset=1.5", "limit=2&limit=3", "offset=-1", "limit=", "limit=99999999999999999999999", "limit=%00",
        "fuzzymatching=yes", "fuzzymatching=1", "emptyvaluematching=TRUE", "multiplevaluematching=",
        "PatientName=%FF", "PatientName=%C3%28", "PatientName=%zz", "PatientName=%4", "%zz=1", "00231001=5",
        "PatientID=a&PatientID=b", "PatientID=a&00100020=b", "StudyInstanceUID=abc", "StudyInstanceUID=1.*",
        "orderby=Nonsense", "orderby=", "orderby=SeriesNumber", "PatientID=a%0D%0Ab", "TimezoneOffsetFromUTC=abc",
        "StudyInstanceUID=1.2,",
    ])
    func `malformed queries are refused`(text: String) {
        #expect(status(text) == 400)
    }

    @Test(arguments: ["&limit=1", "&&limit=1&", "limit=1&", "limit=1&_=5&charset=utf-8&access_token=x&accept=a/b"])
    func `empty pairs and foreign parameters are skipped`(text: String) throws {
        let request = try request(text)
        #expect(request.query.limit == 1)
        #expect(request.warnings == [])
    }

    @Test(arguments: [
        ("foo=1", "foo"), ("PatientNam=x", "PatientNam"), ("Modality=CT", "Modality"), ("Rows=5", "Rows"),
        ("WindowWidth=5", "WindowWidth"), ("includefield=Nonsense", "Nonsense"), ("a%22b%0=1", ""),
        ("a%22%C3%A4=1&b=2", "a??, b"), ("00230010=Acme&00231001=x", "00230010, 00231001"),
        ("0x00100020=1", "0x00100020"),
    ])
    func `what cannot be used is told, or refused when the client is strict`(text: String, names: String) throws {
        #expect(status(text, prefer: ["respond-async, handling=Strict"]) == 400)
        guard !names.isEmpty else { return }
        #expect(try request(text).warnings == ["The following query parameters were ignored: \(names)"])
    }

    @Test func `unsupported kinds of matching are told in the standard's words`() throws {
        var features = SearchFeatures()
        features.multipleValueMatching = false
        features.emptyValueMatching = false
        let request = try request(
            "PatientName=x&fuzzymatching=true&multiplevaluematching=true&emptyvaluematching=true", features: features)
        #expect(
            request.warnings == [
                "The fuzzymatching parameter is not supported. Only literal matching has been performed.",
                "The multiplevaluematching parameter is not supported. Multiple Value Matching has not been performed.",
                "The emptyvaluematching parameter is not supported. Empty Value Matching has not been performed.",
            ])
        features.fuzzyMatching = true
        let fuzzy = try self.request("PatientName=x&fuzzymatching=true", features: features)
        #expect(fuzzy.query.matches.first?.condition == .personName("x", fuzzy: true))
    }

    @Test func `each resource has its levels and scope`() throws {
        let cases: [(String, QueryLevel, [String])] = [
            ("/studies", .study, ["PatientID"]), ("/series", .series, ["PatientID", "Modality"]),
            ("/instances", .instance, ["PatientID", "Modality", "InstanceNumber"]),
            ("/studies/1.2/series", .series, ["Modality"]),
            ("/studies/1.2/instances", .instance, ["Modality", "InstanceNumber"]),
            ("/studies/1.2/series/3.4/instances", .instance, ["InstanceNumber"]),
        ]
        for (path, level, allowed) in cases {
            for name in ["PatientID", "Modality", "InstanceNumber"] {
                let request = try request("\(name)=1", path: path)
                #expect(request.query.level == level)
                #expect(request.warnings.isEmpty == allowed.contains(name), "\(path) \(name)")
            }
        }
        let query = try request("", path: "/studies/1.2/series/3.4/instances").query
        #expect(query.study == UID("1.2") && query.series == UID("3.4"))
    }

    @Test(arguments: [
        "includefield=StudyDescription&includefield=PatientAge", "includefield=00081030,00101010",
        "includefield=00081030%2CPatientAge", "includefield=StudyDescription,,Modality,PatientAge,00080005.00100010",
    ])
    func `includefield takes lists, repetitions, keywords and tags`(text: String) throws {
        #expect(
            try request(text).query.includes.subtracting([.specificCharacterSet]) == [.studyDescription, .patientAge])
        #expect(try request(text + "&includefield=all").query.includesAll)
    }

    @Test func `order, paging and offset from UTC are read`() throws {
        let request = try request(
            "orderby=-StudyDate,StudyTime&limit=0&offset=7&TimezoneOffsetFromUTC=-0130",
            prefer: ["return=representation"])
        #expect(request.query.order == [.init(.studyDate, isDescending: true), .init(.studyTime)])
        #expect(request.query.limit == 0 && request.query.offset == 7)
        #expect(request.query.timezoneOffset?.minutes == -90)
        #expect(request.wantsEmptyArray)
        #expect(try self.request("TimezoneOffsetFromUTC=+0100").query.timezoneOffset?.minutes == 60)
    }
}

@Suite struct SearchPageTests {
    @Test(
        arguments: [
            (5, 0, 2, 2, 3), (5, 4, 2, 1, 0), (5, 5, 2, 0, 0), (5, 9, nil, 0, 0), (5, 0, 0, 0, 5),
            (5, 0, 999_999, 5, 0),
            (500, 0, nil, 100, 400), (500, 0, 999, 100, 400), (0, 0, nil, 0, 0),
        ] as [(Int, Int, Int?, Int, Int)])
    func `counts results and what remains`(matches: Int, offset: Int, limit: Int?, results: Int, remaining: Int) {
        let page = SearchPage(matches: matches, offset: offset, limit: limit, maximum: 100)
        #expect(page.results == results && page.remaining == remaining)
        let isTold = results > 0 && remaining > 0
        #expect(page.warningText == (isTold ? "There are \(remaining) additional results that can be requested" : nil))
    }
}
