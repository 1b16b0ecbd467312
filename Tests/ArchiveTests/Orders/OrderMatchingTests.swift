import Archive
import Audit
import DICOMCore
import GantryTesting
import Ingestion
import Testing

@testable import Workflows

@Suite(.onEveryDatabase, .namingTheDatabase) struct OrderMatchingTests {
    @Test func `a study without an order makes its own, owned by its sender`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let sender = OrderHarness.principal("a", of: "clinic")
            for number in 1...3 { await orders.store(.complete(instance: number), by: sender) }
            let order = try await orders.only()
            #expect(order.state == .receiving && order.instances == 3 && order.revision == 1)
            #expect(order.owner == OrderOwner(client: "a", organization: "clinic"))
            #expect(order.study?.string == TestInstance.complete().studyUID)
            #expect(try await orders.orderEvents() == ["created"])
            let audit = try await orders.audit()
            #expect(audit.count == 1 && audit[0].action == .create && audit[0].actor.client == "a")
            #expect(audit[0].details["order"] == order.id.rawValue && audit[0].study == order.study?.string)
        }
    }

    @Test func `studies do not share an order, nor do owners`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete(study: 1), by: OrderHarness.principal("a"))
            await orders.store(.complete(study: 2), by: OrderHarness.principal("a"))
            await orders.store(.complete(study: 1, instance: 2), by: OrderHarness.principal("b"))
            #expect(try await orders.all().map(\.owner.client) == ["a", "a", "b"])
        }
    }

    @Test func `clients of one organization share the order of a study`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete(instance: 1), by: OrderHarness.principal("a", of: "clinic"))
            await orders.store(.complete(instance: 2), by: OrderHarness.principal("b", of: "clinic"))
            #expect(try await orders.only().instances == 2)
        }
    }

    @Test func `an instance joins the order that it names`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let made = try await orders.orders.create(Orders.Draft(), by: OrderHarness.anonymous)
            await orders.store(.complete(), order: made.id)
            let order = try await orders.only()
            #expect(order.id == made.id && order.state == .receiving && order.revision == 1)
            #expect(try await orders.orderEvents() == ["created", "receiving"])
        }
    }

    @Test func `an order that was named is the one that later instances of its study join`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let made = try await orders.orders.create(Orders.Draft(), by: OrderHarness.anonymous)
            await orders.store(.complete(), order: made.id)
            await orders.store(.complete(instance: 2))
            #expect(try await orders.only().instances == 2)
        }
    }

    @Test func `an order of somebody else, of another study or that is ended is not joined`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let a = OrderRequester(principal: OrderHarness.principal("a"))
            let b = OrderHarness.principal("b")
            let foreign = try await orders.orders.create(Orders.Draft(), by: a)
            await orders.store(.complete(study: 1), by: b, order: foreign.id)
            #expect(try await orders.orders.order(.id(foreign.id), for: a).state == .created)

            let other = try await orders.orders.create(Orders.Draft(), by: OrderRequester(principal: b))
            await orders.store(.complete(study: 2), by: b, order: other.id)
            await orders.store(.complete(study: 3), by: b, order: other.id)
            #expect(try await orders.orders.order(.id(other.id), for: OrderRequester(principal: b)).instances == 1)

            let ended = try await orders.orders.create(Orders.Draft(), by: a)
            _ = try await orders.orders.cancel(.id(ended.id), by: a)
            await orders.store(.complete(study: 4), by: a.principal, order: ended.id)
            #expect(try await orders.orders.order(.id(ended.id), for: a).state == .cancelled)
            #expect(try await orders.all().count == 6)
        }
    }

    @Test func `a name that is no order's loses no instance`() async throws {
        try await OrderHarness.run { (orders) async throws in
            let outcome = await orders.store(.complete(), order: OrderID())
            if case .refused = outcome { Issue.record("the instance was refused") }
            #expect(try await orders.only().instances == 1)
        }
    }

    // MARK: - Duplicates

    @Test func `an identical instance disturbs nothing`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete())
            let before = try await orders.only()
            orders.clock.advance(by: 30_000)
            await orders.store(.complete())
            #expect(try await orders.only() == before)
            #expect(try await orders.orderEvents() == ["created"])
        }
    }

    @Test func `an identical instance joins an order that it names`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete())
            var draft = Orders.Draft()
            draft.expectedInstances = 1
            let made = try await orders.orders.create(draft, by: OrderHarness.anonymous)
            await orders.store(.complete(), order: made.id)
            await orders.store(.complete(), order: made.id)
            let order = try await orders.orders.order(.id(made.id), for: OrderHarness.anonymous)
            #expect(order.instances == 1 && order.state == .processing && order.replacements == 0)
        }
    }

    @Test func `a replaced instance counts once, and the receipt has its last bytes`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete(instance: 1))
            await orders.store(.complete(instance: 2))
            let first = try await orders.orders.receipt(.id(orders.only().id), for: OrderHarness.anonymous)
            await orders.store(TestInstance.complete(instance: 1).altered)
            let order = try await orders.only()
            #expect(order.instances == 2 && order.replacements == 1)
            let second = try await orders.orders.receipt(.id(order.id), for: OrderHarness.anonymous)
            #expect(first.instances.map(\.instance) == second.instances.map(\.instance))
            #expect(first.instances[0].digest != second.instances[0].digest)
            #expect(first.instances[1].digest == second.instances[1].digest)
        }
    }

    @Test func `a study that is sent again after its order failed is a new try`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            try await orders.pass(900_000)
            #expect(try await orders.only().state == .failed)
            await orders.store(.bare())
            let all = try await orders.all()
            #expect(all.map(\.state) == [.failed, .receiving] && all.map(\.revision) == [1, 2])
            #expect(all[1].instances == 1)
        }
    }

    // MARK: - The overwrite window

    /// Milliseconds behind the first instance, and whether the order is still the same. The last millisecond of the
    /// window is inside.
    @Test(arguments: [(Int64(299_900), true), (300_000, true), (300_001, false), (300_100, false)])
    func `a study that comes again within the window stays the same order and is processed once`(
        after: Int64, isSame: Bool
    ) async throws {
        try await OrderHarness.run(duplicates: .replace) { (orders) async throws in
            await orders.store(.complete())
            try await orders.pass(60_000)
            #expect(try await orders.only().state == .processing)
            orders.clock.advance(by: after - 60_000)
            await orders.store(TestInstance.complete().altered)
            try await orders.pass(60_000)
            let all = try await orders.all()
            #expect(all.map(\.revision) == (isSame ? [1] : [1, 2]))
            #expect(all.map(\.state) == (isSame ? [.processing] : [.processing, .processing]))
            #expect(all[0].replacements == (isSame ? 1 : 0))
            #expect(try await orders.orderEvents().count { $0 == "ready" } == (isSame ? 1 : 2))
        }
    }

    @Test(arguments: [(Int64(299_900), true), (300_000, true), (300_100, false)])
    func `the window counts also where new instances come after the study was complete`(
        after: Int64, isSame: Bool
    ) async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            try await orders.pass(after)
            #expect(try await orders.only().state == .complete)
            await orders.store(.bare(instance: 2))
            #expect(try await orders.all().count == (isSame ? 1 : 2))
            #expect(try await orders.all().last?.state == .receiving)
        }
    }

    @Test func `while instances still come the window does not matter`() async throws {
        try await OrderHarness.run { (orders) async throws in
            for number in 1...8 {
                await orders.store(.complete(instance: number))
                try await orders.pass(50_000)
            }
            #expect(try await orders.only().instances == 8)
        }
    }

    @Test func `an instance sees what was due before it came, also when no timer has fired`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.complete())
            // The server did nothing for six minutes: the study was complete after one.
            orders.clock.advance(by: 360_000)
            await orders.store(.complete(instance: 2))
            #expect(try await orders.all().map(\.state) == [.processing, .receiving])
            #expect(try await orders.orderEvents() == ["created", "complete", "processing", "ready", "created"])
        }
    }

    @Test func `instances that come late open a complete order again`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await orders.store(.bare())
            try await orders.pass(60_000)
            await orders.store(.bare(instance: 2))
            #expect(try await orders.only().state == .receiving)
            _ = try await orders.orders.addMetadata(
                [.init("PatientAge", "045Y"), .init("PatientSex", "F")], to: .id(orders.only().id),
                by: OrderHarness.anonymous)
            #expect(try await orders.only().state == .receiving)
            try await orders.pass(60_000)
            #expect(try await orders.only().state == .processing)
            let entries = try await orders.orders.timeline(.id(orders.only().id), for: OrderHarness.anonymous).entries
            #expect(
                entries.map(\.kind) == [
                    .created, .firstInstance, .lastInstance, .reopened, .metadata, .complete, .processing,
                ])
        }
    }

    // MARK: - The announced number

    @Test func `an order that says how many there are is complete with the last of them`() async throws {
        try await OrderHarness.run { (orders) async throws in
            var draft = Orders.Draft()
            draft.expectedInstances = 3
            let made = try await orders.orders.create(draft, by: OrderHarness.anonymous)
            await orders.store(.complete(instance: 1), order: made.id)
            await orders.store(.complete(instance: 2), order: made.id)
            // A second time is not a third instance, and quiet does not complete it.
            await orders.store(TestInstance.complete(instance: 2).altered, order: made.id)
            try await orders.pass(120_000)
            #expect(try await orders.only().state == .receiving)
            await orders.store(.complete(instance: 3), order: made.id)
            #expect(try await orders.only().state == .processing)
            #expect(
                try await orders.orderEvents() == ["created", "receiving", "complete", "processing", "ready"])
        }
    }

    @Test func `instances of one request are counted exactly, however they are committed`() async throws {
        try await OrderHarness.run { (orders) async throws in
            await withTaskGroup(of: Void.self) { group in
                for number in 1...60 {
                    group.addTask { await orders.store(.complete(study: number % 3 + 1, instance: number % 20 + 1)) }
                }
            }
            let all = try await orders.all()
            #expect(all.count == 3 && all.allSatisfy { $0.replacements == 0 })
            #expect(all.map(\.instances).reduce(0, +) == 60)
            #expect(try await orders.orderEvents() == ["created", "created", "created"])
        }
    }

    @Test func `with orders for those who make them alone, others make none`() async throws {
        var rules = OrderRules()
        rules.makesOrders = false
        try await OrderHarness.run(rules) { (orders) async throws in
            await orders.store(.complete(study: 1))
            let made = try await orders.orders.create(Orders.Draft(), by: OrderHarness.anonymous)
            await orders.store(.complete(study: 2), order: made.id)
            #expect(try await orders.only().id == made.id)
        }
    }
}
