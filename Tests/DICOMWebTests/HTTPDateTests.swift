import DICOMWeb
import Testing

@Suite struct HTTPDateTests {
    @Test(
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799), ("Wed, 01 Mar 1600 00:00:00 GMT", -11_670_912_000),
        ] as [(String, Int64)])
    func `is written as it is read`(text: String, seconds: Int64) {
        #expect(HTTPDate(text)?.secondsSince1970 == seconds)
        #expect(HTTPDate(secondsSince1970: seconds).description == text)
    }

    /// RFC 9110 5.6.7.
    @Test(arguments: ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func `reads the obsolete forms`(text: String) {
        #expect(HTTPDate(text) == HTTPDate("Sun, 06 Nov 1994 08:49:37 GMT"))
    }

    @Test(arguments: [
        "", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "1994-11-06T08:49:37Z", "784111777",
        String(repeating: " ", count: 1000) + "Sun, 06 Nov 1994 08:49:37 GMT",
    ])
    func `takes nothing else for a date`(text: String) {
        #expect(HTTPDate(text) == nil)
    }

    @Test func `every day has its weekday`() throws {
        let monday = try #require(HTTPDate("Mon, 20 Nov 2023 12:00:00 GMT"))
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        for day in -8000..<8000 {
            let date = HTTPDate(secondsSince1970: monday.secondsSince1970 + Int64(day) * 86_400)
            #expect(date.description.hasPrefix(names[((day % 7) + 7) % 7]))
            #expect(HTTPDate(date.description) == date)
        }
    }
}
