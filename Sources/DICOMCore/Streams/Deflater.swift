import CZlib

/// Deflates a stream in pieces, in constant memory.
///
/// `@unchecked Sendable`: one owner feeds it; it has no lock because it is never fed from two places.
public final class Deflater: @unchecked Sendable {
    private let stream: UnsafeMutablePointer<z_stream>

    /// `level` is zlib's: 1 fast, 9 small.
    public init(_ format: DeflateFormat, level: Int = 6) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = gantry_deflateInit2(stream, Int32(clamping: min(max(level, 1), 9)), format.windowBits)
        precondition(result == Z_OK, "zlib has no memory for a stream")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Deflates the bytes and appends what is ready.
    public func receive(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        run(bytes, Z_NO_FLUSH, &output)
    }

    /// Appends all that is still held back, so that a reader can inflate everything so far.
    public func flush(into output: inout [UInt8]) {
        run(UnsafeRawBufferPointer(start: nil, count: 0), Z_SYNC_FLUSH, &output)
    }

    /// Ends the stream.
    public func finish(into output: inout [UInt8]) {
        run(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH, &output)
    }

    private func run(_ bytes: UnsafeRawBufferPointer, _ flush: Int32, _ output: inout [UInt8]) {
        var used = 0
        repeat {
            let piece = min(bytes.count - used, 1 << 30)
            stream.pointee.next_in = bytes.baseAddress.map { base in
                UnsafeMutablePointer(mutating: base.advanced(by: used).assumingMemoryBound(to: UInt8.self))
            }
            stream.pointee.avail_in = UInt32(piece)
            var isFull = true
            while isFull {
                let room = 1 << 14
                let start = output.count
                output.append(contentsOf: repeatElement(0, count: room))
                let left = output.withUnsafeMutableBytes { target in
                    stream.pointee.next_out = target.baseAddress?.advanced(by: start)
                        .assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(room)
                    _ = deflate(stream, flush)
                    return Int(stream.pointee.avail_out)
                }
                output.removeLast(left)
                isFull = left == 0
            }
            used += piece
        } while used < bytes.count
    }
}
