import Access
import SQLStorage

/// Which orders are asked for.
package struct OrderQuery: Hashable, Sendable {
    package var state: OrderState?
    /// Made at this time or later, in milliseconds since 1970.
    package var since: Int64?
    package var limit: Int
    /// Only orders behind this place; the place of the page's last order.
    package var cursor: Int64?

    package init(state: OrderState? = nil, since: Int64? = nil, limit: Int = 100, cursor: Int64? = nil) {
        self.state = state
        self.since = since
        self.limit = limit
        self.cursor = cursor
    }
}

/// Orders, newest first.
package struct OrderPage: Hashable, Sendable {
    package var orders: [Order]
    /// Where the next page begins; `nil` on the last.
    package var next: Int64?
}

extension Orders {
    /// The orders that whoever asks may see.
    package func list(_ query: OrderQuery, for requester: OrderRequester) async throws -> OrderPage {
        let now = clock()
        let conditions = Self.conditions(query, requester.principal)
        return try await database.read { transaction in
            let table = OrderTable(rules, in: transaction)
            var rows = try table.page(where: conditions, limit: query.limit + 1)
            let hasMore = rows.count > query.limit
            if hasMore { rows.removeLast() }
            let orders = try rows.map { row in
                var order = row.order
                // What is due is told as it will be, unless the state was asked for.
                if query.state == nil { _ = try order.advance(to: now, by: rules) }
                return order
            }
            return OrderPage(orders: orders, next: hasMore ? rows.last?.number : nil)
        }
    }

    private static func conditions(_ query: OrderQuery, _ principal: Principal) -> SQLStatement {
        var conditions = [visible(to: principal)]
        if let state = query.state { conditions.append("state = \(state.rawValue)") }
        if let since = query.since { conditions.append("created_at >= \(since)") }
        if let cursor = query.cursor { conditions.append("number < \(cursor)") }
        return conditions.joined(by: " AND ")
    }
}
