/// One fact that happened: the attributes of CloudEvents 1.0 and JSON data.
///
/// Our own events carry UIDs, classes, sizes and digests, and no patient data.
package struct CloudEvent: Hashable, Sendable {
    /// Unique with `source`, and the same however often the event is delivered.
    package var id: UUIDv7
    /// Who tells: a URI reference.
    package var source: String
    package var type: EventType
    /// What it is about, within the source: `studies/1.2/series/3.4/instances/5.6`.
    package var subject: String?
    /// When it happened, in milliseconds since 1970.
    package var time: Int64
    /// Events with the same key are delivered in order: the Study Instance UID (extension `partitionkey`).
    package var partitionKey: String
    /// A JSON object in UTF-8 (`datacontenttype` is always `application/json`).
    package var data: [UInt8]

    package init(
        id: UUIDv7, source: String, type: EventType, subject: String?, time: Int64, partitionKey: String,
        data: [UInt8]
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.partitionKey = partitionKey
        self.data = data
    }
}
