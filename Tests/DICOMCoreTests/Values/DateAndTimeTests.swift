import DICOMCore
import Testing

@Suite struct DateValueTests {
    @Test(arguments: [
        ("20240229", 20_240_229), ("2024.02.29", 20_240_229), ("20240131 ", 20_240_131), ("00010101", 10_101),
        ("20000229", 20_000_229), ("99991231", 99_991_231),
    ])
    func `is a day of the calendar`(text: String, number: Int) { #expect(DateValue(text)?.number == number) }

    @Test(arguments: [
        "", "2024", "202401", "20241301", "20240001", "20240100", "20240431", "20230229", "19000229", "00000101",
        "2024-01-01", "2024.0101", "202401.01", "2024011", "202401011", "2O240101", "YESTERDAY", "2024 101",
    ])
    func `anything else is no date`(text: String) { #expect(DateValue(text) == nil) }

    @Test(arguments: [
        ("19700101", 0), ("19691231", -1), ("20000301", 11_017), ("20240229", 19_782), ("00010101", -719_162),
        ("16000229", -135_081),
    ])
    func `counts days`(text: String, days: Int) { #expect(DateValue(text)?.daysSince1970 == days) }
}

@Suite struct TimeValueTests {
    @Test(arguments: [
        ("12", 43_200_000_000, 46_799_999_999), ("1230", 45_000_000_000, 45_059_999_999),
        ("123015", 45_015_000_000, 45_015_999_999), ("123015.5", 45_015_500_000, 45_015_599_999),
        ("123015.123456", 45_015_123_456, 45_015_123_456), ("12:30:15", 45_015_000_000, 45_015_999_999),
        ("000000", 0, 999_999), ("235959.999999", 86_399_999_999, 86_399_999_999),
        ("12:30", 45_000_000_000, 45_059_999_999),
        ("235960", 86_399_000_000, 86_399_999_999),
    ])
    func `means all of the unit that it is written to`(text: String, earliest: Int, latest: Int) throws {
        let time = try #require(TimeValue(text))
        #expect(time.earliest == earliest && time.latest == latest)
        #expect(time.description == text.filter { $0 != ":" })
    }

    @Test(arguments: [
        "", "1", "24", "1260", "123061", "12301", "1230151", "123015.", "123015.1234567", "12.5", "1230.5", "12:3015",
        "12-30", "ab", "noon", "-1",
    ])
    func `anything else is no time`(text: String) { #expect(TimeValue(text) == nil) }
}

@Suite struct DateTimeValueTests {
    @Test(arguments: [
        "2024", "202402", "20240229", "2024022912", "202402291230", "20240229123015", "20240229123015.5",
        "20240229123015.123456", "2024+0100", "2024-0500", "20240229-1200", "20240229+1400", "20240229123015.5+0530",
        "2024+0000",
    ])
    func `is written as it was read`(text: String) { #expect(DateTimeValue(text)?.description == text) }

    @Test(arguments: [
        "", "202", "20241", "202413", "20240230", "2024022924", "202402291230155", "2024-0000", "2024+1401",
        "2024-1201",
        "2024+0160", "2024+01", "2024+01000", "2024Z", "2024-02-29", "20240229T12", "20240229 12",
    ])
    func `anything else is no moment`(text: String) { #expect(DateTimeValue(text) == nil) }

    @Test(arguments: [
        ("1970", 0, 31_536_000), ("197001", 0, 2_678_400), ("19700101", 0, 86_400), ("1970010112", 43_200, 46_800),
        ("197002", 2_678_400, 5_097_600), ("19700101+0100", -3600, 82_800), ("19700101-0530", 19_800, 106_200),
    ])
    func `reaches to the end of its unit, in UTC`(text: String, first: Int, end: Int) throws {
        let value = try #require(DateTimeValue(text))
        #expect(value.earliest() == first * 1_000_000 && value.latest() == end * 1_000_000 - 1)
    }

    @Test func `takes the assumed offset only where it has none`() {
        #expect(DateTimeValue("19700101")?.earliest(assuming: 60) == -3_600_000_000)
        #expect(DateTimeValue("19700101+0000")?.earliest(assuming: 60) == 0)
    }
}

@Suite struct DateRangeTests {
    @Test(arguments: [
        ("20240101-20240131", ["20240101", "20240131"], ["20231231", "20240201"]),
        ("-20240131", ["00010101", "20240131"], ["20240201"]), ("20240101-", ["20240101", "99991231"], ["20231231"]),
        ("20240115", ["20240115"], ["20240114", "20240116"]), ("2024.01.01-2024.01.31", ["20240131"], ["20240201"]),
        (" 20240101 - 20240131 ", ["20240101"], ["20231231"]), ("20240131-20240101", [], ["20240115", "20240131"]),
    ])
    func `holds both its ends`(text: String, inside: [String], outside: [String]) throws {
        let range = try #require(DateRange(text))
        #expect(inside.compactMap { DateValue($0) }.allSatisfy(range.contains))
        #expect(!outside.compactMap { DateValue($0) }.contains(where: range.contains))
    }

    @Test(arguments: [
        "", "-", "--", "20240101-20240132", "2024-2025", "20240101-20240131-", "x-20240101", "20240101-x",
        "2024-01-01",
    ])
    func `a bound that is no date makes no range`(text: String) { #expect(DateRange(text) == nil) }

    @Test func `one day is single`() {
        #expect(DateRange("20240101")?.isSingle == true && DateRange("20240101-20240101")?.isSingle == true)
        #expect(DateRange("20240101-")?.isSingle == false && DateRange("-20240101")?.isSingle == false)
    }
}

@Suite struct TimeRangeTests {
    @Test(arguments: [
        ("0900-1700", ["09", "0900", "120000", "170059.999999"], ["085959", "1701", "2300"]),
        ("-12", ["00", "1259", "125959.999999"], ["13", "1300"]), ("22-", ["22", "235959.999999"], ["215959.999999"]),
        ("10", ["10", "105959"], ["11", "095959"]), ("1030", ["1030", "103059.9"], ["1031", "10"]),
        // Past midnight.
        ("22-02", ["22", "2359", "00", "0259"], ["0300", "2159", "12"]),
        ("235959-000000", ["235959", "000000"], ["12"]),
        ("1200.5-13", [], []),
    ])
    func `an upper bound covers its unit, a lower one above it goes past midnight`(
        text: String, inside: [String], outside: [String]
    ) {
        guard let range = TimeRange(text) else {
            #expect(inside.isEmpty && outside.isEmpty)
            return
        }
        for time in inside { #expect(TimeValue(time).map(range.contains) == true, "\(time)") }
        for time in outside { #expect(TimeValue(time).map(range.contains) == false, "\(time)") }
    }

    @Test(arguments: [("22-02", true), ("0900-1700", false), ("12-12", false), ("1230-12", false), ("-12", false)])
    func `wraps only where the end is before the start`(text: String, wraps: Bool) {
        #expect(TimeRange(text)?.wraps == wraps)
    }

    @Test(arguments: ["", "-", "25", "09-25", "0900-1700-1800", "9-17"])
    func `a bound that is no time makes no range`(text: String) { #expect(TimeRange(text) == nil) }
}

@Suite struct DateTimeRangeTests {
    @Test(
        arguments: [
            // A single value.
            ("20240101", "20240101", "20240101"), ("2024-0500", "2024-0500", "2024-0500"),
            ("20240101120000.0-0500", "20240101120000.0-0500", "20240101120000.0-0500"),
            ("2024+0100", "2024+0100", "2024+0100"),
            // What follows the hyphen is no offset.
            ("2023-2024", "2023", "2024"), ("2023-1430", "2023", "1430"), ("20230101-20240101", "20230101", "20240101"),
            ("202301-202402", "202301", "202402"),
            // Offsets at one bound or both.
            ("20240101-0500-20240201-0500", "20240101-0500", "20240201-0500"),
            ("20240101-0500-20240201", "20240101-0500", "20240201"),
            ("20240101-20240201-0500", "20240101", "20240201-0500"),
            ("2023-2024-0500", "2023", "2024-0500"), ("2023-0500-2024", "2023-0500", "2024"),
            ("2023-0500-2024-0500", "2023-0500", "2024-0500"),
            ("20240101+0100-20240201+0200", "20240101+0100", "20240201+0200"),
            // Open ones.
            ("-20240101", nil, "20240101"), ("20240101-", "20240101", nil), ("20240101-0500-", "20240101-0500", nil),
            ("-20240101-0500", nil, "20240101-0500"), ("2024-0500-", "2024-0500", nil),
            ("-2024-0500", nil, "2024-0500"),
        ] as [(String, String?, String?)])
    func `a hyphen with a valid offset behind it belongs to the value, else to the range`(
        text: String, lower: String?, upper: String?
    ) throws {
        let range = try #require(DateTimeRange(text))
        #expect(range.lower?.description == lower && range.upper?.description == upper)
    }

    @Test(arguments: ["", "-", "--", "x", "2024-x", "2024-13", "20240101-20240230", "2024-2025-2026"])
    func `a bound that is no moment makes no range`(text: String) { #expect(DateTimeRange(text) == nil) }

    @Test(arguments: [
        ("2024", "20241231235959.999999", true), ("2024", "2025", false), ("-2024", "20241231", true),
        ("20240101-20240102", "20240102235959", true), ("20240101-20240102", "20240103", false),
        // Half past eleven in New York is the next day in London.
        ("20240102+0000", "20240101233000-0500", true), ("20240101+0000", "20240101233000-0500", false),
        ("2024010112-", "2024010112", true), ("2024010112-", "20240101115959", false),
    ])
    func `compares moments, whatever their offsets`(range: String, value: String, isInside: Bool) throws {
        #expect(try #require(DateTimeRange(range)).contains(#require(DateTimeValue(value))) == isInside)
    }

    @Test func `bounds and values without offset are in the assumed one`() throws {
        let range = try #require(DateTimeRange("2024010100-2024010101"))
        #expect(range.contains(try #require(DateTimeValue("2024010100")), assuming: 120))
        #expect(!range.contains(try #require(DateTimeValue("2024010100+0000")), assuming: 120))
        #expect(range.contains(try #require(DateTimeValue("2023123122+0000")), assuming: 120))
        #expect(range.start(assuming: 60) == range.start().map { $0 - 3_600_000_000 })
        #expect(DateTimeRange("-2024")?.start() == nil && DateTimeRange("2024-")?.end() == nil)
    }
}
