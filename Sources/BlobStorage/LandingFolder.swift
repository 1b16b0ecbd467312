import Glibc

/// The folders and names of a ``DiskUploadLanding``. Its calls block.
///
/// `incoming/<yyyy>/<mm>/<dd>/<random>`, `quarantine/…` alike, `parts/<upload>/…`, and `receiving/<random>` for what is on its way.
struct LandingFolder: Sendable {
    let root: String
    /// Flushes a file's data: `fdatasync`, or what a test puts in its place.
    let flush: @Sendable (Int32) -> Int32

    var receiving: String { root + "/receiving" }
    var parts: String { root + "/parts" }

    func path(_ area: LandingArea) -> String { root + "/" + area.rawValue }

    func path(_ key: UploadKey, in area: LandingArea) -> String { path(area) + "/" + key.place }

    func receivingPath(_ name: BlobKey) -> String { receiving + "/" + name.description }

    func partsPath(_ upload: BlobKey) -> String { parts + "/" + upload.description }

    /// Makes the folders and removes what an earlier process did not receive to its end.
    func open() throws(BlobError) {
        try makeFolders([root, receiving, parts] + LandingArea.allCases.map(path))
        for name in try names(in: receiving) { unlink(receiving + "/" + name) }
    }

    /// Gives a file its name, durably. ``UploadLandingError/Code-swift.enum/alreadyThere`` when the name is taken.
    func place(_ file: String, at path: String) throws {
        try makeFolders(above: path)
        guard link(file, path) == 0 else {
            guard errno == EEXIST else { throw BlobError(errno: errno, in: "link") }
            throw UploadLandingError(.alreadyThere)
        }
        unlink(file)
        try flushFolder(Self.folder(of: path))
    }

    /// Moves a file, durably; one that was moved before is no error.
    func move(_ file: String, to path: String) throws(BlobError) {
        try makeFolders(above: path)
        guard rename(file, path) == 0 else {
            let code = errno
            if code == ENOENT, access(path, F_OK) == 0 { return }
            throw BlobError(errno: code, in: "rename")
        }
        try flushFolder(Self.folder(of: path))
        try flushFolder(Self.folder(of: file))
    }

    /// Makes the folders of a key's day.
    private func makeFolders(above path: String) throws(BlobError) {
        let day = Self.folder(of: path)
        guard access(day, F_OK) != 0 else { return }
        let month = Self.folder(of: day)
        try makeFolders([Self.folder(of: month), month, day])
    }

    /// Makes folders, each of which survives power loss before the next is made.
    private func makeFolders(_ paths: [String]) throws(BlobError) {
        for path in paths {
            guard mkdir(path, 0o700) != 0 else {
                try flushFolder(Self.folder(of: path))
                continue
            }
            guard errno == EEXIST else { throw BlobError(errno: errno, in: "mkdir") }
        }
    }

    static func folder(of path: String) -> String {
        guard let end = path.lastIndex(of: "/") else { return "." }
        return end == path.startIndex ? "/" : String(path[..<end])
    }

    /// Makes the names in a folder survive power loss.
    func flushFolder(_ path: String) throws(BlobError) {
        let folder = try OpenFile(path)
        guard fsync(folder.descriptor) == 0 else { throw BlobError(errno: errno, in: "fsync") }
    }

    func names(in path: String) throws(BlobError) -> [String] {
        try BlobFolder(root: root, flush: flush).names(in: path)
    }

    /// Removes the folders of days before the given one, where nothing is left in them.
    func removeEmptyDays(before day: String, in area: LandingArea) throws(BlobError) {
        let top = path(area)
        for year in try names(in: top) {
            for month in try names(in: top + "/" + year) {
                for name in try names(in: "\(top)/\(year)/\(month)") where "\(year)/\(month)/\(name)" < day {
                    rmdir("\(top)/\(year)/\(month)/\(name)")
                }
                if "\(year)/\(month)" < day.prefix(7) { rmdir("\(top)/\(year)/\(month)") }
            }
            if year < day.prefix(4) { rmdir(top + "/" + year) }
        }
    }
}
