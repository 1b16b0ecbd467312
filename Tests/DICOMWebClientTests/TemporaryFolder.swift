import FoundationEssentials

/// A folder that goes away with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/gantry-client-\(UUID().uuidString)"
        // A test that cannot have its folder fails where it writes.
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, with the folders above it, and returns its path.
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = "\(path)/\(name)"
        let above = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }
}

/// The beginning of a Part 10 file whose meta information holds the given UID.
func part10(sopInstanceUID uid: String, content: [UInt8] = []) -> [UInt8] {
    var value = Array(uid.utf8)
    if value.count % 2 == 1 { value.append(0) }
    let version: [UInt8] = [2, 0, 1, 0, 0x4F, 0x42, 0, 0, 2, 0, 0, 0, 0, 1]
    let instance: [UInt8] = [2, 0, 3, 0, 0x55, 0x49, UInt8(value.count), 0] + value
    return [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + version + instance + [8, 0, 5, 0] + content
}
