import Synchronization

/// Descriptors of files that were read lately, the least recently used one given up first.
final class OpenFileCache: Sendable {
    private struct Entry {
        let file: OpenFile
        var used: UInt64
    }

    private let limit: Int
    private let entries = Mutex<(files: [BlobLocation.Place: Entry], clock: UInt64)>(([:], 0))

    init(limit: Int) {
        self.limit = limit
    }

    /// The file, when it is open.
    func cached(_ place: BlobLocation.Place) -> OpenFile? {
        entries.withLock { entries in
            guard let file = entries.files[place]?.file else { return nil }
            entries.clock += 1
            entries.files[place]?.used = entries.clock
            return file
        }
    }

    /// The file, opened if need be. Blocks.
    func file(_ place: BlobLocation.Place, path: String) throws(BlobError) -> OpenFile {
        if let file = cached(place) { return file }
        let file = try OpenFile(path)
        // Taken out under the lock and closed behind it.
        let given: OpenFile? = entries.withLock { entries in
            entries.clock += 1
            entries.files[place] = Entry(file: file, used: entries.clock)
            guard entries.files.count > limit,
                let oldest = entries.files.min(by: { $0.value.used < $1.value.used })
            else { return nil }
            return entries.files.removeValue(forKey: oldest.key)?.file
        }
        _ = given
        return file
    }

    func forget(_ place: BlobLocation.Place) {
        let given = entries.withLock { $0.files.removeValue(forKey: place)?.file }
        _ = given
    }

    func removeAll() {
        let given = entries.withLock { entries in
            defer { entries.files = [:] }
            return entries.files
        }
        _ = given
    }
}
