import Archive
import DICOMCore
import GantryTesting
import SQLStorage
import Testing

/// Texts that are longer than their VR allows: a database may refuse to index them.
@Suite(.onEveryDatabase, .namingTheDatabase) struct LongTextTests {
    /// Text that no database makes short by compression.
    private static func noise(_ count: Int) -> String {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return String(
            (0..<count).map { _ in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return Character(Unicode.Scalar(UInt8(ascii: "A") + UInt8(state >> 33 & 0xF)))
            })
    }

    @Test func `are stored whole and matched by their beginning`() async throws {
        let fixture = try await ArchiveFixture()
        let text = Self.noise(9_000)
        let request = DataSet([
            element(.scheduledProcedureStepID, .SH, text), element(.requestedProcedureID, .SH, text),
        ])
        var long = TestInstance()
        long.patientID = text
        long.patientName = text + "^" + text + "=" + text + "=" + text
        long.elements = [
            element(.accessionNumber, .SH, text),
            DataElement(.requestAttributesSequence, .SQ, .items([request])),
        ]
        let other = TestInstance(study: 2)
        guard case .stored = try await fixture.store(long) else {
            Issue.record("it was not stored")
            return
        }
        try await fixture.store([other])
        #expect(try await fixture.verify().isClean)
        for tag in [Tag.patientID, .accessionNumber] {
            #expect(try await fixture.search(.study, [match(tag, .single(text))]) == [long.studyUID])
            #expect(
                try await fixture.search(.study, [match(tag, .wildcard(String(text.prefix(20)) + "*"))]) == [
                    long.studyUID
                ])
            #expect(try await fixture.search(.study, [match(tag, .single(String(text.prefix(900))))]) == [])
        }
        #expect(
            try await fixture.search(.study, [match(.patientName, .personName(text + "^" + text, fuzzy: false))])
                == [long.studyUID])
        let result = try await fixture.archive.search(InstanceQuery(level: .study), maximum: 10)
        let whole = try (0..<result.count).compactMap {
            try result.dataSet(match: $0, base: "http://h").string(for: .patientID)
        }
        #expect(whole.contains(text))
    }

    @Test func `are not cut inside a character`() async throws {
        let fixture = try await ArchiveFixture()
        for shift in 0..<4 {
            var instance = TestInstance(study: shift + 1)
            instance.characterSet = "ISO_IR 192"
            instance.patientID = String(repeating: "x", count: shift) + String(repeating: "\u{1F600}", count: 800)
            try await fixture.store([instance])
            #expect(
                try await fixture.search(.study, [match(.patientID, .single(instance.patientID))]) == [
                    instance.studyUID
                ])
        }
    }
}
