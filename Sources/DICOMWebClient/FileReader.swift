import Dispatch
import Glibc
import NIOCore

/// A file could not be read.
package struct FileReadError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var errno: CInt

    package var description: String { "\(path): \(String(cString: strerror(errno)))" }
}

/// A file has another length than when it was looked at, so the announced length of the request is wrong.
package struct FileChangedError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String

    package var description: String { "\(path): changed while it was read" }
}

/// Threads for calls that wait for a disk; these must not wait in the tasks' own threads.
enum DiskQueue {
    private static let queue = DispatchQueue(label: "gantry.files", attributes: .concurrent)

    /// Runs the work there.
    static func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// An open file to read from. All of its calls may wait for the disk.
final class FileReader: Sendable {
    let path: String
    let length: Int
    private let descriptor: CInt

    init(path: String) throws(FileReadError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileReadError(path: path, errno: Glibc.errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = Glibc.errno
            close(descriptor)
            throw FileReadError(path: path, errno: code)
        }
        length = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Appends up to `count` bytes from the offset; returns how many, 0 at the end.
    func read(at offset: Int, upTo count: Int, into buffer: inout ByteBuffer) throws(FileReadError) -> Int {
        var code: CInt = 0
        let taken = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            while true {
                let result = pread(descriptor, bytes.baseAddress, count, off_t(offset))
                if result >= 0 { return result }
                guard Glibc.errno == EINTR else {
                    code = Glibc.errno
                    return 0
                }
            }
        }
        guard code == 0 else { throw FileReadError(path: path, errno: code) }
        return taken
    }

    /// The first bytes, fewer when the file is shorter.
    func beginning(_ count: Int) throws(FileReadError) -> [UInt8] {
        var buffer = ByteBuffer()
        while buffer.readableBytes < count {
            let taken = try read(at: buffer.readableBytes, upTo: count - buffer.readableBytes, into: &buffer)
            if taken == 0 { break }
        }
        return Array(buffer.readableBytesView)
    }
}
