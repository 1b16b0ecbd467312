import DICOMCore
import SQLStorage

/// What is known of an order besides its instances: each value with its source, the strongest source first.
package struct OrderMetadata: Hashable, Sendable {
    /// One value.
    package struct Entry: Hashable, Sendable {
        package var name: MetadataName
        package var value: OrderedJSON
        package var source: MetadataSource
        /// In milliseconds since 1970.
        package var changedAt: Int64
    }

    /// The values that count, by name.
    package private(set) var entries: [Entry]

    /// Most values of one order.
    static let limit = 1000

    /// Whether the attribute has a value.
    func has(_ keyword: String) -> Bool {
        entries.contains { if case .attribute(_, keyword) = $0.name { true } else { false } }
    }

    /// Keywords among `required` that have no value.
    func missing(of required: [String]) -> [String] { required.filter { !has($0) } }

    /// The values as one object, names of the sender's own under `custom`.
    package var merged: OrderedJSON { object { $0.value } }

    /// The source of each value, in an object of the same shape.
    package var sources: OrderedJSON { object { .string($0.source.name) } }

    private func object(_ value: (Entry) -> OrderedJSON) -> OrderedJSON {
        var members: [OrderedJSON.Member] = []
        var custom: [OrderedJSON.Member] = []
        for entry in entries {
            switch entry.name {
            case .attribute(_, let keyword): members.append(OrderedJSON.Member(keyword, value(entry)))
            case .custom(let name): custom.append(OrderedJSON.Member(name, value(entry)))
            }
        }
        if !custom.isEmpty { members.append(OrderedJSON.Member("custom", .object(custom))) }
        return .object(members)
    }
}

extension OrderMetadata {
    /// Reads an order's metadata.
    static func read(_ number: Int64, in transaction: any SQLTransaction) throws -> OrderMetadata {
        var entries: [Entry] = []
        try transaction.forEach(
            """
            SELECT name, source, value, changed_at FROM order_metadata WHERE order_number = \(number)
            ORDER BY name, source DESC
            """
        ) { row in
            let name = MetadataName(stored: row.text(0))
            guard entries.last?.name != name, let source = MetadataSource(rawValue: Int(row.int(1))) else { return }
            guard let value = try? OrderedJSON(parsing: Array(row.text(2).utf8)) else {
                throw SQLError(.corrupt, "a value of an order's metadata is no JSON")
            }
            entries.append(Entry(name: name, value: value, source: source, changedAt: row.int(3)))
        }
        return OrderMetadata(entries: entries)
    }

    /// What of a change is not so already: metadata that come twice change nothing the second time.
    static func news(
        in change: MetadataChange, from source: MetadataSource, of number: Int64, in transaction: any SQLTransaction
    ) throws -> MetadataChange {
        var known: [MetadataName: OrderedJSON] = [:]
        try transaction.forEach(
            "SELECT name, value FROM order_metadata WHERE order_number = \(number) AND source = \(source.rawValue)"
        ) { row in
            known[MetadataName(stored: row.text(0))] = try? OrderedJSON(parsing: Array(row.text(1).utf8))
        }
        return change.filtered { name, value in known[name] != value }
    }

    /// Writes values of one source; one that is `nil` is taken away.
    static func write(
        _ change: MetadataChange, from source: MetadataSource, to number: Int64, at time: Int64,
        in transaction: any SQLTransaction
    ) throws {
        for (name, value) in change.values {
            if let value {
                try write(name.stored, value, from: source, to: number, at: time, in: transaction)
            } else {
                try transaction.enqueue(
                    """
                    DELETE FROM order_metadata
                    WHERE order_number = \(number) AND name = \(name.stored) AND source = \(source.rawValue)
                    """)
            }
        }
    }

    /// Writes one value under the name as it is kept.
    static func write(
        _ name: String, _ value: OrderedJSON, from source: MetadataSource, to number: Int64, at time: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.enqueue(
            SQLStatement(
                """
                INSERT INTO order_metadata (order_number, name, source, value, changed_at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (order_number, name, source) DO UPDATE SET value = $4, changed_at = $5
                """,
                [
                    .int(number), .text(name), .int(Int64(source.rawValue)),
                    .text(String(decoding: value.bytes, as: UTF8.self)), .int(time),
                ]))
    }
}
