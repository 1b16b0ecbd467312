package import Logging

/// Writes each log event as one line. Metadata of the event goes before that of the logger, which goes before that of
/// the provider.
package struct LineLogHandler: LogHandler, Sendable {
    /// What a line looks like.
    package enum Format: Hashable, Sendable {
        /// One JSON object, for machines.
        case json
        /// For people.
        case text
    }

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    private let label: String
    private let format: Format
    private let output: LogOutput
    private let clock: @Sendable () -> LogTime

    package init(
        label: String, format: Format, level: Logger.Level = .info, output: LogOutput = .standardError,
        clock: @escaping @Sendable () -> LogTime = { .now }
    ) {
        self.label = label
        self.format = format
        self.logLevel = level
        self.output = output
        self.clock = clock
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let line = LogLine(
            time: clock(), level: event.level, label: label, message: event.message.description,
            metadata: event.metadata(over: metadata, provider: metadataProvider))
        output.write(format == .json ? line.json : line.text)
    }
}

/// What one line of the log tells.
struct LogLine {
    var time: LogTime
    var level: Logger.Level
    var label: String
    var message: String
    /// In order of the keys.
    var metadata: [(key: String, value: Logger.MetadataValue)]
}

extension LogEvent {
    /// All metadata of an event in order of its keys; what the event has itself counts before the logger's.
    fileprivate func metadata(
        over logger: Logger.Metadata, provider: Logger.MetadataProvider?
    ) -> [(key: String, value: Logger.MetadataValue)] {
        var all = provider?.get() ?? [:]
        all.merge(logger) { _, new in new }
        if let error { all[LogKey.error.rawValue] = "\(error)" }
        if let metadata { all.merge(metadata) { _, new in new } }
        return all.sorted { $0.key < $1.key }
    }
}
