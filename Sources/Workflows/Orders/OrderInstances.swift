import DICOMCore
import SQLStorage

/// What arrived for an order: each instance once, with the digest of the bytes that came last.
struct OrderInstances {
    let transaction: any SQLTransaction

    /// One instance that arrived.
    struct Arrival {
        var digest: [UInt8]
        var length: Int
        var time: Int64
    }

    /// Notes that an instance arrived. Whether it is the first time.
    func add(_ instance: UID, _ arrival: Arrival, to number: Int64) throws -> Bool {
        let inserted = try transaction.execute(
            SQLStatement(
                """
                INSERT INTO order_instances (order_number, instance, digest, length, received_at)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING
                """,
                [
                    .int(number), .text(instance.string), .bytes(arrival.digest), .int(Int64(arrival.length)),
                    .int(arrival.time),
                ]))
        guard inserted == 0 else { return true }
        try transaction.enqueue(
            """
            UPDATE order_instances SET digest = \(arrival.digest), length = \(arrival.length), received_at = \(arrival.time)
            WHERE order_number = \(number) AND instance = \(instance.string)
            """)
        return false
    }

    /// Whether the instance is in the order.
    func contains(_ instance: UID, in number: Int64) throws -> Bool {
        try transaction.exists(
            "SELECT 1 FROM order_instances WHERE order_number = \(number) AND instance = \(instance.string)")
    }
}
