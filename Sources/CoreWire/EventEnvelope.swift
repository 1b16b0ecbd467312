/// A CloudEvent in the structured mode, as it arrives (CloudEvents JSON Format 1.0).
package struct EventEnvelope: Decodable, Sendable {
    package var specversion: String
    package var id: String
    package var type: String
    package var data: ImageStoredEvent

    /// Most events of one batch.
    package static let mostInBatch = 4096
    /// Most bytes of a request to the event processor.
    package static let mostBytes = 64 << 20
}

/// The media types and header fields of CloudEvents over HTTP (HTTP Protocol Binding 1.0).
package enum EventMode {
    package static let structured = "application/cloudevents+json"
    package static let batch = "application/cloudevents-batch+json"
    package static let binary = "application/json"
}
