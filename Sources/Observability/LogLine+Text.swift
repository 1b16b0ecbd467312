import Logging

extension LogLine {
    /// Time, level, message, `key=value`.
    var text: [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(160)
        time.write(into: &line)
        line.append(UInt8(ascii: " "))
        line += Array(level.rawValue.utf8)
        line += Array(repeating: UInt8(ascii: " "), count: max(1, 9 - level.rawValue.utf8.count))
        line += Self.printable(message)
        for (key, value) in metadata {
            line.append(UInt8(ascii: " "))
            line += Self.printable(key)
            line.append(UInt8(ascii: "="))
            line += Self.printable("\(value)")
        }
        line.append(0x0A)
        return line
    }

    /// The text without control characters: a value must not be able to forge a line or command a terminal.
    private static func printable(_ text: String) -> [UInt8] {
        text.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }
    }
}
