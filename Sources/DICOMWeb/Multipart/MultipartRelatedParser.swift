// Longer than most files: one state machine.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a reader of multipart bodies puts up with.
public struct PartLimits: Hashable, Sendable {
    /// Bytes of one part's header.
    public var headerBytes = 8192
    /// Fields of one part's header.
    public var headerFields = 16
    /// Parts of one body.
    public var parts = 100_000

    public init() {}

    public static let standard = PartLimits()
}

/// Why reading a multipart body stopped.
public struct MultipartError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable { case tooManyParts(limit: Int) }

    public var code: Code
    /// Offset in the body.
    public var offset: Int
}

/// Splits the body of `multipart/related` into its parts (RFC 2046 5.1.1, PS3.18 8.6.1.2), without I/O.
///
/// Takes the body in pieces of any size and keeps nothing of it but the header of the part at hand. Payload is told as
/// ranges of the piece that was passed in, so that nobody has to copy it. At the end of a piece a start of a delimiter
/// is held back; if it was payload after all, the next piece yields it as bytes.
///
/// A delimiter is `CRLF--boundary`, then `--`, or blanks and the end of the line. The CRLF before it is no payload. When
/// the line end behind the first delimiter is a bare LF, then all delimiters have one, and the payload ends before it.
/// ```swift
/// var offset = 0
/// while let event = try piece.withUnsafeBytes({ try parser.next(in: $0, from: &offset) }) { … }
/// ```
public struct MultipartRelatedParser: Sendable {
    public enum Event: Hashable, Sendable {
        case partBegins(PartHeader)
        /// Payload: this range of the piece passed in.
        case bytes(Range<Int>)
        /// Payload that was held back from earlier pieces: a start of a delimiter that was none.
        case heldBytes([UInt8])
        case partEnds
    }

    /// How the body ended.
    public enum Ending: Hashable, Sendable {
        /// With a close delimiter.
        case closed
        /// It had no bytes, or nothing but white space.
        case empty
        /// It had bytes, but no delimiter.
        case noDelimiter
        /// Behind a delimiter or inside a header, where no part had begun.
        case beforePart
        /// Inside a part: there is no close delimiter. These bytes are the last ones of the payload.
        case insidePart(heldBytes: [UInt8])
    }

    private enum State {
        /// Before the first delimiter.
        case preamble
        case header
        case payload
        /// Behind the close delimiter.
        case epilogue
    }

    private let limits: PartLimits
    private let boundary: [UInt8]
    private var state = State.preamble
    private var delimiter: Delimiter
    /// How many bytes of the delimiter have matched; they end where the next piece begins.
    private var matched: Int
    /// How many of the matched bytes are no payload: the line end of the header, or the start of the body.
    private var virtual: Int
    /// What came behind a whole delimiter while it is open whether it is one.
    private var tail: [UInt8] = []
    private var line: [UInt8] = []
    private var lines: [[UInt8]] = []
    private var headerLength = 0
    private var sawText = false
    private var pending: Event?
    private var offset = 0

    /// Parts that have begun.
    public private(set) var partCount = 0
    /// Whether lines end with a bare LF, which the standard does not allow.
    public private(set) var hasBareLineFeeds = false

    /// Blanks that may stand between a boundary and the end of its line.
    private static let maximumPadding = 256

    public init(boundary: MultipartBoundary, limits: PartLimits = .standard) {
        self.limits = limits
        self.boundary = Array(boundary.text.utf8)
        // The preamble may come with any line end, and the start of the body counts as the start of a line.
        delimiter = Delimiter([0x0A, 0x2D, 0x2D] + self.boundary)
        matched = 1
        virtual = 1
    }

    /// The next event in a piece of the body; `nil` when the piece is used up. `offset` goes from 0 to its count.
    public mutating func next(
        in bytes: UnsafeRawBufferPointer, from offset: inout Int
    ) throws(MultipartError) -> Event? {
        if let event = pending {
            pending = nil
            return event
        }
        while offset < bytes.count {
            let start = offset
            let event: Event?
            switch state {
            case .preamble, .payload: event = search(bytes, &offset)
            case .header: event = try readHeader(bytes, &offset)
            case .epilogue:
                offset = bytes.count
                event = nil
            }
            self.offset += offset - start
            if let event { return event }
        }
        return nil
    }

