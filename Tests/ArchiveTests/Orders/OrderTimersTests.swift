import GantryTesting
import Messaging
import SQLStorage
import Testing

@testable import Workflows

@Suite(.onEveryDatabase, .namingTheDatabase) struct OrderTimersTests {
    @Test(arguments: [(Int64(59_999), OrderState.receiving), (60_000, .processing), (60_001, .processing)])
    func `a study is complete when it was quiet for a minute`(after: Int64, state: OrderState) async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete())
            try await orders.pass(after)
            #expect(try await orders.only().state == state)
        }
    }

    @Test func `every instance begins the quiet period again`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete(instance: 1))
            try await orders.pass(59_999)
            await orders.store(.complete(instance: 2))
            try await orders.pass(59_999)
            #expect(try await orders.only().state == .receiving)
            try await orders.pass(1)
            #expect(try await orders.only().state == .processing)
            #expect(try await orders.orderEvents() == ["created", "complete", "processing", "ready"])
        }
    }

    @Test func `the workflow request tells the study and its instances, and nothing of the patient`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete())
            try await orders.pass(60_000)
            let ready = try #require(try await orders.events().last)
            #expect(ready.type == .orderReady && ready.partitionKey == TestInstance.complete().studyUID)
            let data = try OrderedJSON(parsing: ready.data)
            #expect(data["orderID"]?.text == (try await orders.only().id.rawValue))
            #expect(data["instances"] == 1 && data["revision"] == 1 && data["state"] == "processing")
            let text = try await orders.events().map { String(decoding: $0.data, as: UTF8.self) }.joined()
            for secret in ["Smith", "P1", "19700102", "054Y"] { #expect(!text.contains(secret)) }
        }
    }

    @Test(arguments: [(Int64(899_999), OrderState.complete), (900_000, .failed), (900_001, .failed)])
    func `an order without its metadata fails at its deadline`(after: Int64, state: OrderState) async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            try await orders.pass(after)
            let order = try await orders.only()
            #expect(order.state == state && order.missing == ["PatientAge", "PatientSex"])
            #expect(order.failure == (state == .failed ? .metadataMissing : nil))
        }
    }

    @Test func `it says so five minutes before, once`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            try await orders.pass(599_999)
            #expect(try await orders.orderEvents() == ["created", "complete"])
            try await orders.pass(1)
            try await orders.pass(1)
            #expect(try await orders.orderEvents() == ["created", "complete", "expiring"])
            try await orders.pass(300_000)
            #expect(try await orders.orderEvents() == ["created", "complete", "expiring", "failed"])
            let failed = try OrderedJSON(parsing: try #require(try await orders.events().last).data)
            #expect(failed["reason"] == "metadata-missing" && failed["missing"] == "PatientAge,PatientSex")
        }
    }

    @Test func `an order that still receives fails all the same`() async throws {
        try await OrderHarness.run { (orders) async throws in
            for number in 1...19 {
                await orders.store(.bare(instance: number))
                try await orders.pass(50_000)
            }
            #expect(try await orders.all().map(\.state) == [.failed, .receiving])
        }
    }

    @Test func `who has its metadata is not warned and does not fail`() async throws {
        try await OrderHarness.run { (orders) async throws in
            var draft = Orders.Draft()
            draft.metadata = [.init("patient_age", "030Y"), .init("patientSex", "M")]
            let made = try await orders.orders.create(draft, by: OrderHarness.anonymous)
            await orders.store(.bare(), order: made.id)
            try await orders.pass(2_000_000)
            #expect(try await orders.only().state == .processing)
            #expect(try await orders.orderEvents() == ["created", "receiving", "complete", "processing", "ready"])
        }
    }

    @Test func `an order for which nothing comes is given up`() async throws {
        var rules = OrderRules()
        rules.abandonAfter = 3_600_000
        try await OrderHarness.run(rules) { (orders) async throws in
            var draft = Orders.Draft()
            draft.expectedInstances = 2
            let empty = try await orders.orders.create(draft, by: OrderHarness.anonymous)
            let half = try await orders.orders.create(draft, by: OrderHarness.anonymous)
            try await orders.pass(1_800_000)
            await orders.store(.complete(), order: half.id)
            try await orders.pass(1_799_999)
            #expect(try await orders.all().map(\.state) == [.created, .receiving])
            try await orders.pass(1)
            #expect(try await orders.all().map(\.state) == [.failed, .receiving])
            try await orders.pass(1_800_000)
            #expect(try await orders.all().map(\.failure) == [.abandoned, .abandoned])
            #expect(try await orders.all().map(\.id) == [empty.id, half.id])
        }
    }

    // MARK: - Races, restarts, clocks

    @Test func `what was due while nobody looked is done at the next start, in order`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete(study: 1))
            await orders.store(.bare(study: 2))
            orders.clock.advance(by: 5_000_000)
            // Another process, which never saw the orders being made.
            let database = try await orders.openAgain()
            #expect(try await OrderHarness.timers(database, orders.rules, orders.clock).fire() == 2)
            #expect(try await OrderHarness.timers(database, orders.rules, orders.clock).fire() == 0)
            try await database.close()
            #expect(try await orders.all().map(\.state) == [.processing, .failed])
            // Nobody is warned of what has happened already.
            #expect(
                try await orders.orderEvents() == [
                    "created", "created", "complete", "processing", "ready", "complete", "failed",
                ])
        }
    }

    @Test(arguments: [Int64(899_999), 900_000])
    func `metadata and deadline have one outcome, whoever is first`(at time: Int64) async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            try await orders.pass(60_000)
            let id = try await orders.only().id
            orders.clock.advance(by: time - 60_000)
            let other = try await orders.openAgain()
            let timers = OrderHarness.timers(other, orders.rules, orders.clock)
            async let fired = timers.fire()
            let patched: Bool
            do {
                _ = try await orders.orders.addMetadata(
                    [.init("PatientAge", "045Y"), .init("PatientSex", "F")], to: .id(id), by: OrderHarness.anonymous)
                patched = true
            } catch OrderError.notAllowed(let state, let failure, _) {
                #expect(state == .failed && failure == .metadataMissing)
                patched = false
            }
            _ = try await fired
            try await other.close()
            let events = try await orders.orderEvents()
            #expect(patched == (time < 900_000))
            #expect(events.count { $0 == "failed" } == (patched ? 0 : 1))
            #expect(events.count { $0 == "ready" } == (patched ? 1 : 0))
            #expect(try await orders.only().state == (patched ? .processing : .failed))
        }
    }

    @Test func `several processes share what is due, each with one effect`() async throws {
        try await OrderHarness.run { (orders) async throws in
            for study in 1...600 { await orders.store(.complete(study: study)) }
            orders.clock.advance(by: 60_000)
            var others: [any SQLDatabase] = []
            for _ in 0..<3 { others.append(try await orders.openAgain()) }
            let done = try await withThrowingTaskGroup(of: Int.self) { group in
                for database in others {
                    group.addTask { try await OrderHarness.timers(database, orders.rules, orders.clock).fire() }
                }
                return try await group.reduce(0, +)
            }
            for database in others { try await database.close() }
            #expect(done == 600)
            let events = try await orders.orderEvents()
            for type in ["created", "complete", "processing", "ready"] {
                #expect(events.count { $0 == type } == 600, "\(type)")
            }
            #expect(try await orders.audit().count == 1800)
        }
    }

    @Test func `a clock that is set back fails nobody early and one that is set ahead loses nothing`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare(instance: 1))
            orders.clock.advance(by: -3_600_000)
            await orders.store(.bare(instance: 2))
            try await orders.pass(0)
            #expect(try await orders.only().state == .receiving)
            // Back at the right time: the quiet period counts from the latest time that was seen.
            try await orders.pass(3_600_000 + 59_999)
            #expect(try await orders.only().state == .receiving)
            try await orders.pass(1)
            #expect(try await orders.only().state == .complete)
            try await orders.pass(3_600_000)
            #expect(try await orders.only().state == .failed)
        }
    }

    @Test func `ten thousand that are due at once are done in batches`() async throws {
        try await OrderHarness.run { (orders) async throws in
            try await orders.database.write { transaction in
                let table = OrderTable(orders.rules, in: transaction)
                for number in 0..<10_000 {
                    var order = Order(
                        id: OrderID(), owner: OrderOwner(client: "c\(number % 7)", organization: nil),
                        missing: ["PatientAge"], time: OrderHarness.start)
                    _ = try order.receive(at: OrderHarness.start, by: orders.rules)
                    _ = try table.insert(order)
                }
            }
            orders.clock.advance(by: 900_000)
            #expect(try await orders.timers.fire() == 10_000)
            #expect(try await orders.orderEvents().count { $0 == "failed" } == 10_000)
            let left = try await orders.database.read {
                try $0.firstInt("SELECT COUNT(*) FROM orders WHERE due_at IS NOT NULL OR state <> 'failed'")
            }
            #expect(left == 0)
        }
    }
}
