import Glibc

/// A folder that goes away with this value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/gantry-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw ChildProcess.SpawnError(program: "mkdtemp", code: errno) }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress ?? $0.baseAddress.unsafelyUnwrapped) }
    }

    deinit { Self.remove(path) }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw ChildProcess.SpawnError(program: file, code: errno) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw ChildProcess.SpawnError(program: file, code: errno) }
            rest = rest.dropFirst(count)
        }
        return file
    }

    /// Names in a folder below this one; none when it isn't there.
    func names(in name: String) -> [String] { Self.names(in: path + "/" + name) }

    /// All files below a folder of this one, relative to it.
    func files(below name: String) -> [String] {
        names(in: name).flatMap { entry -> [String] in
            var status = stat()
            let inner = name + "/" + entry
            guard lstat(path + "/" + inner, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [inner] }
            return files(below: inner)
        }
    }

    static func bytes(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += piece[..<count]
        }
    }

    static func text(of path: String) -> String? { bytes(of: path).map { String(decoding: $0, as: UTF8.self) } }

    /// Names in a folder; none when it isn't there.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        for name in names(in: path) {
            let inner = path + "/" + name
            if unlink(inner) != 0 { remove(inner) }
        }
        rmdir(path)
    }
}
