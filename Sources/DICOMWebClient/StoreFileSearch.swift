import Glibc

/// Finds DICOM files by their contents, whatever they are called.
package struct StoreFileSearch: Sendable {
    package struct Found: Sendable {
        package var files: [StoreFile] = []
        /// Files in folders that are not DICOM.
        package var otherCount = 0
        /// What could not be read.
        package var unreadable: [FileReadError] = []
    }

    package init() {}

    /// Files that are named are taken as they are; folders are searched, without following links to other folders.
    package func find(_ paths: [String]) async throws -> Found {
        try await DiskQueue.run {
            var found = Found()
            for path in paths { add(path, isNamed: true, to: &found) }
            return found
        }
    }

    private func add(_ path: String, isNamed: Bool, to found: inout Found) {
        var status = stat()
        // A link that the user names is followed, one that is met is not.
        guard (isNamed ? stat(path, &status) : lstat(path, &status)) == 0 else {
            found.unreadable.append(FileReadError(path: path, errno: errno))
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            guard let names = names(inFolder: path) else {
                found.unreadable.append(FileReadError(path: path, errno: errno))
                return
            }
            for name in names { add(path.hasSuffix("/") ? path + name : "\(path)/\(name)", isNamed: false, to: &found) }
        case S_IFREG:
            do throws(FileReadError) {
                let (head, length) = try Part10Head.readNow(path: path)
                guard isNamed || head != nil else {
                    found.otherCount += 1
                    return
                }
                found.files.append(StoreFile(path: path, length: length, sopInstanceUID: head?.sopInstanceUID))
            } catch {
                found.unreadable.append(error)
            }
        default:
            found.otherCount += 1
        }
    }

    /// What is in a folder, sorted; `nil` when it cannot be read.
    private func names(inFolder path: String) -> [String]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
