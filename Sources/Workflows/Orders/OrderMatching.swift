import Access
import Archive
import Audit
import BlobStorage
import DICOMCore
package import Ingestion
package import SQLStorage

/// Puts each instance into its order, in the transaction that stores it (uploads.md 3).
///
/// It joins the order that the sender named, else the active one of its study, else a new one that belongs to the sender.
package struct OrderMatching: IngestionStep {
    private let rules: OrderRules
    private let eventSource: String

    package init(rules: OrderRules, eventSource: String = "/gantry") {
        self.rules = rules
        self.eventSource = eventSource
    }

    package func examine(_ instance: CheckedInstance) async throws -> RefusalCause? { nil }

    package func record(_ instances: [RecordedInstance], in transaction: any SQLTransaction) throws {
        var session = MatchingSession(rules: rules, eventSource: eventSource, in: transaction)
        for instance in instances { try session.add(instance) }
        try session.finish()
    }
}

/// One transaction's worth of matching: each order is read once and written once.
private struct MatchingSession {
    /// Whose study it is.
    private struct Key: Hashable {
        var owner: String
        var study: UID
    }

    /// An order at work.
    private struct Work {
        /// 0 until the order has its row.
        var number: Int64
        var order: Order
        var occurrences: [(OrderOccurrence, OrderJournal.Cause, Int64)] = []
        /// What arrived for an order that has no row yet.
        var arrivals: [UID: OrderInstances.Arrival] = [:]
        /// What headers told, for an order that has no row yet.
        var metadata: [(name: String, value: String, source: MetadataSource)] = []
        var isChanged = false
    }

    private let rules: OrderRules
    private let requiredKeywords: [String]
    private let transaction: any SQLTransaction
    private let table: OrderTable
    private var journal: OrderJournal
    private var works: [Work] = []
    private var active: [Key: Int?] = [:]
    private var named: [OrderID: Int?] = [:]

    init(rules: OrderRules, eventSource: String, in transaction: any SQLTransaction) {
        self.rules = rules
        requiredKeywords = rules.requiredKeywords
        self.transaction = transaction
        table = OrderTable(rules, in: transaction)
        journal = OrderJournal(source: eventSource)
    }

    mutating func add(_ recorded: RecordedInstance) throws {
        let origin = recorded.instance.origin
        let study = recorded.instance.identity.study
        let cause = OrderJournal.Cause(
            actor: AuditEvent.Actor(origin), door: origin.door.rawValue, requestID: origin.requestID)
        if let position = try namedOrder(of: recorded, cause) {
            return try join(position, recorded, cause)
        }
        let owner = OrderOwner(origin.principal)
        let key = Key(owner: owner.key, study: study)
        if let position = try newestOrder(of: study, owner, key, cause, now: recorded.time) {
            if works[position].order.takesInstances(at: recorded.time, by: rules) {
                // What was held already disturbs nobody.
                guard recorded.fate != .identical else { return }
                return try join(position, recorded, cause)
            }
            // Sent again because the order had failed: that is a new try. Otherwise it is there, and was processed.
            guard recorded.fate != .identical || works[position].order.state.isFailure else { return }
        }
        guard rules.makesOrders else { return }
        try join(try begin(study, owner, key, cause, at: recorded.time), recorded, cause)
    }

    // MARK: - Which order

    private mutating func namedOrder(of recorded: RecordedInstance, _ cause: OrderJournal.Cause) throws -> Int? {
        let origin = recorded.instance.origin
        guard let id = origin.orderID.flatMap(OrderID.init) else { return nil }
        let position: Int?
        if let known = named[id] {
            position = known
        } else {
            position = try table.find(id, locking: true).map { try enter($0, cause, now: recorded.time) }
            named[id] = .some(position)
        }
        guard let position else { return nil }
        let order = works[position].order
        guard origin.principal.sees(order.owner), order.takesNamedInstances(at: recorded.time, by: rules),
            order.study == nil || order.study == recorded.instance.identity.study
        else { return nil }
        return position
    }

    /// The newest order of the study that takes instances, else the newest.
    private mutating func newestOrder(
        of study: UID, _ owner: OrderOwner, _ key: Key, _ cause: OrderJournal.Cause, now: Int64
    ) throws -> Int? {
        if let known = active[key] { return known }
        var positions: [Int] = []
        for row in try table.newest(of: study, owner: owner, locking: true) {
            positions.append(try enter(row, cause, now: now))
        }
        let position =
            positions.first { works[$0].order.takesInstances(at: now, by: rules) } ?? positions.first
        active[key] = .some(position)
        return position
    }

