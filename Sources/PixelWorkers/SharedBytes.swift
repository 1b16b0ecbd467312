import CLinux
import Glibc
import NIOCore

/// Memory that the server and one worker both see: frames go through it instead of through a socket.
///
/// It only grows: neither side can take mapped memory away from the other. `@unchecked Sendable`: the owner of the
/// worker's turn uses it.
final class SharedBytes: @unchecked Sendable {
    let descriptor: Int32
    private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// What stays in memory between jobs.
    private static let keptLength = 32 << 20

    init() throws(PixelFailure) {
        descriptor = gantry_memory_file("gantry-pixels")
        guard descriptor >= 0 else { throw PixelFailure(.unavailable, "the system gives no shared memory") }
    }

    /// The other side's end.
    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        if let base = bytes.baseAddress { munmap(base, bytes.count) }
        close(descriptor)
    }

    /// Makes room for this many bytes.
    func reserve(_ count: Int) throws(PixelFailure) {
        guard count > bytes.count else { return }
        let size = (max(count, 1 << 20) + 0xFFFF) & ~0xFFFF
        guard ftruncate(descriptor, off_t(size)) == 0 || fileSize >= count else {
            throw PixelFailure(.tooLarge, "there is no memory for the frame")
        }
        try map()
    }

    /// Sees what the other side has made of it.
    func refresh(_ count: Int) throws(PixelFailure) {
        guard count > bytes.count else { return }
        guard fileSize >= count else { throw PixelFailure(.crashed, "the worker's answer is not there") }
        try map()
    }

    /// Gives memory back that only large frames need.
    func trim() {
        guard bytes.count > Self.keptLength, let base = bytes.baseAddress else { return }
        madvise(base + Self.keptLength, bytes.count - Self.keptLength, MADV_REMOVE)
    }

    private var fileSize: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    private func map() throws(PixelFailure) {
        let size = fileSize
        if let base = bytes.baseAddress { munmap(base, bytes.count) }
        bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
            throw PixelFailure(.tooLarge, "there is no memory for the frame")
        }
        bytes = UnsafeMutableRawBufferPointer(start: base, count: size)
    }
}
