package import BlobStorage
import FoundationEssentials

/// Takes what a bucket tells of new objects: event messages of S3, as they are or wrapped by SNS.
///
/// A message is only a hint. What it names must be an upload that waits, and must be there; everything else in it is ignored, so that a forged one does
/// nothing (SEC-27). One that is lost is made up for by the sweep, one that comes twice changes nothing.
package struct UploadNotifications: Sendable {
    private let table: UploadTable
    private let landing: any UploadLanding
    private let signal: UploadSignal
    private let clock: @Sendable () -> Int64

    package init(
        table: UploadTable, landing: any UploadLanding, signal: UploadSignal, clock: @escaping @Sendable () -> Int64
    ) {
        self.table = table
        self.landing = landing
        self.signal = signal
        self.clock = clock
    }

    /// The message is not what a bucket sends.
    package struct Malformed: Error, Hashable, Sendable {}

    /// The most records of one message that are looked at.
    private static let mostRecords = 1000

    /// Takes one message; answers how many uploads it made known. An error means that it has to be delivered again.
    @discardableResult
    package func receive(_ message: [UInt8]) async throws -> Int {
        var count = 0
        for key in try Self.keys(in: message).prefix(Self.mostRecords) {
            guard let session = try await table.session(key), session.state == .issued || session.state == .expired,
                let object = try await landing.head(key)
            else { continue }
            if try await table.receive(object, of: session, at: clock()) { count += 1 }
        }
        if count > 0 { signal.raise() }
        return count
    }

    /// The keys of uploads that the message says were created.
    static func keys(in message: [UInt8]) throws(Malformed) -> [UploadKey] {
        guard let event = try? JSONDecoder().decode(Message.self, from: Data(message)) else { throw Malformed() }
        if let wrapped = event.message {
            guard let inner = try? JSONDecoder().decode(Message.self, from: Data(wrapped.utf8)) else {
                throw Malformed()
            }
            return inner.keys
        }
        return event.keys
    }

    private struct Message: Decodable {
        struct Record: Decodable {
            struct Entity: Decodable {
                struct Object: Decodable { var key: String }
                var object: Object
            }
            var eventName: String
            var s3: Entity
        }

        var records: [Record]?
        /// Of SNS: the event as text.
        var message: String?

        enum CodingKeys: String, CodingKey {
            case records = "Records"
            case message = "Message"
        }

        var keys: [UploadKey] {
            (records ?? []).compactMap { record in
                let name = record.eventName.hasPrefix("s3:") ? record.eventName.dropFirst(3) : record.eventName[...]
                guard name.hasPrefix("ObjectCreated:") else { return nil }
                // Keys are coded as in forms; ours have nothing to code but, by some servers, their slashes.
                let key = record.s3.object.key
                return UploadKey(key) ?? UploadKey(Self.withSlashes(key))
            }
        }

        private static func withSlashes(_ key: String) -> String {
            var text = ""
            var rest = key[...]
            while let mark = rest.firstIndex(of: "%") {
                text += rest[..<mark]
                let code = rest[mark...].prefix(3)
                text += code.lowercased() == "%2f" ? "/" : code
                rest = rest[mark...].dropFirst(3)
            }
            return text + rest
        }
    }
}
