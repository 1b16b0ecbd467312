import Glibc
import SQLStorage

/// What kind of file system a file lies on, by the kernel's list of mounts.
enum FileSystemKind {
    /// File systems whose locks and shared memory maps another machine does not see.
    private static let network: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "ceph", "lustre", "afs", "coda", "gpfs", "beegfs",
        "fuse.sshfs", "fuse.glusterfs", "fuse.cephfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs",
    ]

    /// Refuses a file on a network file system (reliability D.1, REL-30).
    static func refuseNetwork(forFileAt path: String) throws(SQLError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        guard stat(folder, &status) == 0 else {
            throw SQLError(.connection, "the folder of the database is not there (\(String(cString: strerror(errno))))")
        }
        // As makedev(3) packs them, whose macros Swift does not see.
        let major = status.st_dev >> 8 & 0xfff | status.st_dev >> 32 & ~0xfff
        let minor = status.st_dev & 0xff | status.st_dev >> 12 & ~0xff
        let device = "\(major):\(minor)"
        guard let mounts = contents(of: "/proc/self/mountinfo"), let type = type(ofDevice: device, in: mounts),
            network.contains(type)
        else { return }
        throw SQLError(.networkFileSystem, "the database lies on a network file system (\(type)); it needs a local one")
    }

    /// The type of the file system on a device, `nil` when the list does not tell (proc(5), `mountinfo`).
    static func type(ofDevice device: String, in mounts: String) -> String? {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[2] == device, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
            else { continue }
            return String(fields[dash + 1])
        }
        return nil
    }

    private static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
