package import Logging

/// Writes each log event as one JSON object on one line.
///
/// `{"time":…,"level":…,"logger":…,"message":…,` and then the metadata, each under its own key. Metadata of the event
/// goes before that of the logger, which goes before that of the provider.
package struct JSONLogHandler: LogHandler, Sendable {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    private let label: String
    private let output: LogOutput
    private let clock: @Sendable () -> LogTime

    package init(
        label: String, level: Logger.Level = .info, output: LogOutput = .standardError,
        clock: @escaping @Sendable () -> LogTime = { .now }
    ) {
        self.label = label
        self.logLevel = level
        self.output = output
        self.clock = clock
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line += Array("{\"time\":\"".utf8)
        clock().write(into: &line)
        line += Array("\",\"level\":\"".utf8)
        line += Array(event.level.rawValue.utf8)
        line += Array("\",\"logger\":".utf8)
        JSONText.write(label, into: &line)
        line += Array(",\"message\":".utf8)
        JSONText.write(event.message.description, into: &line)
        for (key, value) in event.metadata(over: metadata, provider: metadataProvider) {
            line.append(UInt8(ascii: ","))
            // The four fields above are ours; metadata of the same name is kept under another.
            JSONText.write(Self.reserved.contains(key) ? key + "_" : key, into: &line)
            line.append(UInt8(ascii: ":"))
            Self.write(value, into: &line)
        }
        line += [UInt8(ascii: "}"), 0x0A]
        output.write(line)
    }

    private static let reserved: Set<String> = ["time", "level", "logger", "message"]

    private static func write(_ value: Logger.MetadataValue, into line: inout [UInt8]) {
        switch value {
        case .string(let text): JSONText.write(text, into: &line)
        case .stringConvertible(let value):
            switch value {
            case let number as any BinaryInteger: line += Array("\(number)".utf8)
            case let flag as Bool: line += Array(flag ? "true".utf8 : "false".utf8)
            default: JSONText.write(value.description, into: &line)
            }
        case .array(let values):
            line.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                write(value, into: &line)
            }
            line.append(UInt8(ascii: "]"))
        case .dictionary(let values):
            line.append(UInt8(ascii: "{"))
            for (index, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                JSONText.write(key, into: &line)
                line.append(UInt8(ascii: ":"))
                write(value, into: &line)
            }
            line.append(UInt8(ascii: "}"))
        }
    }
}

extension LogEvent {
    /// All metadata of an event in order of its keys; what the event has itself counts before the logger's.
    func metadata(
        over logger: Logger.Metadata, provider: Logger.MetadataProvider?
    ) -> [(key: String, value: Logger.MetadataValue)] {
        var all = provider?.get() ?? [:]
        all.merge(logger) { _, new in new }
        if let error { all[LogKey.error.rawValue] = "\(error)" }
        if let metadata { all.merge(metadata) { _, new in new } }
        return all.sorted { $0.key < $1.key }
    }
}
