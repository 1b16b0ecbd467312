import Logging

extension LogLine {
    /// `{"time":…,"level":…,"logger":…,"message":…,` and then the metadata, each under its own key.
    var json: [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line += Array("{\"time\":\"".utf8)
        time.write(into: &line)
        line += Array("\",\"level\":\"".utf8)
        line += Array(level.rawValue.utf8)
        line += Array("\",\"logger\":".utf8)
        JSONText.write(label, into: &line)
        line += Array(",\"message\":".utf8)
        JSONText.write(message, into: &line)
        for (key, value) in metadata {
            line.append(UInt8(ascii: ","))
            // The four fields above are ours; metadata of the same name is kept under another.
            JSONText.write(Self.reserved.contains(key) ? key + "_" : key, into: &line)
            line.append(UInt8(ascii: ":"))
            Self.write(value, into: &line)
        }
        line += [UInt8(ascii: "}"), 0x0A]
        return line
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
