import Access
package import BlobStorage
package import DICOMCore
package import SQLStorage

/// What senders ask of orders: make, describe, list, cancel, report (uploads.md 3).
///
/// Each request sees what is due by its time as done: no answer depends on whether a timer was quick.
package struct Orders: Sendable {
    let database: any SQLDatabase
    let blobs: any BlobStore
    package let rules: OrderRules
    let eventSource: String
    let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - blobs: Where reports are kept.
    ///   - clock: Milliseconds since 1970.
    package init(
        database: any SQLDatabase, blobs: any BlobStore, rules: OrderRules, eventSource: String = "/gantry",
        clock: @escaping @Sendable () -> Int64
    ) {
        self.database = database
        self.blobs = blobs
        self.rules = rules
        self.eventSource = eventSource
        self.clock = clock
    }

    /// What a new order begins with.
    package struct Draft: Sendable {
        package var metadata: [OrderedJSON.Member] = []
        package var study: UID?
        package var expectedInstances: Int?

        package init() {}
    }

    /// Makes an order.
    package func create(_ draft: Draft, by requester: OrderRequester) async throws -> Order {
        let change = try Self.checked(draft.metadata, below: "/metadata")
        return try await write { transaction, now in
            let owner = OrderOwner(requester.principal)
            let table = OrderTable(rules, in: transaction)
            var order = Order(id: OrderID(), owner: owner, missing: rules.requiredKeywords, time: now)
            order.study = draft.study
            order.expectedInstances = draft.expectedInstances
            if let study = draft.study { order.revision = try table.nextRevision(of: study, owner: owner) }
            order.missing.removeAll { change.sets($0) }
            let row = OrderRow(number: try table.insert(order), order: order)
            try OrderMetadata.write(change, from: .patch, to: row.number, at: now, in: transaction)
            var journal = OrderJournal(source: eventSource)
            journal.note([.created], of: row, at: now, cause: requester.cause)
            journal.noteMetadata(change.pointers, from: .patch, of: row, at: now, cause: requester.cause)
            try journal.write(in: transaction)
            return order
        }
    }

    /// Adds metadata to an order that has not ended.
    package func addMetadata(
        _ members: [OrderedJSON.Member], from source: MetadataSource = .patch, to reference: OrderReference,
        by requester: OrderRequester
    ) async throws -> DescribedOrder {
        let change = try Self.checked(members)
        return try await update(reference, by: requester) { row, journal, now, transaction in
            try Self.requireActive(row.order)
            let known = try OrderMetadata.read(row.number, in: transaction).entries.map(\.name)
            guard Set(known).union(change.values.keys).count <= OrderMetadata.limit else {
                let detail = "An order has at most \(OrderMetadata.limit) values."
                throw OrderError.invalidMetadata([MetadataFault(pointer: "", detail: detail)])
            }
            let news = try OrderMetadata.news(in: change, from: source, of: row.number, in: transaction)
            try OrderMetadata.write(news, from: source, to: row.number, at: now, in: transaction)
            let metadata = try OrderMetadata.read(row.number, in: transaction)
            journal.noteMetadata(news.pointers, from: source, of: row, at: now, cause: requester.cause)
            if row.order.state != .processing { row.order.missing = metadata.missing(of: rules.requiredKeywords) }
            journal.note(try row.order.advance(to: now, by: rules), of: row, at: now, cause: requester.cause)
            return DescribedOrder(order: row.order, metadata: metadata)
        }
    }

    /// Cancels an order that has not ended.
    package func cancel(_ reference: OrderReference, by requester: OrderRequester) async throws -> Order {
        try await update(reference, by: requester) { row, journal, now, _ in
            try Self.requireActive(row.order)
            let occurrence = try row.order.move(to: .cancelled, at: now)
            journal.note([occurrence], of: row, at: now, cause: requester.cause)
            return row.order
        }
    }

    /// The order.
    package func order(_ reference: OrderReference, for requester: OrderRequester) async throws -> Order {
        try await read(reference, for: requester) { row, _ in row.order }
    }

    /// The order with its metadata.
    package func describedOrder(
        _ reference: OrderReference, for requester: OrderRequester
    ) async throws -> DescribedOrder {
        try await read(reference, for: requester) { row, transaction in
            DescribedOrder(order: row.order, metadata: try OrderMetadata.read(row.number, in: transaction))
        }
    }

    /// The order's story.
    package func timeline(_ reference: OrderReference, for requester: OrderRequester) async throws -> OrderTimeline {
        try await read(reference, for: requester) { row, transaction in
            try OrderTimeline.read(row, in: transaction)
        }
    }

    /// Whether an upload that names the order may be offered: throws `notFound`, or `notAllowed` when the order takes no more
    /// instances.
    package func checkTakesUploads(_ id: OrderID, for requester: OrderRequester) async throws {
        let now = clock()
        try await read(.id(id), for: requester) { row, _ in
            guard row.order.takesNamedInstances(at: now, by: rules) else { throw Self.notAllowed(row.order) }
        }
    }

    // MARK: - Transactions

    func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction, _ now: Int64) throws -> T
    ) async throws -> T {
        let clock = clock
        // The time is that at which the transaction has its turn: who waited for another sees what that one left.
        return try await database.write { transaction in try body(transaction, clock()) }
    }

    /// Changes an order: it is locked, what is due is done, and it is written back. The body refuses before it writes.
    func update<T: Sendable>(
        _ reference: OrderReference, by requester: OrderRequester,
        _ body:
            @escaping @Sendable (inout OrderRow, inout OrderJournal, _ now: Int64, any SQLTransaction) throws -> T
    ) async throws -> T {
        // A refusal does not undo what was due: "too late" stays so.
        let result: Result<T, OrderError> = try await write { transaction, _ in
            let table = OrderTable(rules, in: transaction)
            guard var row = try Self.find(reference, for: requester, table, locking: true) else {
                return .failure(.notFound)
            }
            let now = clock()
            var journal = OrderJournal(source: eventSource)
            let due = try row.order.advance(to: now, by: rules)
            journal.note(due, of: row, at: now, cause: .clock)
            let before = (row, journal)
            do {
                let value = try body(&row, &journal, now, transaction)
                try table.update(row)
                try journal.write(in: transaction)
                return .success(value)
            } catch let error as OrderError {
                guard !due.isEmpty else { return .failure(error) }
                try table.update(before.0)
                try before.1.write(in: transaction)
                return .failure(error)
            }
        }
        return try result.get()
    }

    func read<T: Sendable>(
        _ reference: OrderReference, for requester: OrderRequester,
        _ body: @escaping @Sendable (OrderRow, any SQLTransaction) throws -> T
    ) async throws -> T {
        let now = clock()
        return try await database.read { transaction in
            let table = OrderTable(rules, in: transaction)
            guard var row = try Self.find(reference, for: requester, table, locking: false) else {
                throw OrderError.notFound
            }
            // What is due is not written here, but told as it will be.
            _ = try row.order.advance(to: now, by: rules)
            return try body(row, transaction)
        }
    }

    private static func find(
        _ reference: OrderReference, for requester: OrderRequester, _ table: OrderTable, locking: Bool
    ) throws -> OrderRow? {
        let row: OrderRow? =
            switch reference {
            case .id(let id): try table.find(id, locking: locking)
            case .study(let study):
                try table.newest(of: study, where: visible(to: requester.principal), locking: locking)
            }
        guard let row, requester.principal.sees(row.order.owner) else { return nil }
        return row
    }

    /// The condition on the rows that whoever asks may see; the same rule as `Principal.sees`.
    static func visible(to principal: Principal) -> SQLStatement {
        guard let client = principal.client, !principal.scopes.contains(.admin) else { return "1 = 1" }
        guard let organization = principal.organization,
            principal.roles.contains(Principal.organizationAdministrator)
        else { return "client = \(client)" }
        return "(client = \(client) OR organization = \(organization))"
    }

    static func requireActive(_ order: Order) throws(OrderError) {
        guard !order.state.isEnded else { throw notAllowed(order) }
    }

    static func notAllowed(_ order: Order) -> OrderError {
        .notAllowed(state: order.state, failure: order.failure, missing: order.missing)
    }

    /// - Parameter pointer: Where the object is in what was sent.
    private static func checked(
        _ members: [OrderedJSON.Member], below pointer: String = ""
    ) throws(OrderError) -> MetadataChange {
        do {
            return try MetadataChange(members)
        } catch {
            throw .invalidMetadata(
                error.faults.map { MetadataFault(pointer: pointer + $0.pointer, detail: $0.detail) })
        }
    }
}

/// An order with what is known of it.
package struct DescribedOrder: Hashable, Sendable {
    package var order: Order
    package var metadata: OrderMetadata
}
