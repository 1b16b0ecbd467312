import Archive
import DICOMCore
import GantryTesting
import Testing

/// PS3.3 C.12.1.1.8, dicomweb.md 4.8.
@Suite(.onEveryDatabase, .namingTheDatabase) struct SearchZoneTests {
    /// Studies 1 to 5: date, time and zone.
    private static let stored: [(date: String, time: String, zone: String)] = [
        ("20240115", "233000", "-0500"),  // 16th 04:30 UTC
        ("20240116", "003000", "+0900"),  // 15th 15:30 UTC
        ("20240115", "120000", ""),
        ("20240116", "", "+0900"),
        ("20240117", "120000", "+1400"),  // 16th 22:00 UTC
    ]

    private func fixture() async throws -> ArchiveFixture {
        let fixture = try await ArchiveFixture()
        try await fixture.store(
            Self.stored.enumerated().map { index, stored in
                var instance = TestInstance(study: index + 1)
                instance.elements = [
                    element(.studyDate, .DA, stored.date), element(.studyTime, .TM, stored.time),
                    element(.acquisitionDateTime, .DT, stored.date + stored.time),
                ]
                if !stored.zone.isEmpty { instance.elements.append(element(.timezoneOffsetFromUTC, .SH, stored.zone)) }
                return instance
            })
        return fixture
    }

    /// The numbers of the studies that match.
    private func found(
        _ fixture: ArchiveFixture, _ zone: String?, assuming assumed: String = "+0000", level: QueryLevel = .study,
        _ matches: AttributeMatch...
    ) async throws -> [Int] {
        let query = InstanceQuery(level: level, matches: matches, timezoneOffset: zone.flatMap { TimezoneOffset($0) })
        let result = try await fixture.archive.search(
            query, maximum: 100, assuming: try #require(TimezoneOffset(assumed)))
        #expect(result.total == result.count)
        return try (0..<result.count).compactMap { index in
            let uid = try result.dataSet(match: index, base: "http://h").uid(for: .studyInstanceUID)
            return uid.flatMap { Int($0.string.dropFirst("2.25.1000".count)) }
        }.sorted()
    }

    private func days(_ text: String) throws -> AttributeMatch {
        match(.studyDate, .dateRange(try #require(DateRange(text))))
    }

    @Test(
        arguments: [
            // Local values as they are.
            (nil, "20240115", [1, 3]), (nil, "20240116", [2, 4]), (nil, "20240117", [5]),
            ("+0000", "20240115", [2, 3]), ("+0000", "20240116", [1, 4, 5]), ("+0000", "20240117", []),
            ("-0500", "20240115", [1, 2, 3]), ("+0900", "20240116", [1, 2, 4]), ("+0900", "20240117", [5]),
            ("-1200", "20240114", []), ("+1400", "20240116", [1, 2, 3, 4]),
            ("-1200", "20240116", [4, 5]),
            ("+0000", "20240116-", [1, 4, 5]), ("+0000", "-20240115", [2, 3]),
            ("+0000", "20240101-20240131", [1, 2, 3, 4, 5]),
        ] as [(String?, String, [Int])])
    func `a date is that of the request's zone`(zone: String?, range: String, studies: [Int]) async throws {
        #expect(try await found(try await fixture(), zone, try days(range)) == studies)
    }

    @Test(
        arguments: [
            (nil, "2300-2359", [1]), ("+0000", "0400-0459", [1]), ("+0000", "1530", [2]), ("+0900", "1300-1400", [1]),
            ("+0000", "2200-0500", [1, 5]), ("-0500", "2330", [1]),
        ] as [(String?, String, [Int])])
    func `a time is that of the request's zone`(zone: String?, range: String, studies: [Int]) async throws {
        let times = match(.studyTime, .timeRange(try #require(TimeRange(range))))
        #expect(try await found(try await fixture(), zone, times) == studies)
    }

    @Test(
        arguments: [
            (nil, "20240115-20240116", "2300-0030", [1, 2]),
            ("+0000", "20240115-20240116", "1530-0430", [1, 2]), ("+0000", "20240115-20240116", "1531-0430", [1]),
            ("+0000", "20240115-20240116", "1530-0429", [2]),
            ("+0000", "20240115-20240117", "1300-0100", [1, 2, 4, 5]),
            ("+0000", "20240116-20240116", "0430-2200", [1, 5]),
        ] as [(String?, String, String, [Int])])
    func `a date and its time are one moment`(
        zone: String?, dates: String, times: String, studies: [Int]
    ) async throws {
        let condition = AttributeMatch.Condition.combined(
            date: try #require(DateRange(dates)), time: try #require(TimeRange(times)), timeTag: .studyTime)
        #expect(try await found(try await fixture(), zone, match(.studyDate, condition)) == studies)
    }

    @Test func `what names no zone is in that of the server`() async throws {
        let fixture = try await fixture()
        #expect(try await found(fixture, "+0000", assuming: "-1300", try days("20240116")) == [1, 3, 4, 5])
        #expect(try await found(fixture, nil, assuming: "-1300", try days("20240116")) == [2, 4])
    }

    @Test func `a date and time in one value has the zone of its data set, or its own`() async throws {
        let fixture = try await fixture()
        var own = TestInstance(study: 6)
        own.elements = [
            element(.acquisitionDateTime, .DT, "20240116043000+0000"), element(.timezoneOffsetFromUTC, .SH, "+0900"),
        ]
        try await fixture.store([own])
        func found(_ zone: String, _ range: String) async throws -> [Int] {
            let moments = match(.acquisitionDateTime, .dateTimeRange(try #require(DateTimeRange(range))))
            return try await self.found(fixture, zone, level: .instance, moments)
        }
        #expect(try await found("+0000", "202401160430") == [1, 6])
        #expect(try await found("-0500", "202401152330") == [1, 6])
        #expect(try await found("+0900", "202401160430+0000") == [1, 6])
    }

    @Test func `a date of birth is the same everywhere`() async throws {
        let born = match(.patientBirthDate, .dateRange(try #require(DateRange("19700102"))))
        #expect(try await found(try await fixture(), "+1400", born) == [1, 2, 3, 4, 5])
    }

    @Test(
        arguments: [
            ("+0000", 0), ("-0500", -300), ("+1400", 840), ("+0545", 345), ("+1401", nil), ("0100", nil), ("+100", nil),
            ("+0160", nil), ("+01:00", nil), ("", nil), ("+٠١٠٠", nil),
        ] as [(String, Int?)])
    func `an offset is a sign and four digits`(text: String, minutes: Int?) {
        #expect(TimezoneOffset(text)?.minutes == minutes)
        if let offset = TimezoneOffset(text) { #expect(offset.description == text) }
    }
}