    /// Takes an order to work. What is due happens first, so that a late timer changes nothing.
    private mutating func enter(_ row: OrderRow, _ cause: OrderJournal.Cause, now: Int64) throws -> Int {
        if let known = works.firstIndex(where: { $0.number == row.number }) { return known }
        var work = Work(number: row.number, order: row.order)
        let due = try work.order.advance(to: now, by: rules)
        work.occurrences = due.map { ($0, .clock, now) }
        work.isChanged = !due.isEmpty
        works.append(work)
        return works.count - 1
    }

    private mutating func begin(
        _ study: UID, _ owner: OrderOwner, _ key: Key, _ cause: OrderJournal.Cause, at time: Int64
    ) throws -> Int {
        var order = Order(id: OrderID(), owner: owner, missing: requiredKeywords, time: time)
        order.study = study
        order.isImplicit = true
        let isFirst = (active[key] ?? nil) == nil
        order.revision = isFirst ? 1 : try table.nextRevision(of: study, owner: owner)
        // It is made by its first instance: one piece of news, not two.
        _ = try order.receive(at: time, by: rules)
        works.append(Work(number: 0, order: order, occurrences: [(.created, cause, time)], isChanged: true))
        active[key] = .some(works.count - 1)
        return works.count - 1
    }

    // MARK: - Joining

    private mutating func join(
        _ position: Int, _ recorded: RecordedInstance, _ cause: OrderJournal.Cause
    ) throws {
        let instance = recorded.instance
        let uid = instance.identity.instance
        let arrival = OrderInstances.Arrival(
            digest: instance.blob.digest, length: instance.blob.length, time: recorded.time)
        let isFirst: Bool
        if works[position].number == 0 {
            isFirst = works[position].arrivals.updateValue(arrival, forKey: uid) == nil
        } else {
            let instances = OrderInstances(transaction: transaction)
            if recorded.fate == .identical, try instances.contains(uid, in: works[position].number) { return }
            isFirst = try instances.add(uid, arrival, to: works[position].number)
        }
        try update(position, recorded, isFirst: isFirst, cause)
    }

    private mutating func update(
        _ position: Int, _ recorded: RecordedInstance, isFirst: Bool, _ cause: OrderJournal.Cause
    ) throws {
        let study = recorded.instance.identity.study
        if works[position].order.study == nil {
            let owner = works[position].order.owner
            works[position].order.revision = try table.nextRevision(of: study, owner: owner)
            works[position].order.study = study
            active[Key(owner: owner.key, study: study)] = .some(position)
        } else if works[position].order.revision == 0 {
            works[position].order.revision = try table.nextRevision(of: study, owner: works[position].order.owner)
        }
        if isFirst { works[position].order.instances += 1 } else { works[position].order.replacements += 1 }
        let occurrences = try works[position].order.receive(at: recorded.time, by: rules)
        works[position].occurrences += occurrences.map { ($0, cause, recorded.time) }
        works[position].isChanged = true
        try takeMetadata(position, recorded)
    }

    /// Looks into the header for what is missing, and only for that.
    private mutating func takeMetadata(_ position: Int, _ recorded: RecordedInstance) throws {
        guard !works[position].order.missing.isEmpty, !works[position].order.state.isEnded else { return }
        let dataSet = recorded.instance.file.dataSet
        for name in works[position].order.missing {
            guard let (value, source) = HeaderMetadata.value(of: name, in: dataSet) else { continue }
            works[position].order.missing.removeAll { $0 == name }
            if works[position].number == 0 {
                works[position].metadata.append((name, value, source))
            } else {
                try OrderMetadata.write(
                    name, .string(value), from: source, to: works[position].number, at: recorded.time, in: transaction)
            }
        }
    }

    // MARK: - Writing

    mutating func finish() throws {
        for position in works.indices where works[position].isChanged {
            let now = works[position].order.times.lastInstance ?? works[position].order.times.created
            // With the last of the instances that were announced it is complete at once.
            let due = try works[position].order.advance(to: now, by: rules)
            works[position].occurrences += due.map { ($0, .clock, now) }
            try write(position)
            let row = OrderRow(number: works[position].number, order: works[position].order)
            for (occurrence, cause, time) in works[position].occurrences {
                journal.note([occurrence], of: row, at: time, cause: cause)
            }
        }
        try journal.write(in: transaction)
    }

    private mutating func write(_ position: Int) throws {
        let work = works[position]
        guard work.number == 0 else { return try table.update(OrderRow(number: work.number, order: work.order)) }
        let number = try table.insert(work.order)
        works[position].number = number
        let instances = OrderInstances(transaction: transaction)
        for (uid, arrival) in work.arrivals { _ = try instances.add(uid, arrival, to: number) }
        for (name, value, source) in work.metadata {
            try OrderMetadata.write(
                name, .string(value), from: source, to: number, at: work.order.times.created, in: transaction)
        }
    }
}

extension OrderState {
    /// Whether it ended without a result.
    fileprivate var isFailure: Bool { self == .failed || self == .cancelled }
}
