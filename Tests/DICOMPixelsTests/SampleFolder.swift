import Glibc
import Testing

/// A folder for one test, and the scripts of `Samples/` that work in it.
struct SampleFolder {
    let path: String

    init(_ name: String) throws {
        path = "/tmp/gantry-\(name)-\(getpid())"
        try #require(mkdir(path, 0o700) == 0)
    }

    /// The interpreter of the environment that `Scripts/setup test` prepares.
    static let python: String = {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        return (variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "") + "/.cache") + "/gantry/venv/bin/python"
    }()

    static var canRun: Bool { access(python, X_OK) == 0 }

    /// What the script says, by lines and then by tabs.
    func run(_ script: String) throws -> [[String]] {
        let scripts = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/Samples/"
        let pipe = try #require(popen("'\(Self.python)' '\(scripts)\(script)' '\(path)' 2>/dev/null", "r"))
        let output = Self.contents(of: pipe)
        try #require(pclose(pipe) == 0)
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try #require(fopen(path + "/" + name, "wb"))
        defer { fclose(file) }
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    func contents(of name: String) throws -> [UInt8] {
        let file = try #require(fopen(name.hasPrefix("/") ? name : path + "/" + name, "rb"))
        defer { fclose(file) }
        return Self.contents(of: file)
    }

    private static func contents(of file: UnsafeMutablePointer<FILE>) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    func remove() {
        guard let entries = opendir(path) else { return }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink(path + "/" + name) }
        }
        closedir(entries)
        rmdir(path)
    }
}
