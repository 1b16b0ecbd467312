/// A file to be stored, as it was when it was looked at.
package struct StoreFile: Hashable, Sendable {
    package var path: String
    package var length: Int
    /// From the file meta information; tells which line of an answer is about the file.
    package var sopInstanceUID: String?

    package init(path: String, length: Int, sopInstanceUID: String?) {
        self.path = path
        self.length = length
        self.sopInstanceUID = sopInstanceUID
    }
}

/// Files that go into one request.
package struct StoreBatch: Hashable, Sendable {
    package var files: [StoreFile]

    package init(files: [StoreFile]) {
        self.files = files
    }

    package var length: Int { files.reduce(0) { $0 + $1.length } }

    /// Divides files into requests, keeping their order. A file larger than `bytes` has one of its own.
    package static func divide(_ files: [StoreFile], count: Int = 100, bytes: Int = 64 << 20) -> [StoreBatch] {
        var batches: [StoreBatch] = []
        var current: [StoreFile] = []
        var length = 0
        for file in files {
            if !current.isEmpty, current.count >= count || length + file.length > bytes {
                batches.append(StoreBatch(files: current))
                current = []
                length = 0
            }
            current.append(file)
            length += file.length
        }
        if !current.isEmpty { batches.append(StoreBatch(files: current)) }
        return batches
    }
}
