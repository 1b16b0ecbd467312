import Glibc

/// The folders and names of a ``DiskBlobStore``. Its calls block.
///
/// `packs/<8 hex digits>.pack`, `objects/<first two digits of the key>/<key>`, `incoming/<key>`, and `lock`.
struct BlobFolder: Sendable {
    let root: String
    /// Flushes a file's data: `fdatasync`, or what a test puts in its place.
    let flush: @Sendable (Int32) -> Int32

    var packs: String { root + "/packs" }
    var objects: String { root + "/objects" }
    var incoming: String { root + "/incoming" }

    func packPath(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return packs + "/" + String(repeating: "0", count: 8 - digits.count) + digits + ".pack"
    }

    func objectFolder(_ key: BlobKey) -> String {
        objects + "/" + key.description.prefix(2)
    }

    func objectPath(_ key: BlobKey) -> String {
        objectFolder(key) + "/" + key.description
    }

    func incomingPath(_ key: BlobKey) -> String {
        incoming + "/" + key.description
    }

    /// The number in a pack's file name.
    static func packNumber(_ name: String) -> UInt32? {
        guard name.count == 13, name.hasSuffix(".pack") else { return nil }
        return UInt32(name.prefix(8), radix: 16)
    }

    /// Makes the folders, takes the lock, removes what an earlier process left unfinished.
    func open() throws(BlobError) -> OpenFile {
        for path in [root, packs, objects, incoming] { try make(path) }
        try flushFolder(root)
        let path = root + "/lock"
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw BlobError(errno: errno, in: "open") }
        close(descriptor)
        let lock = try OpenFile(path, writable: true)
        guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else { throw BlobError(.locked, in: "flock") }
        for name in try names(in: incoming) { unlink(incoming + "/" + name) }
        return lock
    }

    /// Makes a folder and answers whether it is new.
    @discardableResult
    func make(_ path: String) throws(BlobError) -> Bool {
        if mkdir(path, 0o750) == 0 { return true }
        guard errno == EEXIST else { throw BlobError(errno: errno, in: "mkdir") }
        return false
    }

    /// Makes the names in a folder survive power loss.
    func flushFolder(_ path: String) throws(BlobError) {
        let folder = try OpenFile(path)
        guard fsync(folder.descriptor) == 0 else { throw BlobError(errno: errno, in: "fsync") }
    }

    /// The names in a folder, in order; none when it is not there.
    func names(in path: String) throws(BlobError) -> [String] {
        guard let folder = opendir(path) else {
            guard errno == ENOENT else { throw BlobError(errno: errno, in: "opendir") }
            return []
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
