import DICOMCore
package import Messaging

extension EventType {
    /// What is announced when an order gets into a state.
    init(_ state: OrderState) {
        self =
            switch state {
            case .created: .orderCreated
            case .receiving: .orderReceiving
            case .complete: .orderComplete
            case .processing: .orderProcessing
            case .completed: .orderCompleted
            case .failed: .orderFailed
            case .cancelled: .orderCancelled
            }
    }

    /// An order was made. One that a study made itself is `receiving` already.
    package static let orderCreated = EventType(rawValue: "gantry.order.created.v1")
    /// The first instance of an order has come, or one that came late.
    package static let orderReceiving = EventType(rawValue: "gantry.order.receiving.v1")
    /// All instances of an order are there.
    package static let orderComplete = EventType(rawValue: "gantry.order.complete.v1")
    /// The workflow of an order was asked for.
    package static let orderProcessing = EventType(rawValue: "gantry.order.processing.v1")
    /// The final report of an order is there.
    package static let orderCompleted = EventType(rawValue: "gantry.order.completed.v1")
    package static let orderFailed = EventType(rawValue: "gantry.order.failed.v1")
    package static let orderCancelled = EventType(rawValue: "gantry.order.cancelled.v1")
    /// An order fails soon unless its metadata come.
    package static let orderExpiring = EventType(rawValue: "gantry.order.expiring.v1")
    /// An order is complete and has its metadata: the request for its workflow, once for each order.
    package static let orderReady = EventType(rawValue: "gantry.order.ready.v1")
    /// A report of an order was stored.
    package static let orderReport = EventType(rawValue: "gantry.order.report.v1")
}

extension Order {
    /// The event that tells of the order as it is now. It holds names of attributes that are missing, and no values.
    func event(
        _ type: EventType, from previous: OrderState? = nil, report: String? = nil, source: String, time: Int64
    )
        -> CloudEvent
    {
        var data = EventData()
        data.add("orderID", id.rawValue)
        if let study {
            data.add("studyInstanceUID", study.string)
            data.add("revision", revision)
        }
        data.add("state", state.rawValue)
        if let previous { data.add("previousState", previous.rawValue) }
        if let client = owner.client { data.add("client", client) }
        if let organization = owner.organization { data.add("organization", organization) }
        data.add("instances", instances)
        if let expectedInstances { data.add("expectedInstances", expectedInstances) }
        if !missing.isEmpty { data.add("missing", missing.joined(separator: ",")) }
        if let metadataDeadline, !missing.isEmpty, !state.isEnded {
            data.add("deadline", CloudEvent.timestamp(metadataDeadline))
        }
        if let failure { data.add("reason", failure.rawValue) }
        if let report { data.add("reportType", report) }
        return CloudEvent(
            id: UUIDv7(milliseconds: time), source: source, type: type, subject: "orders/\(id)", time: time,
            partitionKey: study?.string ?? id.rawValue, data: data.bytes)
    }
}
