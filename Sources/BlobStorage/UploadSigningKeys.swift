import Crypto
import Glibc
import NIOCore

/// The keys that sign the gateway's own presigned URLs: the first one signs, the one before it is still believed.
///
/// They are in a file that only its owner may read, one line each: an id, then 64 hexadecimal digits. It is made at the first start.
package struct UploadSigningKeys: Sendable {
    struct Key: Sendable {
        let id: String
        let secret: SymmetricKey
    }

    /// The newest first; at most two.
    private let keys: [Key]

    var current: Key { keys[0] }

    /// Keys that are in no file: for tests.
    package init() { keys = [Self.makeKey()] }

    private init(keys: [Key]) { self.keys = keys }

    /// Reads the file, or makes it with a new key. Blocks for a moment.
    ///
    /// A file that others may read is refused as ``BlobError/Code-swift.enum/exposed``, one that is not understood as
    /// ``BlobError/Code-swift.enum/corrupt``.
    package init(file path: String) throws(BlobError) {
        guard let text = try Self.read(path) else {
            let keys = UploadSigningKeys()
            try keys.write(path)
            // Another process may have been faster: what is in the file counts.
            guard let text = try Self.read(path), let keys = Self.parse(text) else {
                throw BlobError(.corrupt, in: "keys")
            }
            self.keys = keys
            return
        }
        guard let keys = Self.parse(text) else { throw BlobError(.corrupt, in: "keys") }
        self.keys = keys
    }

    /// New keys: a fresh one that signs, and the one that signed until now. URLs signed with the one before that are refused from now on.
    package func rotated() -> UploadSigningKeys {
        UploadSigningKeys(keys: [Self.makeKey(), current])
    }

    /// Writes the keys over what the file has; durable when this returns. Blocks for a moment.
    package func write(to path: String) throws(BlobError) {
        unlink(path + ".new")
        try write(path + ".new")
        guard rename(path + ".new", path) == 0 else { throw BlobError(errno: errno, in: "rename") }
        try Self.flushFolder(of: path)
    }

    /// The key with this id; `nil` for one that is not in use.
    func key(_ id: String) -> Key? { keys.first { $0.id == id } }

    private static func makeKey() -> Key {
        var generator = SystemRandomNumberGenerator()
        return Key(id: String(BlobKey(using: &generator).description.prefix(8)), secret: SymmetricKey(size: .bits256))
    }

    private static func parse(_ text: String) -> [Key]? {
        var keys: [Key] = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 2, fields[0].utf8.count == 8, UploadSignature.bytes(String(fields[0])) != nil,
                let secret = UploadSignature.bytes(String(fields[1])), secret.count == 32
            else { return nil }
            keys.append(Key(id: String(fields[0]), secret: SymmetricKey(data: secret)))
        }
        return (1...2).contains(keys.count) ? keys : nil
    }

    private static func read(_ path: String) throws(BlobError) -> String? {
        let file: OpenFile
        do throws(BlobError) {
            file = try OpenFile(path)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else { throw BlobError(errno: errno, in: "fstat") }
        guard status.st_mode & 0o077 == 0 else { throw BlobError(.exposed, in: "keys") }
        guard status.st_size <= 4096 else { throw BlobError(.corrupt, in: "keys") }
        return String(buffer: try file.read(at: 0, count: Int(status.st_size)))
    }

    /// Makes the file whole or not at all; one that is there stays.
    private func write(_ path: String) throws(BlobError) {
        var generator = SystemRandomNumberGenerator()
        let temporary = path + "." + BlobKey(using: &generator).description
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BlobError(errno: errno, in: "open") }
        close(descriptor)
        defer { unlink(temporary) }
        let file = try OpenFile(temporary, writable: true)
        let lines = keys.map { key in
            key.id + " " + UploadSignature.hex(key.secret.withUnsafeBytes { Array($0) }) + "\n"
        }
        try file.write(.init(string: lines.joined()), at: 0)
        guard fsync(file.descriptor) == 0 else { throw BlobError(errno: errno, in: "fsync") }
        guard link(temporary, path) == 0 || errno == EEXIST else { throw BlobError(errno: errno, in: "link") }
        try Self.flushFolder(of: path)
    }

    private static func flushFolder(of path: String) throws(BlobError) {
        let end = path.lastIndex(of: "/")
        let folder = try OpenFile(end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ".")
        guard fsync(folder.descriptor) == 0 else { throw BlobError(errno: errno, in: "fsync") }
    }
}
