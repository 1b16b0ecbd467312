package import Logging

/// The keys of log metadata. Messages are constant; everything that varies is under one of these.
package enum LogKey: String, Sendable, CaseIterable {
    /// Of a request: its own id, the method, the route's pattern (never the path itself), the answer.
    case requestID, method, route, status, milliseconds, bytesIn, bytesOut, remoteAddress
    /// Of a piece of work: which part of the program, how many, how long, which try.
    case component, count, total, attempt, durationMilliseconds, bytes
    /// Of an instance, for debugging: UIDs are allowed in logs, attributes of the patient are not.
    case study, series, instance, sopClass, transferSyntax
    /// Of something that went wrong: a closed code, where it was, what the system said.
    case code, offset, reason, error
    /// Of the process and its surroundings.
    case version, address, port, folder, file, key, signal, free
}

extension Dictionary where Key == String, Value == Logger.MetadataValue {
    /// Metadata from our own keys: `logger.info("…", metadata: .keys([.count: "\(n)"]))`.
    package static func keys(_ values: KeyValuePairs<LogKey, Value>) -> Self {
        Dictionary(values.map { ($0.key.rawValue, $0.value) }) { _, last in last }
    }

    /// The value under one of our keys.
    package subscript(key: LogKey) -> Value? {
        get { self[key.rawValue] }
        set { self[key.rawValue] = newValue }
    }
}

extension Logger {
    /// Metadata that all lines of this logger carry.
    package subscript(key: LogKey) -> MetadataValue? {
        get { self[metadataKey: key.rawValue] }
        set { self[metadataKey: key.rawValue] = newValue }
    }
}