    /// Feeds a piece and passes its events on. For callers that need not wait between events.
    public mutating func receive(
        _ bytes: UnsafeRawBufferPointer, _ body: (Event) throws -> Void
    ) throws {
        var offset = 0
        while let event = try next(in: bytes, from: &offset) { try body(event) }
    }

    /// Says how the body ended, after its last piece. Part that were not ended by a delimiter are not told as ended.
    public func finish() -> Ending {
        switch state {
        case .epilogue: .closed
        case .header: .beforePart
        case .preamble:
            // A body that stops right behind its first boundary has one.
            matched == delimiter.count ? .beforePart : sawText || matched > 1 ? .noDelimiter : .empty
        case .payload:
            // A whole delimiter without the rest of its line still ends the payload.
            .insidePart(heldBytes: matched == delimiter.count ? [] : Array(delimiter.bytes[virtual..<matched]))
        }
    }

    // MARK: - Delimiters

    /// Looks for the next delimiter in payload or preamble.
    private mutating func search(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Event? {
        if matched == delimiter.count { return confirm(bytes, &offset) }
        if matched > 0 {
            while offset < bytes.count, matched < delimiter.count, bytes[offset] == delimiter.bytes[matched] {
                offset += 1
                matched += 1
            }
            guard offset < bytes.count || matched == delimiter.count else { return nil }
            // No proper start of a delimiter begins inside another, because only its first bytes are a line end.
            return matched == delimiter.count ? nil : release()
        }
        let start = offset
        let found = delimiter.firstIndex(in: bytes, from: start)
        if let found {
            offset = found + delimiter.count
            matched = delimiter.count
        } else {
            matched = delimiter.prefixAtEnd(of: bytes, from: start)
            offset = bytes.count
        }
        virtual = 0
        let end = found ?? bytes.count - matched
        return end > start ? payload(start..<end, in: bytes) : nil
    }

    /// Decides, by what follows its boundary, whether a delimiter is one.
    private mutating func confirm(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Event? {
        while offset < bytes.count {
            let byte = bytes[offset]
            switch (tail.last, byte) {
            case (0x2D, 0x2D):
                offset += 1
                return endPart(then: .epilogue)
            case (0x0D, 0x0A), (nil, 0x0A), (0x20, 0x0A), (0x09, 0x0A):
                offset += 1
                let isBare = tail.last != 0x0D
                if isBare { hasBareLineFeeds = true }
                let isFirst = state == .preamble
                let event = endPart(then: .header)
                if isFirst { delimiter = Delimiter((isBare ? [0x0A] : [0x0D, 0x0A]) + [0x2D, 0x2D] + boundary) }
                return event
            case (nil, 0x2D), (nil, 0x20), (nil, 0x09), (nil, 0x0D), (0x20, 0x20), (0x20, 0x09), (0x20, 0x0D),
                (0x09, 0x20), (0x09, 0x09), (0x09, 0x0D):
                guard tail.count < Self.maximumPadding else { return release() }
                tail.append(byte)
                offset += 1
            default:
                return release()
            }
        }
        return nil
    }

    /// What had matched was payload.
    private mutating func release() -> Event? {
        let held = Array(delimiter.bytes[virtual..<matched]) + tail
        matched = 0
        virtual = 0
        tail = []
        guard !held.isEmpty else { return nil }
        guard state == .payload else {
            if !sawText { sawText = held.contains { !Self.isWhiteSpace($0) } }
            return nil
        }
        return .heldBytes(held)
    }

    private mutating func payload(_ range: Range<Int>, in bytes: UnsafeRawBufferPointer) -> Event? {
        if state == .payload { return .bytes(range) }
        if !sawText {
            sawText = range.contains { !Self.isWhiteSpace(bytes[$0]) }
        }
        return nil
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private mutating func endPart(then next: State) -> Event? {
        let event: Event? = state == .payload ? .partEnds : nil
        state = next
        tail = []
        return event
    }

    // MARK: - Headers

    private mutating func readHeader(
        _ bytes: UnsafeRawBufferPointer, _ offset: inout Int
    ) throws(MultipartError) -> Event? {
        let start = self.offset - offset
        // 1. The rest of the line, or of the piece.
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        let lineFeed = rest.firstIndex(ofByte: 0x0A)
        let count = lineFeed ?? rest.count
        guard headerLength + count < limits.headerBytes else {
            // 2. Too long: what is behind the limit, however it comes, passes for payload of a part that is refused.
            offset += limits.headerBytes - headerLength
            return try beginPart(PartHeader(problem: .tooLarge), isLineStart: false, at: start + offset)
        }
        line.append(contentsOf: rest[..<count])
        headerLength += count
        offset += count
        guard lineFeed != nil else { return nil }
        offset += 1
        headerLength += 1
        if line.last == 0x0D { line.removeLast() } else { hasBareLineFeeds = true }
        // 3. An empty line ends the header; a delimiter line ends a part that has no such line.
        let isClose = isDelimiterLine()
        if line.isEmpty || isClose != nil {
            let header = PartHeader(lines: lines, limits: limits)
            let event = try beginPart(header, isLineStart: true, at: start + offset)
            guard let isClose else { return event }
            pending = endPart(then: isClose ? .epilogue : .header)
            return event
        }
        lines.append(line)
        line.removeAll(keepingCapacity: true)
        return nil
    }

    /// Whether the line is a delimiter, and if it is, whether it is the close delimiter.
    private func isDelimiterLine() -> Bool? {
        guard line.starts(with: [0x2D, 0x2D] + boundary) else { return nil }
        let rest = line[(boundary.count + 2)...]
        if rest.starts(with: [0x2D, 0x2D]) { return true }
        return rest.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? false : nil
    }

    private mutating func beginPart(
        _ header: PartHeader, isLineStart: Bool, at offset: Int
    ) throws(MultipartError) -> Event {
        guard partCount < limits.parts else {
            throw MultipartError(code: .tooManyParts(limit: limits.parts), offset: offset)
        }
        partCount += 1
        state = .payload
        // The line end of the header may be that of the delimiter, when there is no payload (RFC 2046 5.1.1).
        matched = isLineStart ? delimiter.count - boundary.count - 2 : 0
        virtual = matched
        line.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
        headerLength = 0
        return .partBegins(header)
    }
}

/// The bytes that end a payload, and how to look for them fast.
private struct Delimiter: Sendable {
    let bytes: [UInt8]
    /// For each byte at the end of a window, how far the window may move on (Horspool). Unlike a search for line feeds
    /// this does not slow down on payload that is full of them.
    private let shifts: [UInt8]

    var count: Int { bytes.count }

    /// At most 255 bytes, of which only the first ones are a line end.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var shifts = [UInt8](repeating: UInt8(truncatingIfNeeded: bytes.count), count: 256)
        for (index, byte) in bytes.dropLast().enumerated() {
            shifts[Int(byte)] = UInt8(truncatingIfNeeded: bytes.count - 1 - index)
        }
        self.shifts = shifts
    }

    /// Where the whole delimiter first occurs.
    func firstIndex(in hay: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = hay.baseAddress, hay.count - start >= bytes.count else { return nil }
        return bytes.withUnsafeBufferPointer { needle in
            shifts.withUnsafeBufferPointer { shifts in
                guard let needleBase = needle.baseAddress, let last = needle.last else { return nil }
                var end = start + needle.count - 1
                while end < hay.count {
                    let byte = hay[end]
                    if byte == last {
                        let from = end - needle.count + 1
                        if memcmp(base + from, needleBase, needle.count) == 0 { return from }
                    }
                    end += Int(shifts[Int(byte)])
                }
                return nil
            }
        }
    }

    /// How long the longest start of a delimiter is that the bytes end with.
    func prefixAtEnd(of hay: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = hay.baseAddress else { return 0 }
        return bytes.withUnsafeBufferPointer { needle in
            guard let needleBase = needle.baseAddress else { return 0 }
            var length = min(needle.count - 1, hay.count - start)
            while length > 0 {
                let from = hay.count - length
                if hay[from] == needle[0], memcmp(base + from, needleBase, length) == 0 { return length }
                length -= 1
            }
            return 0
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func firstIndex(ofByte byte: UInt8) -> Int? {
        guard let baseAddress, let found = memchr(baseAddress, Int32(byte), count) else { return nil }
        return UnsafeRawPointer(found) - baseAddress
    }
}
