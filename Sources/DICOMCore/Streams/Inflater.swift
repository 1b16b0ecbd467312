import CZlib

/// Which wrapping a deflated stream has.
public enum DeflateFormat: Hashable, Sendable {
    /// RFC 1951 alone, as the deflated transfer syntaxes want it (PS3.5 A.5).
    case raw
    /// RFC 1950, which HTTP calls `deflate`.
    case zlib
    /// RFC 1952.
    case gzip

    var windowBits: Int32 {
        switch self {
        case .raw: -15
        case .zlib: 15
        case .gzip: 31
        }
    }
}

/// How far a stream may inflate.
public struct InflateLimits: Hashable, Sendable {
    public var bytes: Int
    /// Inflated bytes for one deflated byte; counts only behind `ratioFloor` inflated bytes.
    public var ratio: Int
    public var ratioFloor: Int

    public init(bytes: Int, ratio: Int, ratioFloor: Int) {
        self.bytes = bytes
        self.ratio = ratio
        self.ratioFloor = ratioFloor
    }

    public init(_ limits: ReadLimits) {
        self.init(bytes: limits.inflatedBytes, ratio: limits.inflateRatio, ratioFloor: limits.ratioFloor)
    }
}

/// Why inflating stopped.
public enum InflateError: Error, Hashable, Sendable {
    case corrupt
    case limit(Int)
}

/// Inflates a stream in pieces, in constant memory, up to a limit.
///
/// `@unchecked Sendable`: one owner feeds it; it has no lock because it is never fed from two places.
public final class Inflater: @unchecked Sendable {
    /// Whether the end of the deflated stream was seen; what comes behind it is not read.
    public private(set) var isAtEnd = false
    /// Bytes of input used and of output made.
    public private(set) var inputCount = 0
    public private(set) var outputCount = 0

    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutableRawBufferPointer
    private let limits: InflateLimits
    private let isReady: Bool

    public init(_ format: DeflateFormat, limits: InflateLimits) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        output = .allocate(byteCount: 1 << 16, alignment: 16)
        self.limits = limits
        isReady = gantry_inflateInit2(stream, format.windowBits) == Z_OK
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    /// Inflates the bytes and gives each piece of the result to `body`. Says how many bytes of input were used: all of
    /// them, unless the stream ended before.
    @discardableResult
    public func receive<Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws -> Int {
        guard isReady else { throw InflateError.corrupt }
        guard !isAtEnd, let start = bytes.baseAddress else { return 0 }
        var used = 0
        while used < bytes.count, !isAtEnd {
            let piece = min(bytes.count - used, 1 << 30)
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: start.advanced(by: used).assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(piece)
            repeat {
                let before = Int(stream.pointee.avail_in)
                stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(output.count)
                let result = inflate(stream, Z_NO_FLUSH)
                guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                    throw InflateError.corrupt
                }
                let made = output.count - Int(stream.pointee.avail_out)
                inputCount += before - Int(stream.pointee.avail_in)
                outputCount += made
                guard outputCount <= limits.bytes else { throw InflateError.limit(limits.bytes) }
                if outputCount > limits.ratioFloor, outputCount / max(inputCount, 1) > limits.ratio {
                    throw InflateError.limit(limits.ratio)
                }
                if made > 0 { try body(UnsafeRawBufferPointer(rebasing: output[..<made])) }
                if result == Z_STREAM_END { isAtEnd = true }
                if result == Z_BUF_ERROR { break }
            } while !isAtEnd && (stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0)
            used += piece - Int(stream.pointee.avail_in)
            if !isAtEnd, stream.pointee.avail_in > 0 { throw InflateError.corrupt }
        }
        return used
    }
}
