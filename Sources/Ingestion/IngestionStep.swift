package import SQLStorage

/// Something that areas above put into the pipeline: virtual AE tagging, payloads, order matching.
package protocol IngestionStep: Sendable {
    /// Looks at an instance that passed every check, before it is stored. A cause refuses it.
    func examine(_ instance: CheckedInstance) async throws -> RefusalCause?
    /// Writes the step's own rows for an instance that is stored now, in the transaction that stores it. It may run
    /// again when the transaction is run again.
    func record(_ instance: CheckedInstance, at time: Int64, in transaction: any SQLTransaction) throws
    /// The same for an instance that is held already with the same bytes. It is called again for an instance that is
    /// sent again, also after a crash behind its first commit: what it writes must be the same then.
    func recordHeld(_ instance: CheckedInstance, at time: Int64, in transaction: any SQLTransaction) throws
}

extension IngestionStep {
    package func recordHeld(_ instance: CheckedInstance, at time: Int64, in transaction: any SQLTransaction) throws {}
}
