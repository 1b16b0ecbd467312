import CLinux
import Glibc
import NIOCore

/// A file descriptor that closes itself. Its calls block.
final class OpenFile: Sendable {
    let descriptor: Int32

    /// Opens a file, or creates one that must not be there yet.
    init(_ path: String, create: Bool = false, writable: Bool = false) throws(BlobError) {
        var flags = O_CLOEXEC | (writable ? O_RDWR : O_RDONLY)
        if create { flags |= O_CREAT | O_EXCL }
        descriptor = open(path, flags, 0o640)
        guard descriptor >= 0 else { throw BlobError(errno: errno, in: "open") }
    }

    deinit {
        close(descriptor)
    }

    /// Reads exactly `count` bytes; fewer are ``BlobError/Code-swift.enum/corrupt``.
    func read(at offset: Int64, count: Int) throws(BlobError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var done = 0
        while done < count {
            let taken = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { space in
                let taken = pread(descriptor, space.baseAddress, count - done, off_t(offset) + off_t(done))
                return max(0, taken)
            }
            if taken == 0 {
                // An error leaves its number; the end of the file does not.
                var byte: UInt8 = 0
                let again = pread(descriptor, &byte, 1, off_t(offset) + off_t(done))
                if again < 0, errno == EINTR { continue }
                if again < 0 { throw BlobError(errno: errno, in: "pread") }
                if again == 0 { throw BlobError(.corrupt, in: "pread") }
                continue
            }
            done += taken
        }
        return buffer
    }

    /// Reads `count` bytes when the kernel has all of them in memory; `nil` when it would have to wait for the disk.
    func readCached(at offset: Int64, count: Int) -> ByteBuffer? {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        let taken = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
            max(0, gantry_pread_cached(descriptor, space.baseAddress, count, off_t(offset)))
        }
        return taken == count ? buffer : nil
    }

    /// Writes all bytes at an offset.
    func write(_ bytes: ByteBuffer, at offset: Int64) throws(BlobError) {
        let code = bytes.withUnsafeReadableBytes { bytes in
            var done = 0
            while done < bytes.count {
                let taken = pwrite(
                    descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset) + off_t(done))
                if taken < 0 {
                    guard errno == EINTR else { return errno }
                    continue
                }
                done += taken
            }
            return 0
        }
        guard code == 0 else { throw BlobError(errno: code, in: "pwrite") }
    }

    /// Writes the pieces one behind the other in as few calls as the system allows.
    func write(gathering pieces: [iovec], at offset: Int64) throws(BlobError) {
        var pieces = pieces
        var first = 0
        var offset = off_t(offset)
        while first < pieces.count {
            var taken = pieces.withUnsafeBufferPointer { pieces in
                pwritev(
                    descriptor, pieces.baseAddress.map { $0 + first }, Int32(min(pieces.count - first, 1024)), offset)
            }
            if taken < 0 {
                guard errno == EINTR else { throw BlobError(errno: errno, in: "pwritev") }
                continue
            }
            offset += taken
            while first < pieces.count, taken >= pieces[first].iov_len {
                taken -= pieces[first].iov_len
                first += 1
            }
            if first < pieces.count, taken > 0 {
                pieces[first].iov_base += taken
                pieces[first].iov_len -= taken
            }
        }
    }

    /// Number of bytes, and when it was last changed in milliseconds since 1970.
    func status() throws(BlobError) -> (length: Int64, changed: Int64) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw BlobError(errno: errno, in: "fstat") }
        return (Int64(status.st_size), Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
    }

    /// Notes when the file was stored.
    func setChanged(_ milliseconds: Int64) {
        let time = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        _ = futimens(descriptor, [time, time])
    }
}

extension BlobError {
    /// The error of a system call.
    init(errno number: Int32, in operation: StaticString) {
        switch number {
        case ENOSPC, EDQUOT: self.init(.full, in: operation)
        case ENOENT: self.init(.notFound, in: operation)
        default: self.init(.io(errno: number), in: operation)
        }
    }
}
