/// How the database file is opened. Every value has a working default.
package struct SQLiteConfiguration: Sendable {
    /// The file; its folder must exist.
    package var path: String
    /// Reading connections at most. Each is opened, with its thread, when there is work for it.
    package var readers: Int
    /// How long to wait for another process's lock, in seconds.
    package var busyTimeout: Double
    /// Page cache of the writing connection, and of each reading one, in KiB. The kernel's cache does the rest.
    package var writerCache: Int
    package var readerCache: Int
    /// How much of the file is read through a memory map, in bytes. 0 for none.
    package var memoryMap: Int
    /// Pages in the write-ahead log from which it is copied into the file. More writes a page fewer times.
    package var checkpointPages: Int

    package init(
        path: String, readers: Int = 4, busyTimeout: Double = 5, writerCache: Int = 4096, readerCache: Int = 1024,
        memoryMap: Int = 64 << 20, checkpointPages: Int = 8192
    ) {
        self.path = path
        self.readers = max(1, readers)
        self.busyTimeout = busyTimeout
        self.writerCache = writerCache
        self.readerCache = readerCache
        self.memoryMap = memoryMap
        self.checkpointPages = checkpointPages
    }
}
