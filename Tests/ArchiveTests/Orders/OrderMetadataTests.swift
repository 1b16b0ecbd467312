import Access
import Audit
import DICOMCore
import GantryTesting
import Testing

@testable import Workflows

@Suite(.onEveryDatabase, .namingTheDatabase) struct OrderMetadataTests {
    private func faults(_ members: [OrderedJSON.Member]) -> [MetadataFault] {
        do {
            _ = try MetadataChange(members)
            return []
        } catch {
            return error.faults
        }
    }

    // MARK: - Keys

    @Test(arguments: ["PatientAge", "patient_age", "patientAge", "00101010", "PATIENT_AGE"])
    func `an attribute is found by keyword, snake case, camel case and tag`(key: String) {
        #expect(MetadataName(key: key) == .attribute(.patientAge, keyword: "PatientAge"))
    }

    @Test(arguments: [
        ("study_instance_uid", "StudyInstanceUID"), ("sopClassUID", "SOPClassUID"), ("0020000d", "StudyInstanceUID"),
        ("patient's_age", nil), ("99999999", nil), ("age", nil), ("", nil),
    ])
    func `what is no attribute is a name of the sender's own`(key: String, keyword: String?) {
        switch MetadataName(key: key) {
        case .attribute(_, let found): #expect(found == keyword)
        case .custom(let name): #expect(keyword == nil && name == key)
        }
    }

    @Test func `no two attributes have the same name without capitals`() {
        let attributes = DataDictionary.standard.registeredAttributes.filter { !$0.tagPattern.contains("x") }
        let keywords = attributes.map(\.keyword).filter { !$0.isEmpty }
        #expect(keywords.count > 5000)
        for keyword in keywords {
            guard case .attribute(_, keyword) = MetadataName(key: keyword.lowercased()) else {
                Issue.record("\(keyword) is not found by its lower-case name")
                return
            }
        }
    }

    @Test func `one attribute under two names is refused`() {
        #expect(faults([.init("PatientAge", "045Y"), .init("patient_age", "046Y")]).map(\.pointer) == ["/patient_age"])
    }

    // MARK: - Values

    private static let values: [(String, OrderedJSON, Bool)] = [
        ("PatientAge", "045Y", true), ("PatientAge", "45Y", false), ("PatientAge", 45, false),
        ("PatientAge", "045y", false), ("PatientAge", "", false), ("PatientAge", .null, true),
        ("PatientAge", true, false),
        ("PatientAge", ["045Y"], true), ("PatientAge", ["045Y", "046Y"], false), ("PatientAge", [:], false),
        ("PatientSex", "F", true), ("PatientSex", "female", false), ("PatientSex", "ABCDEFGHIJKLMNOPQ", false),
        ("PatientBirthDate", "19700102", true), ("PatientBirthDate", "1970-01-02", false),
        ("PatientBirthDate", "20230230", false),
        ("StudyTime", "093000.5", true), ("StudyTime", "9:30", false),
        ("AcquisitionDateTime", "20240131093000", true), ("AcquisitionDateTime", "soon", false),
        ("PatientWeight", 71, true), ("PatientWeight", .number(71.5), true), ("PatientWeight", "71.5", true),
        ("PatientWeight", "heavy", false),
        ("StudyInstanceUID", "1.2.3", true), ("StudyInstanceUID", "1..3", false), ("StudyInstanceUID", "../x", false),
        ("Rows", 512, true), ("Rows", 65_536, false), ("Rows", -1, false), ("Rows", "512", false),
        ("NumberOfFrames", 12, true), ("NumberOfFrames", "12", true), ("NumberOfFrames", 4_294_967_296, false),
        ("PatientName", "Doe^Jane", true), ("PatientName", "a\\b", false), ("PatientName", "a\nb", false),
        ("StudyDescription", .string(String(repeating: "ä", count: 64)), true),
        ("StudyDescription", .string(String(repeating: "ä", count: 65)), false),
        ("ImageType", ["ORIGINAL", "PRIMARY"], true), ("ImageType", [], false),
        ("PixelData", "AAAA", false), ("ReferencedSeriesSequence", [], false), ("ReferencedSeriesSequence", "x", false),
    ]

