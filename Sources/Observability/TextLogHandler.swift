package import Logging

/// Writes each log event as a line for people: time, level, message, `key=value`.
package struct TextLogHandler: LogHandler, Sendable {
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
        line.reserveCapacity(160)
        clock().write(into: &line)
        line.append(UInt8(ascii: " "))
        line += Array(event.level.rawValue.utf8)
        line += Array(repeating: UInt8(ascii: " "), count: max(1, 9 - event.level.rawValue.utf8.count))
        line += Self.printable(event.message.description)
        for (key, value) in event.metadata(over: metadata, provider: metadataProvider) {
            line.append(UInt8(ascii: " "))
            line += Self.printable(key)
            line.append(UInt8(ascii: "="))
            line += Self.printable("\(value)")
        }
        line.append(0x0A)
        output.write(line)
    }

    /// The text without control characters: a value must not be able to forge a line or command a terminal.
    private static func printable(_ text: String) -> [UInt8] {
        text.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }
    }
}
