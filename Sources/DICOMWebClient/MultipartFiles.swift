import NIOCore

/// The body of a store request: files as parts of `multipart/related`, read while they are sent (PS3.18 10.5).
struct MultipartFiles: Sendable {
    struct Part: Sendable {
        var path: String
        var length: Int
    }

    let parts: [Part]
    let boundary: String
    private let onBytes: @Sendable (Int) -> Void

    /// - Parameter onBytes: told how many bytes have been taken for sending since it was last called.
    init(parts: [Part], boundary: String, onBytes: @escaping @Sendable (Int) -> Void) {
        self.parts = parts
        self.boundary = boundary
        self.onBytes = onBytes
    }

    /// The Content-Type of the request.
    var contentType: String { "multipart/related; type=\"application/dicom\"; boundary=\(boundary)" }

    /// How many bytes the body has.
    var length: Int {
        parts.reduce(Self.closing(boundary).utf8.count) { sum, part in
            sum + Self.heading(boundary, part).utf8.count + part.length + 2
        }
    }

    private static func heading(_ boundary: String, _ part: Part) -> String {
        "--\(boundary)\r\nContent-Type: application/dicom\r\nContent-Length: \(part.length)\r\n\r\n"
    }

    private static func closing(_ boundary: String) -> String { "--\(boundary)--\r\n" }
}

extension MultipartFiles: AsyncSequence {
    typealias Element = ByteBuffer

    /// Bytes of one piece. Small files share a piece, large ones take many.
    private static let pieceLength = 256 * 1_024

    func makeAsyncIterator() -> Iterator { Iterator(files: self) }

    struct Iterator: AsyncIteratorProtocol {
        private let files: MultipartFiles
        private var cursor: Cursor? = Cursor()
        private var handedOut = 0

        init(files: MultipartFiles) { self.files = files }

        mutating func next() async throws -> ByteBuffer? {
            // Asking for more says that the piece before has been taken.
            if handedOut > 0 { files.onBytes(handedOut) }
            handedOut = 0
            guard let start = cursor else { return nil }
            let (piece, next) = try await DiskQueue.run { [files] in try files.piece(from: start) }
            cursor = next
            handedOut = piece.readableBytes
            return piece
        }
    }

    /// Where the next piece begins.
    struct Cursor: Sendable {
        var part = 0
        /// The part's file, once its heading has been written, and how much of it has.
        var open: (file: FileReader, offset: Int)?
    }

    /// The piece that begins at the cursor, and where the one behind it does; `nil` behind the last one.
    private func piece(from start: Cursor) throws -> (ByteBuffer, Cursor?) {
        var cursor = start
        var piece = ByteBufferAllocator().buffer(capacity: Self.pieceLength + 1_024)
        while cursor.part < parts.count {
            let part = parts[cursor.part]
            if cursor.open == nil {
                let file = try FileReader(path: part.path)
                guard file.length == part.length else { throw FileChangedError(path: part.path) }
                piece.writeString(Self.heading(boundary, part))
                cursor.open = (file, 0)
            }
            guard let (file, offset) = cursor.open else { continue }
            var position = offset
            while position < part.length {
                let room = Self.pieceLength - piece.readableBytes
                guard room > 0 else {
                    cursor.open = (file, position)
                    return (piece, cursor)
                }
                let count = try file.read(at: position, upTo: Swift.min(room, part.length - position), into: &piece)
                guard count > 0 else { throw FileChangedError(path: part.path) }
                position += count
            }
            piece.writeString("\r\n")
            cursor.part += 1
            cursor.open = nil
            if piece.readableBytes >= Self.pieceLength { return (piece, cursor) }
        }
        piece.writeString(Self.closing(boundary))
        return (piece, nil)
    }
}