    @Test(arguments: values)
    func `values are checked against the VR`(key: String, value: OrderedJSON, fits: Bool) {
        let faults = faults([.init(key, value)])
        #expect(faults.isEmpty == fits, "\(key)")
        for fault in faults {
            #expect(fault.pointer == "/\(key)")
            // The answer names the attribute, never what was sent.
            if let text = value.text, text.count > 3 { #expect(!fault.detail.contains(text)) }
        }
    }

    @Test func `every bad key has its entry, and unknown ones go under custom`() {
        let faults = faults([
            .init("PatientAge", 1), .init("patient_sex", "x"), .init("mine/own", 1), .init("custom", ["": 1]),
        ])
        #expect(faults.map(\.pointer) == ["/PatientAge", "/patient_sex", "/custom/"])
    }

    // MARK: - Sources

    @Test func `the header tells, and age is computed from birth date and study date`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete())
            let described = try await orders.orders.describedOrder(.id(orders.only().id), for: OrderHarness.anonymous)
            #expect(described.metadata.merged == ["PatientAge": "054Y", "PatientSex": "M"])
            #expect(described.metadata.sources == ["PatientAge": "computed", "PatientSex": "header"])
            #expect(described.order.missing.isEmpty)
        }
    }

    @Test func `an age in the header is not computed`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(TestInstance.complete().with(.patientAge, .AS, "050Y"))
            let described = try await orders.orders.describedOrder(.id(orders.only().id), for: OrderHarness.anonymous)
            #expect(described.metadata.merged["PatientAge"] == "050Y")
            #expect(described.metadata.sources["PatientAge"] == "header")
        }
    }

    @Test func `any instance of the study may tell what the first did not`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare(instance: 1))
            await orders.store(TestInstance.bare(instance: 2).with(.patientSex, .CS, "F"))
            #expect(try await orders.only().missing == ["PatientAge"])
            await orders.store(TestInstance.bare(instance: 3).with(.patientAge, .AS, "007M"))
            #expect(try await orders.only().missing == [])
        }
    }

    @Test(arguments: [
        ("20200101", "20240101", "004Y"), ("20200102", "20240101", "003Y"), ("20230101", "20240101", "012M"),
        ("20220101", "20240101", "002Y"), ("20231201", "20240115", "001M"), ("20231216", "20240115", "030D"),
        ("20240115", "20240115", "000D"), ("20240116", "20240115", nil), ("09990101", "20240101", nil),
    ])
    func `ages are in years from the second birthday on, then in months, then in days`(
        birth: String, day: String, age: String?
    ) throws {
        #expect(HeaderMetadata.age(from: try #require(DateValue(birth)), to: try #require(DateValue(day))) == age)
    }

    @Test func `the later source wins, whenever it came`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let made = try await orders.orders.create(Orders.Draft(), by: OrderHarness.anonymous)
            func set(_ value: OrderedJSON, _ source: MetadataSource) async throws -> OrderedJSON? {
                let described = try await orders.orders.addMetadata(
                    [.init("PatientSex", value)], from: source, to: .id(made.id), by: OrderHarness.anonymous)
                return described.metadata.sources["PatientSex"]
            }
            #expect(try await set("O", .patch) == "patch")
            #expect(try await set("F", .sidecar) == "patch")
            await orders.store(.complete(), order: made.id)
            let described = try await orders.orders.describedOrder(.id(made.id), for: OrderHarness.anonymous)
            #expect(described.metadata.merged["PatientSex"] == "O")
            // Null takes away what this source said; what others said counts again.
            #expect(try await set(.null, .patch) == "sidecar")
        }
    }

    @Test func `metadata that complete an order process it at once`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            try await orders.pass(60_000)
            let id = try await orders.only().id
            let first = try await orders.orders.addMetadata(
                [.init("PatientAge", "045Y")], to: .id(id), by: OrderHarness.anonymous)
            #expect(first.order.state == .complete && first.order.missing == ["PatientSex"])
            let second = try await orders.orders.addMetadata(
                [.init("patient_sex", "F")], to: .study(try #require(first.order.study)), by: OrderHarness.anonymous)
            #expect(second.order.state == .processing)
            #expect(try await orders.orderEvents() == ["created", "complete", "processing", "ready"])
        }
    }

    @Test func `metadata that are taken away are missing again`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let made = try await orders.orders.create(Orders.Draft(), by: OrderHarness.anonymous)
            await orders.store(.bare(), order: made.id)
            func patch(_ members: [OrderedJSON.Member]) async throws -> [String] {
                try await orders.orders.addMetadata(members, to: .id(made.id), by: OrderHarness.anonymous).order.missing
            }
            #expect(try await patch([.init("PatientAge", "045Y"), .init("PatientSex", "F")]) == [])
            #expect(try await patch([.init("PatientAge", .null)]) == ["PatientAge"])
            try await orders.pass(900_000)
            #expect(try await orders.only().state == .failed)
        }
    }

    @Test func `the audit trail has which values changed, and none of them`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            let requester = OrderRequester(principal: .anonymous, address: "192.0.2.7", requestID: "r7")
            _ = try await orders.orders.addMetadata(
                [.init("PatientAge", "045Y"), .init("note", "SECRET")], to: .id(orders.only().id), by: requester)
            let record = try #require(try await orders.audit().last)
            #expect(record.kind == .orderRecord && record.action == .update && record.actor.address == "192.0.2.7")
            #expect(record.details["changed"] == "/PatientAge,/custom/note" && record.details["source"] == "patch")
            let all = try await orders.audit().map { String(decoding: $0.canonicalJSON, as: UTF8.self) }.joined()
            #expect(!all.contains("045Y") && !all.contains("SECRET"))
        }
    }

    @Test func `an order has so many values and not more, and what is refused changes nothing`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let made = try await orders.orders.create(Orders.Draft(), by: OrderHarness.anonymous)
            func members(_ range: Range<Int>) -> [OrderedJSON.Member] { range.map { .init("k\($0)", 1) } }
            _ = try await orders.orders.addMetadata(members(0..<1000), to: .id(made.id), by: OrderHarness.anonymous)
            await #expect(throws: OrderError.self) {
                _ = try await orders.orders.addMetadata(
                    members(999..<1001), to: .id(made.id), by: OrderHarness.anonymous)
            }
            let described = try await orders.orders.describedOrder(.id(made.id), for: OrderHarness.anonymous)
            #expect(described.metadata.entries.count == 1000)
        }
    }
}
