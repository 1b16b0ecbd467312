import BlobStorage
import DICOMCore
package import NIOCore

/// Takes the bytes of one instance as they arrive: parses them, hashes them and puts them into the blob store's
/// staging, in constant memory.
///
/// When the bytes turn out to be no DICOM, or staging fails, what is staged goes away at once, and the rest of the
/// part is taken and forgotten so that the parts behind it can be read. End with `finish` or `abandon`.
package struct InstanceReceiver {
    private var reader: Part10Reader?
    private var writer: (any BlobWriter)?
    private var preamble: PreambleFilter?
    private var refusal: RefusalCause?
    private var identity: PartialIdentity?
    private var length = 0
    private var held: ByteBuffer?
    private var hasBegun = false
    private let limit: Int
    private let rules: ReadingRules
    private let room: StorageRoom?
    private let origin: IngestionOrigin
    private let receivedAt: Int64

    init(
        writer: any BlobWriter, limit: Int, zeroesPreamble: Bool, rules: ReadingRules, room: StorageRoom,
        origin: IngestionOrigin, receivedAt: Int64
    ) {
        reader = Part10Reader(rules: rules)
        self.rules = rules
        self.room = room
        self.writer = writer
        preamble = zeroesPreamble ? PreambleFilter() : nil
        self.limit = limit
        self.origin = origin
        self.receivedAt = receivedAt
    }

    /// A receiver that only drains: staging could not even begin.
    init(refusal: RefusalCause, origin: IngestionOrigin, receivedAt: Int64) {
        self.refusal = refusal
        limit = .max
        rules = .tolerant
        room = nil
        self.origin = origin
        self.receivedAt = receivedAt
    }

    /// Whether the instance is refused already. Its bytes may still be written, to no effect.
    package var isRefused: Bool { refusal != nil }

    /// Takes the next bytes. Waits for the disk when that is slower than the sender.
    package mutating func write(_ bytes: ByteBuffer) async {
        length += bytes.readableBytes
        guard refusal == nil, bytes.readableBytes > 0 else { return }
        guard length <= limit else { return await refuse(.tooLarge(limit: limit)) }
        if let room, await !room.admits(bytes.readableBytes) { return await refuse(.outOfSpace) }
        var bytes = bytes
        if preamble?.isActive == true {
            guard let filtered = preamble?.filter(bytes) else { return }
            bytes = filtered
        }
        await take(bytes)
    }

    /// Ends the instance.
    package mutating func finish() async -> ReceivedInstance {
        if let rest = preamble?.release() { await take(rest) }
        if refusal == nil, length == 0 { await refuse(.emptyPart) }
        do {
            if refusal == nil, let file = try readToEnd(), let blob = try await writer?.finish() {
                writer = nil
                return received(.file(file, blob))
            }
        } catch let error as DataSetReadError {
            await refuse(RefusalCause(error))
        } catch {
            await refuse(RefusalCause(storageError: error))
        }
        return received(.refused(refusal ?? .internalFailure, identity: identity))
    }

    /// Gives the instance up: its sender is gone. Nothing of it remains.
    package mutating func abandon() async { await refuse(.truncated(offset: length)) }

    private mutating func take(_ bytes: ByteBuffer) async {
        do {
            try read(bytes)
            try await writer?.write(bytes)
        } catch let error as DataSetReadError {
            await refuse(RefusalCause(error))
        } catch {
            await refuse(RefusalCause(storageError: error))
        }
    }

    /// A first piece up to this size waits: if it is the whole file, it is read in one go, which is faster.
    private static let heldLimit = 64 << 10

    private mutating func read(_ bytes: ByteBuffer) throws(DataSetReadError) {
        if !hasBegun, held == nil, bytes.readableBytes <= Self.heldLimit {
            held = bytes
            return
        }
        hasBegun = true
        if let first = held {
            held = nil
            try receive(first)
        }
        try receive(bytes)
    }

    private mutating func readToEnd() throws(DataSetReadError) -> DICOMFile? {
        if let whole = held { return try Part10Reader.read(Array(whole.readableBytesView), rules: rules) }
        return try reader?.finish()
    }

    private mutating func receive(_ bytes: ByteBuffer) throws(DataSetReadError) {
        let result: Result<Void, DataSetReadError> = bytes.withUnsafeReadableBytes { bytes in
            do throws(DataSetReadError) {
                return .success(try reader?.receive(bytes) ?? ())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Refuses the instance from without: its file cannot be made.
    mutating func refuse(_ cause: RefusalCause, identity: PartialIdentity? = nil) async {
        if refusal == nil {
            refusal = cause
            self.identity = identity
        }
        reader = nil
        held = nil
        preamble = nil
        guard let writer else { return }
        self.writer = nil
        await writer.abort()
    }

    private func received(_ content: ReceivedInstance.Content) -> ReceivedInstance {
        ReceivedInstance(content: content, length: length, origin: origin, receivedAt: receivedAt)
    }
}

/// Writes zeros over the 128 bytes before `DICM` and leaves files without that prefix as they are (D-15).
private struct PreambleFilter {
    private static let prefixEnd = 132
    private var held = ByteBuffer()
    private(set) var isActive = true

    /// What can be passed on by now.
    mutating func filter(_ bytes: ByteBuffer) -> ByteBuffer? {
        held.writeImmutableBuffer(bytes)
        return held.readableBytes >= Self.prefixEnd ? release() : nil
    }

    /// Passes on all that is held.
    mutating func release() -> ByteBuffer? {
        guard isActive else { return nil }
        isActive = false
        let start = held.readerIndex
        if held.getInteger(at: start + 128, as: UInt32.self) == 0x4449_434D {
            held.setRepeatingByte(0, count: 128, at: start)
        }
        defer { held = ByteBuffer() }
        return held.readableBytes > 0 ? held : nil
    }
}

extension RefusalCause {
    /// The reason of a file that could not be read.
    init(_ error: DataSetReadError) {
        switch error.code {
        case .notDICOM: self = .notDICOM(offset: error.offset)
        case .truncated: self = .truncated(offset: error.offset)
        case .nestingTooDeep, .tooManyElements, .tooManyItems, .tooManyBytes, .inflateLimit:
            self = .tooComplex(offset: error.offset)
        case .invalidVR, .invalidTag, .invalidItem, .lengthOverflow, .undefinedLength, .corruptDeflate,
            .conflictingUIDs, .notAllowed:
            self = .malformed(offset: error.offset)
        }
    }
}
