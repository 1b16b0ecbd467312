/// Where an order is on its way from the first byte to the report (uploads.md 3).
package enum OrderState: String, Hashable, Sendable, CaseIterable {
    /// Made, nothing has arrived.
    case created
    /// Instances arrive.
    case receiving
    /// All instances are there; metadata may be missing.
    case complete
    /// The workflow was asked for.
    case processing
    /// The final report is there.
    case completed
    case failed
    case cancelled

    /// The states that may come next.
    package var successors: Set<OrderState> {
        switch self {
        case .created: [.receiving, .failed, .cancelled]
        case .receiving: [.complete, .failed, .cancelled]
        // Instances that come late open it again, as long as the workflow was not asked for.
        case .complete: [.receiving, .processing, .failed, .cancelled]
        case .processing: [.completed, .failed, .cancelled]
        case .completed, .failed, .cancelled: []
        }
    }

    /// Whether nothing can follow.
    package var isEnded: Bool { successors.isEmpty }
}
