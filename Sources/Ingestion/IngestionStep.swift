package import SQLStorage

/// Something that areas above put into the pipeline: virtual AE tagging, payloads, order matching.
package protocol IngestionStep: Sendable {
    /// Looks at an instance that passed every check, before it is stored. A cause refuses it.
    func examine(_ instance: CheckedInstance) async throws -> RefusalCause?
    /// Writes the step's own rows for the instances of one commit, in their order, in the transaction that stores them.
    /// It may run again when the transaction is run again.
    func record(_ instances: [RecordedInstance], in transaction: any SQLTransaction) throws
}

/// An instance that a commit took, with what the index made of it.
package struct RecordedInstance: Sendable {
    /// What the index made of an instance.
    package enum Fate: Hashable, Sendable {
        /// It was not there before.
        case new
        /// It took the place of other content.
        case replaced
        /// It was there already, and nothing of it was written.
        case identical
    }

    package let instance: CheckedInstance
    package let fate: Fate
    /// When, in milliseconds since 1970.
    package let time: Int64

    package init(_ instance: CheckedInstance, fate: Fate, time: Int64) {
        self.instance = instance
        self.fate = fate
        self.time = time
    }
}
