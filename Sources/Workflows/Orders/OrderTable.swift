import DICOMCore
import SQLStorage

/// An order with its row's key.
struct OrderRow: Sendable {
    let number: Int64
    var order: Order
}

/// Reads and writes the rows of orders, inside the caller's transaction.
struct OrderTable {
    let rules: OrderRules
    let transaction: any SQLTransaction

    init(_ rules: OrderRules, in transaction: any SQLTransaction) {
        self.rules = rules
        self.transaction = transaction
    }

    private static let columns: StaticString = """
        number, id, client, organization, study, revision, state, failure, missing, expected, instances, replacements,
        is_implicit, created_at, first_instance_at, last_instance_at, complete_at, processing_at, ended_at,
        metadata_deadline, is_warned
        """

    /// The order of this name.
    ///
    /// - Parameter locking: Whether it is about to be changed.
    func find(_ id: OrderID, locking: Bool) throws -> OrderRow? {
        try first("WHERE id = \(id.rawValue)", locking: locking)
    }

    /// The newest orders of a study that belong to the owner, newest first.
    func newest(of study: UID, owner: OrderOwner, locking: Bool) throws -> [OrderRow] {
        let lock: StaticString = locking ? transaction.dialect.locking : ""
        return try transaction.rows(
            """
            SELECT \(raw: Self.columns) FROM orders WHERE study = \(study.string) AND owner = \(owner.key)
            ORDER BY number DESC LIMIT 8\(raw: lock)
            """, Self.row)
    }

    /// The newest order of a study that fulfils a condition.
    func newest(of study: UID, where condition: SQLStatement, locking: Bool) throws -> OrderRow? {
        try first("WHERE study = \(study.string) AND \(condition) ORDER BY number DESC LIMIT 1", locking: locking)
    }

    /// Orders that fulfil a condition, newest first.
    func page(where condition: SQLStatement, limit: Int) throws -> [OrderRow] {
        try transaction.rows(
            "SELECT \(raw: Self.columns) FROM orders WHERE \(condition) ORDER BY number DESC LIMIT \(limit)", Self.row)
    }

    /// Orders for which something is due, the longest overdue first; none that another process has in its hands.
    func due(by now: Int64, limit: Int) throws -> [OrderRow] {
        try transaction.rows(
            """
            SELECT \(raw: Self.columns) FROM orders WHERE due_at <= \(now) ORDER BY due_at LIMIT \(limit)\(raw: transaction.dialect.skippingLocked)
            """, Self.row)
    }

    private func first(_ condition: SQLStatement, locking: Bool) throws -> OrderRow? {
        let lock: StaticString = locking ? transaction.dialect.locking : ""
        return try transaction.first(
            "SELECT \(raw: Self.columns) FROM orders \(condition)\(raw: lock)", Self.row)
    }

    /// Writes a new order. Returns its row's key.
    func insert(_ order: Order) throws -> Int64 {
        let number = try transaction.first(
            SQLStatement(
                """
                INSERT INTO orders (id, owner, client, organization, study, revision, state, failure, missing, expected,
                    instances, replacements, is_implicit, created_at, first_instance_at, last_instance_at, complete_at,
                    processing_at, ended_at, metadata_deadline, is_warned, due_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
                RETURNING number
                """,
                [
                    .text(order.id.rawValue), .text(order.owner.key), order.owner.client.sqlValue,
                    order.owner.organization.sqlValue,
                ] + values(order).prefix(8) + [order.isImplicit.sqlValue, .int(order.times.created)]
                    + values(order).suffix(8))
        ) { $0.int(0) }
        guard let number else { throw SQLError(.other, "a new order got no number") }
        return number
    }

    /// Writes what may change of an order.
    func update(_ row: OrderRow) throws {
        try transaction.enqueue(
            SQLStatement(
                """
                UPDATE orders SET study = $1, revision = $2, state = $3, failure = $4, missing = $5, expected = $6,
                    instances = $7, replacements = $8, first_instance_at = $9, last_instance_at = $10, complete_at = $11,
                    processing_at = $12, ended_at = $13, metadata_deadline = $14, is_warned = $15, due_at = $16
                WHERE number = $17
                """,
                values(row.order) + [.int(row.number)]))
    }

    /// What may change: eight values about its contents, eight about its times.
    private func values(_ order: Order) -> [SQLValue] {
        [
            order.study.map(\.string).sqlValue, order.revision.sqlValue, .text(order.state.rawValue),
            order.failure.map(\.rawValue).sqlValue, .text(order.missing.joined(separator: ",")),
            order.expectedInstances.sqlValue, order.instances.sqlValue, order.replacements.sqlValue,
            order.times.firstInstance.sqlValue, order.times.lastInstance.sqlValue, order.times.complete.sqlValue,
            order.times.processing.sqlValue, order.times.ended.sqlValue, order.metadataDeadline.sqlValue,
            order.isWarned.sqlValue, order.due(by: rules).sqlValue,
        ]
    }

    /// The number that the next order of a study gets.
    func nextRevision(of study: UID, owner: OrderOwner) throws -> Int {
        let last = try transaction.firstInt(
            "SELECT MAX(revision) FROM orders WHERE study = \(study.string) AND owner = \(owner.key)")
        return Int(last ?? 0) + 1
    }

    private static func row(_ row: any SQLRow) throws -> OrderRow {
        guard let id = OrderID(rawValue: row.text(1)), let state = OrderState(rawValue: row.text(6)) else {
            throw SQLError(.corrupt, "an order's row has no id or no state of ours")
        }
        var order = Order(
            id: id, owner: OrderOwner(client: row.optionalText(2), organization: row.optionalText(3)),
            missing: row.text(8).split(separator: ",").map(String.init), time: row.int(13))
        order.study = row.optionalText(4).flatMap { UID($0) }
        order.revision = Int(row.int(5))
        order.state = state
        order.failure = row.optionalText(7).flatMap(Order.Failure.init)
        order.expectedInstances = row.optionalInt(9).map(Int.init)
        order.instances = Int(row.int(10))
        order.replacements = Int(row.int(11))
        order.isImplicit = row.bool(12)
        order.times.firstInstance = row.optionalInt(14)
        order.times.lastInstance = row.optionalInt(15)
        order.times.complete = row.optionalInt(16)
        order.times.processing = row.optionalInt(17)
        order.times.ended = row.optionalInt(18)
        order.metadataDeadline = row.optionalInt(19)
        order.isWarned = row.bool(20)
        return OrderRow(number: row.int(0), order: order)
    }
}
