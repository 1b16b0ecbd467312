import Messaging
import SQLStorage
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct OutboxTests {
    private func event(_ number: Int) -> CloudEvent {
        CloudEvent(
            id: UUIDv7(milliseconds: Int64(number)), source: "/gantry", type: .instanceStored, subject: "s\(number)",
            time: Int64(number), partitionKey: "1.2", data: Array("{\"n\":\(number)}".utf8))
    }

    @Test func `events come back in order with their ids until they are removed`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let outbox = Outbox()
            let events = (1...5).map(event)
            try await harness.database.write { try outbox.append(events, in: $0) }
            let due = try await harness.database.read { try outbox.due(now: 10, limit: 3, in: $0) }
            #expect(due.map(\.event) == Array(events.prefix(3)))
            #expect(due.allSatisfy { $0.attempts == 0 && !$0.isParked })
            try await harness.database.write { transaction in
                try outbox.remove([due[0].position, due[2].position], in: transaction)
                try outbox.postpone(due[1].position, until: 100, in: transaction)
            }
            let later = try await harness.database.read { transaction in
                (
                    try outbox.due(now: 10, limit: 9, in: transaction),
                    try outbox.due(now: 100, limit: 9, in: transaction),
                    try outbox.count(in: transaction)
                )
            }
            #expect(later.0.map(\.event.subject) == ["s4", "s5"])
            #expect(later.1.map(\.event.subject) == ["s2", "s4", "s5"])
            #expect(later.1.first?.attempts == 1)
            #expect(later.2 == 3)
        }
    }

    @Test func `a parked event is not due, and old events can be trimmed`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let outbox = Outbox()
            let events = (1...3).map(event)
            let left = try await harness.database.write { transaction in
                try outbox.append(events, in: transaction)
                try outbox.postpone(1, until: 0, isParked: true, in: transaction)
                let due = try outbox.due(now: 10, limit: 9, in: transaction)
                try outbox.trim(before: 3, in: transaction)
                return (due.count, try outbox.count(in: transaction))
            }
            #expect(left == (2, 1))
        }
    }
}

@Suite struct CloudEventTests {
    @Test func `the structured form has the attributes of CloudEvents and the data as JSON`() {
        let event = CloudEvent(
            id: UUIDv7(high: 0x0190_0000_0000_7abc, low: 0x8000_0000_0000_0001), source: "/a\"b", type: .instanceStored,
            subject: "studies/1.2", time: 951_782_400_250, partitionKey: "1.2", data: Array("{}".utf8))
        #expect(
            String(decoding: event.structuredJSON, as: UTF8.self)
                == """
                {"specversion":"1.0","id":"01900000-0000-7abc-8000-000000000001","source":"/a\\"b",\
                "type":"gantry.dicom.instance.stored.v1","subject":"studies/1.2","time":"2000-02-29T00:00:00.250Z",\
                "partitionkey":"1.2","datacontenttype":"application/json","data":{}}
                """)
    }

    @Test(arguments: [
        (0 as Int64, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_709_251_199_000, "2024-02-29T23:59:59.000Z"), (4_102_444_800_001, "2100-01-01T00:00:00.001Z"),
    ])
    func `times are written as RFC 3339 in UTC`(milliseconds: Int64, text: String) {
        #expect(CloudEvent.timestamp(milliseconds) == text)
    }

    @Test func `ids begin with the time, carry the version, and differ`() {
        let ids = Set((0..<1000).map { _ in UUIDv7(milliseconds: 0x0190_1234_5678) })
        #expect(ids.count == 1000)
        for id in ids {
            let text = id.description
            #expect(text.hasPrefix("01901234-5678-7"))
            #expect("89ab".contains(text.dropFirst(19).first ?? "x"))
        }
    }

    @Test func `event data is escaped JSON`() {
        var data = EventData()
        data.add("text", "a\"\\\n")
        data.add("number", 5)
        data.add("bytes", hexadecimal: [0, 255])
        #expect(
            String(decoding: data.bytes, as: UTF8.self) == #"{"text":"a\"\\\u000a","number":5,"bytes":"00ff"}"#)
    }
}
