import GRDBSQLite
import Glibc

/// Writes of the write-ahead log, put together.
///
/// SQLite writes each page of a commit with two calls, its frame's header and the page. Here they wait in memory until
/// the log is flushed, which with `synchronous=FULL` is the end of every commit, and go to the file in one call. Nobody
/// looks for a frame before: the index of the log names it only after the flush. Other files, and the logs of
/// connections that have not asked for it, are not touched.
enum LogCoalescing {
    /// The name under which SQLite knows the file system layer.
    static let name = "gantry-log"

    /// Makes the layer SQLite's default, once for the process. Tells whether it is there.
    static func install() -> Bool { isInstalled }

    /// Lets the log of a connection wait for its flushes. The connection must have `synchronous=FULL`: without it,
    /// frames would be named before they are in the file.
    static func begin(on connection: OpaquePointer) -> Bool {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK, let file
        else { return false }
        return LogFile.beginCoalescing(file)
    }

    private static let isInstalled: Bool = {
        guard let system = sqlite3_vfs_find(nil) else { return false }
        // Both live as long as the process: SQLite keeps the pointers.
        let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        layer.initialize(to: system.pointee)
        layer.pointee.pNext = nil
        layer.pointee.zName = UnsafePointer(strdup(name))
        layer.pointee.pAppData = UnsafeMutableRawPointer(system)
        layer.pointee.szOsFile = CInt(LogFile.headSize) + system.pointee.szOsFile
        layer.pointee.xOpen = { layer, name, file, flags, outFlags in
            guard let layer, let file,
                let system = layer.pointee.pAppData?.assumingMemoryBound(to: sqlite3_vfs.self)
            else { return SQLITE_CANTOPEN }
            guard flags & SQLITE_OPEN_WAL != 0 else {
                return system.pointee.xOpen(system, name, file, flags, outFlags)
            }
            return LogFile.open(file) { system.pointee.xOpen(system, name, $0, flags, outFlags) }
        }
        return sqlite3_vfs_register(layer, 1) == SQLITE_OK
    }()
}
