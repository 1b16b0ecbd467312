/// Why something that was asked of an order cannot be done.
package enum OrderError: Error, Hashable {
    /// There is no such order, or it is somebody else's.
    case notFound
    /// The order's state does not allow it.
    case notAllowed(state: OrderState, failure: Order.Failure?, missing: [String])
    /// Metadata that cannot be taken.
    case invalidMetadata([MetadataFault])
    /// The order has no such report yet.
    case noReport
}
