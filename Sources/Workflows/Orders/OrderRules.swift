package import DICOMCore

/// What the site decides about orders. Times are in milliseconds.
package struct OrderRules: Hashable, Sendable {
    /// A study is complete when no instance has come for so long.
    package var quietPeriod: Int64 = 60_000
    /// The attributes without which an order is not processed.
    package var requiredMetadata: [Tag] = [.patientAge, .patientSex]
    /// The metadata must be there so long after the first instance.
    package var metadataDeadline: Int64 = 900_000
    /// So long after the first instance the same study is the same order, its last millisecond included.
    package var overwriteWindow: Int64 = 300_000
    /// So long before it fails an order says so.
    package var expiryNotice: Int64 = 300_000
    /// An order that waits for instances fails when none has come for so long.
    package var abandonAfter: Int64 = 7 * 86_400_000
    /// Whether a study that comes without an order makes its own.
    package var makesOrders = true

    package init() {}

    /// The keywords of the required attributes.
    var requiredKeywords: [String] {
        requiredMetadata.map { DataDictionary.standard.keyword(for: $0) ?? $0.hexadecimal }
    }
}
