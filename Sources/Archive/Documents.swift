import SQLStorage

/// Rows of `instance_documents`.
enum Documents {
    /// The document, or template, of this number.
    static func read(_ id: Int64, in transaction: any SQLTransaction) throws -> AttributeFragments? {
        try transaction.first("SELECT document FROM instance_documents WHERE id = \(id)") {
            AttributeFragments(decoding: $0.bytes(0))
        }
    }
}
