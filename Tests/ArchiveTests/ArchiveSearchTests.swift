import Archive
import DICOMCore
import GantryTesting
import SQLStorage
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct ArchiveSearchTests {
    private func studies(_ all: [[DataElement]]) async throws -> ArchiveFixture {
        let fixture = try await ArchiveFixture()
        try await fixture.store(
            all.enumerated().map { index, elements in
                var instance = TestInstance(study: index + 1)
                instance.elements = elements
                return instance
            })
        return fixture
    }

    /// The numbers of the studies that match, in ascending order.
    private func found(_ fixture: ArchiveFixture, _ matches: AttributeMatch...) async throws -> [Int] {
        try await fixture.search(.study, matches).compactMap { Int($0.dropFirst("2.25.1000".count)) }.sorted()
    }

    @Test func `a study has every required attribute, and its values`() async throws {
        let fixture = try await studies([[element(.studyDescription, .LO, "Head")]])
        let result = try await fixture.archive.search(InstanceQuery(level: .study), maximum: 10)
        var json: [UInt8] = []
        result.writeJSON(base: "http://h/dicomweb", into: &json)
        #expect(
            String(decoding: json, as: UTF8.self) == """
                [{"00080020":{"vr":"DA","Value":["20240115"]},"00080030":{"vr":"TM","Value":["101112"]},\
                "00080050":{"vr":"SH","Value":["A1"]},"00080056":{"vr":"CS","Value":["ONLINE"]},\
                "00080061":{"vr":"CS","Value":["OT"]},\
                "00080090":{"vr":"PN","Value":[{"Alphabetic":"Ref^Erring"}]},\
                "00081030":{"vr":"LO","Value":["Head"]},\
                "00081190":{"vr":"UR","Value":["http://h/dicomweb/studies/2.25.10001"]},\
                "00100010":{"vr":"PN","Value":[{"Alphabetic":"Smith^John"}]},\
                "00100020":{"vr":"LO","Value":["P1"]},"00100030":{"vr":"DA","Value":["19700102"]},\
                "00100040":{"vr":"CS","Value":["M"]},"0020000D":{"vr":"UI","Value":["2.25.10001"]},\
                "00200010":{"vr":"SH","Value":["S1"]},"00201206":{"vr":"IS","Value":[1]},\
                "00201208":{"vr":"IS","Value":[1]}}]
                """)
    }

    @Test func `text that is not ASCII makes the answer name its character set`() async throws {
        let fixture = try await ArchiveFixture()
        var instance = TestInstance()
        instance.characterSet = "ISO_IR 192"
        instance.patientName = "Müller^Jörg"
        try await fixture.store([instance])
        let result = try await fixture.archive.search(InstanceQuery(level: .study), maximum: 10)
        var json: [UInt8] = []
        result.writeJSON(base: "http://h", into: &json)
        #expect(String(decoding: json, as: UTF8.self).hasPrefix(#"[{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"#))
    }

    @Test func `exact keys match exactly, and blanks around them do not count`() async throws {
        let fixture = try await studies([
            [element(.patientID, .LO, " AB1 ")], [element(.patientID, .LO, "ab1")], [element(.patientID, .LO, "AB12")],
        ])
        #expect(try await found(fixture, match(.patientID, .single("AB1"))) == [1])
    }

    @Test(arguments: [
        ("1?3", [1, 2]), ("*23*", [1, 3, 5, 6]), ("13*", [2, 4]), ("9.2*", [5]), ("1??3", [3]),
        ("*", [1, 2, 3, 4, 5, 6]),
        ("9_*", []), ("%", []),
    ])
    func `wildcards stand for characters and everything else for itself`(pattern: String, hits: [Int]) async throws {
        let fixture = try await studies(
            ["123", "133", "1123", "13", "9.23X", "9a23X"].map { [element(.patientID, .LO, $0)] })
        #expect(try await found(fixture, match(.patientID, .wildcard(pattern))) == hits)
    }

    @Test(arguments: [
        ("20240101-20240131", [2, 3, 4]), ("-20240131", [1, 2, 3, 4]), ("20240101-", [2, 3, 4, 5]), ("20240115", [3]),
    ])
    func `date ranges include their ends, and leave out studies without a date`(
        range: String, hits: [Int]
    ) async throws {
        let fixture = try await studies(
            ["20231231", "20240101", "20240115", "20240131", "20240201", "", "2024-1-1"].map {
                [element(.studyDate, .DA, $0)]
            })
        let range = try #require(DateRange(range))
        #expect(try await found(fixture, match(.studyDate, .dateRange(range))) == hits)
    }

    @Test(arguments: [("0900-1000", [2, 3]), ("-09", [1, 2]), ("22-06", [1, 4]), ("10", [3]), ("100000", [3])])
    func `time ranges cover their last unit and wrap around midnight`(range: String, hits: [Int]) async throws {
        let fixture = try await studies(
            ["0130", "095959.5", "100000", "2300", ""].map { [element(.studyTime, .TM, $0)] })
        let range = try #require(TimeRange(range))
        #expect(try await found(fixture, match(.studyTime, .timeRange(range))) == hits)
    }

    @Test func `date and time together are one interval`() async throws {
        let moments = [
            ("20240101", "0800"), ("20240101", "1200"), ("20240102", "0500"), ("20240103", "0900"),
            ("20240103", "1100"),
        ]
        let fixture = try await studies(
            moments.map { [element(.studyDate, .DA, $0.0), element(.studyTime, .TM, $0.1)] })
        let condition = AttributeMatch.Condition.combined(
            date: try #require(DateRange("20240101-20240103")), time: try #require(TimeRange("1000-1000")),
            timeTag: .studyTime)
        #expect(try await found(fixture, match(.studyDate, condition)) == [2, 3, 4])
    }

    @Test(arguments: [(DICOMCore.Tag.contentDate, DICOMCore.Tag.contentTime), (.patientBirthDate, .patientBirthTime)])
    func `date and time are one interval without columns for both, too`(
        date: DICOMCore.Tag, time: DICOMCore.Tag
    ) async throws {
        let moments = [("20240101", "0800"), ("20240101", "1200"), ("20240102", "0500"), ("20240103", "1100")]
        let fixture = try await studies(moments.map { [element(date, .DA, $0.0), element(time, .TM, $0.1)] })
        let condition = AttributeMatch.Condition.combined(
            date: try #require(DateRange("20240101-20240103")), time: try #require(TimeRange("1000-1000")),
            timeTag: time)
        let hits = try await fixture.search(.instance, [match(date, condition)])
        #expect(hits == [2, 3].map { TestInstance(study: $0).sopInstanceUID })
    }

    @Test(arguments: [
        ("müLLER^j*", false, [1]), ("muller^jorg", false, [1]), ("Smith", false, []), ("SMITH*", false, [2]),
        ("smyth", true, [2]), ("山田*", false, [3]), ("やまだ^たろう", false, [3]), ("Yamada*=山田^太郎", false, [3]),
        ("Yamada*=鈴木*", false, []), ("Smith^Anna^^", false, [2]),
    ])
    func `names match in any group whatever their case and accents, and by sound when asked`(
        pattern: String, isFuzzy: Bool, hits: [Int]
    ) async throws {
        let fixture = try await ArchiveFixture()
        let names = ["Müller^Jörg", "Smith^Anna", "Yamada^Tarou=山田^太郎=やまだ^たろう"]
        try await fixture.store(
            names.enumerated().map { index, name in
                var instance = TestInstance(study: index + 1)
                instance.characterSet = "ISO_IR 192"
                instance.patientName = name
                return instance
            })
        #expect(try await found(fixture, match(.patientName, .personName(pattern, fuzzy: isFuzzy))) == hits)
    }

    @Test func `modalities of a study match any or all, and by wildcard`() async throws {
        let fixture = try await ArchiveFixture()
        let all = [(1, 1, "CT"), (1, 2, "PT"), (2, 1, "CT"), (3, 1, "PT"), (4, 1, "MR")]
        try await fixture.store(
            all.map { study, series, modality in
                var instance = TestInstance(study: study, series: series)
                instance.modality = modality
                return instance
            })
        #expect(try await found(fixture, match(.modalitiesInStudy, .single("CT"))) == [1, 2])
        #expect(try await found(fixture, match(.modalitiesInStudy, .anyOf(["CT", "PT"]))) == [1, 2, 3])
        #expect(try await found(fixture, match(.modalitiesInStudy, .allOf(["CT", "PT"]))) == [1])
        #expect(try await found(fixture, match(.modalitiesInStudy, .wildcard("?T"))) == [1, 2, 3])
        #expect(try await found(fixture, match(.modalitiesInStudy, .single("C"))).isEmpty)
    }

    @Test func `universal and empty-value matching`() async throws {
        let fixture = try await studies([[element(.accessionNumber, .SH, "")], [element(.accessionNumber, .SH, "A2")]])
        #expect(try await found(fixture, match(.accessionNumber, .universal)) == [1, 2])
        #expect(try await found(fixture, match(.accessionNumber, .emptyValue)) == [1])
    }

    @Test func `keys of a sequence match within one item`() async throws {
        let fixture = try await ArchiveFixture()
        func item(_ procedure: String, _ step: String) -> DataSet {
            DataSet([
                element(.scheduledProcedureStepID, .SH, step), element(.requestedProcedureID, .SH, procedure),
            ])
        }
        var first = TestInstance(study: 1)
        first.elements = [DataElement(.requestAttributesSequence, .SQ, .items([item("R9", "S9"), item("R1", "S1")]))]
        var second = TestInstance(study: 2)
        second.elements = [DataElement(.requestAttributesSequence, .SQ, .items([item("R1", "S2"), item("R2", "S1")]))]
        try await fixture.store([first, second, TestInstance(study: 3)])
        let procedure = AttributeMatch(
            AttributePath([.requestAttributesSequence, .requestedProcedureID]), .single("R1"))
        let step = AttributeMatch(
            AttributePath([.requestAttributesSequence, .scheduledProcedureStepID]), .single("S1"))
        #expect(try await fixture.search(.series, [procedure]).count == 2)
        #expect(try await fixture.search(.series, [procedure, step]) == [first.seriesUID])
        #expect(try await fixture.search(.instance, [procedure, step]) == [first.sopInstanceUID])
    }

    @Test func `attributes without a column match too, and are counted exactly`() async throws {
        let fixture = try await studies([
            [element(.manufacturer, .LO, "ACME")], [element(.manufacturer, .LO, "Other")],
            [element(.manufacturer, .LO, "ACME 2")],
        ])
        #expect(try await fixture.search(.series, [match(.manufacturer, .wildcard("ACME*"))]).count == 2)
        let query = InstanceQuery(level: .series, matches: [match(.manufacturer, .wildcard("ACME*"))], limit: 1)
        let result = try await fixture.archive.search(query, maximum: 100)
        #expect((result.count, result.total, result.remaining) == (1, 2, 1))
        #expect(try await fixture.search(.instance, [match(.rows, .number(6))]).count == 3)
    }

    @Test func `keys of studies and series select series and instances`() async throws {
        let fixture = try await ArchiveFixture()
        var other = TestInstance(study: 2, instance: 3)
        other.patientID = "P2"
        other.modality = "CT"
        try await fixture.store([TestInstance(), TestInstance(instance: 2), other])
        #expect(try await fixture.search(.series, [match(.patientID, .single("P2"))]) == [other.seriesUID])
        #expect(try await fixture.search(.instance, [match(.patientID, .single("P1"))]).count == 2)
        #expect(try await fixture.search(.instance, [match(.modality, .single("CT"))]) == [other.sopInstanceUID])
        #expect(try await fixture.search(.instance, [match(.instanceNumber, .number(3))]) == [other.sopInstanceUID])
        #expect(
            try await fixture.search(.instance, [match(.sopInstanceUID, .uidList([uid(other.sopInstanceUID)]))])
                == [other.sopInstanceUID])
        #expect(
            try await fixture.search(.instance, [match(.seriesInstanceUID, .uidList([uid(other.seriesUID)]))])
                == [other.sopInstanceUID])
        let inStudy = InstanceQuery(level: .series, study: try uid(other.studyUID))
        #expect(try await fixture.search(inStudy) == [other.seriesUID])
        let inSeries = InstanceQuery(
            level: .instance, study: try uid(TestInstance().studyUID), series: try uid(other.seriesUID))
        #expect(try await fixture.search(inSeries).isEmpty)
    }

    @Test func `pages do not overlap and totals are exact at every level`() async throws {
        let fixture = try await ArchiveFixture()
        var all: [TestInstance] = []
        for study in 1...3 {
            for series in 1...2 {
                for instance in 1...3 { all.append(TestInstance(study: study, series: series, instance: instance)) }
            }
        }
        try await fixture.store(all)
        for (level, total) in [(QueryLevel.study, 3), (.series, 6), (.instance, 18)] {
            var seen: [String] = []
            for offset in stride(from: 0, to: total, by: 2) {
                let query = InstanceQuery(level: level, limit: 2, offset: offset)
                #expect(try await fixture.archive.search(query, maximum: 100).total == total)
                seen += try await fixture.search(query)
            }
            #expect(seen.count == total)
            #expect(Set(seen).count == total)
        }
        let beyond = try await fixture.archive.search(InstanceQuery(level: .study, offset: 7), maximum: 100)
        #expect((beyond.count, beyond.total) == (0, 3))
        let none = try await fixture.archive.search(InstanceQuery(level: .study, limit: 0), maximum: 100)
        #expect(none.count == 0)
    }

    @Test func `results are in order of date, or as asked`() async throws {
        let dates = ["20240103", "20240101", "20240102"]
        let fixture = try await studies(dates.map { [element(.studyDate, .DA, $0)] })
        #expect(try await fixture.search(.study) == ["2.25.10001", "2.25.10003", "2.25.10002"])
        let query = InstanceQuery(level: .study, order: [.init(.studyDate)])
        #expect(try await fixture.search(query) == ["2.25.10002", "2.25.10003", "2.25.10001"])
    }

    @Test func `included attributes come from the level and those above`() async throws {
        let fixture = try await studies([
            [element(.studyDescription, .LO, "Head"), element(.manufacturerModelName, .LO, "Model1")]
        ])
        let study = try uid(TestInstance().studyUID)
        func dataSet(_ query: InstanceQuery) async throws -> DataSet {
            try await fixture.archive.search(query, maximum: 1).dataSet(match: 0, base: "http://h")
        }
        let plain = try await dataSet(InstanceQuery(level: .series, study: study))
        #expect(plain[.studyDescription] == nil)
        #expect(plain[.manufacturerModelName] == nil)
        let asked = try await dataSet(
            InstanceQuery(level: .series, study: study, includes: [.studyDescription, .manufacturerModelName]))
        #expect(asked.string(for: .studyDescription) == "Head")
        #expect(asked.string(for: .manufacturerModelName) == "Model1")
        let all = try await dataSet(InstanceQuery(level: .series, study: study, includesAll: true))
        #expect(all.string(for: .manufacturerModelName) == "Model1")
    }
}
