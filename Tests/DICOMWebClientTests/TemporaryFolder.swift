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

/// The beginning of a Part 10 file whose meta information holds the given UIDs.
func part10(sopInstanceUID: String, transferSyntaxUID: String? = nil, content: [UInt8] = []) -> [UInt8] {
    func element(_ number: UInt8, _ uid: String) -> [UInt8] {
        let value = Array(uid.utf8) + (uid.utf8.count % 2 == 1 ? [0] : [])
        return [2, 0, number, 0, 0x55, 0x49, UInt8(value.count), 0] + value
    }
    let version: [UInt8] = [2, 0, 1, 0, 0x4F, 0x42, 0, 0, 2, 0, 0, 0, 0, 1]
    return [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + version + element(3, sopInstanceUID)
        + (transferSyntaxUID.map { element(0x10, $0) } ?? []) + content
}
