import DICOMCore
import Testing

@Suite struct DateAndTimeTests {
    @Test func `dates are days of the calendar`() {
        #expect(DateValue("20241399") == nil && DateValue("20230229") == nil && DateValue("2024") == nil)
        #expect(DateValue("2024.02.29")?.number == 20_240_229)
        #expect(DateValue("19700102")?.daysSince1970 == 1)
    }

    @Test func `an upper time covers its unit`() {
        #expect(TimeRange("-12")?.end == 46_799_999_999)
        #expect(TimeRange("22-02")?.wraps == true && TimeRange("2560") == nil)
    }

    @Test func `a hyphen is an offset or a range`() {
        #expect(DateTimeRange("2024-0500")?.lower?.offset == -300)
        #expect(DateTimeRange("2023-2024")?.upper?.year == 2024)
        #expect(DateTimeRange("20240101-0500-20240201-0500")?.upper?.offset == -300)
        #expect(DateRange("-20240131")?.lower == nil && DateRange("-") == nil)
    }
}

@Suite struct NumberTextTests {
    @Test(arguments: [
        ("1.5", true), ("1.50", false), ("+2", false), ("1e-3", false), ("12345678901234567", false), ("0", true),
        ("-0", false), ("abc", false),
    ])
    func `decimal text is canonical when a number loses nothing`(text: String, isCanonical: Bool) {
        #expect(DecimalString.isCanonical(Array(text.utf8)[...]) == isCanonical)
    }

    @Test(arguments: [
        ("7", true), ("07", false), ("-0", false), ("2147483647", true), ("2147483648", false), ("-2147483648", true),
    ])
    func `integer text is canonical when it fits 32 bits`(text: String, isCanonical: Bool) {
        #expect(IntegerString.isCanonical(Array(text.utf8)[...]) == isCanonical)
    }
}

@Suite struct NameTests {
    @Test(arguments: [
        ("Müller", "MULLER"), ("Dvořák", "dvorak"), ("Žluť", "zlut"), ("山田", "山田"), ("ﾔﾏﾀﾞ", "ヤマダ"), ("ü", "u\u{308}"),
    ])
    func `case and accents make no difference`(left: String, right: String) {
        #expect(NameFolding.fold(left) == NameFolding.fold(right))
    }

    @Test func `names sound alike`() {
        #expect(PhoneticCode.code(of: "smyth") == PhoneticCode.code(of: "Smith"))
        #expect(PhoneticCode.code(of: "Robert") == "R163" && PhoneticCode.code(of: "Ashcraft") == "A261")
    }
}
