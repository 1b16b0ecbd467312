import DICOMWeb
import Glibc
import NIOCore

/// Writes the parts of a retrieve answer to files of a folder, each named after its instance.
///
/// A file has its name only when it is complete. All calls may wait for the disk.
struct RetrievedFiles: Sendable {
    private let folder: String
    private var parser: MultipartRelatedParser?
    private var open: PartFile?
    private(set) var paths: [String] = []

    /// - Parameter boundary: `nil` when the whole body is one instance.
    init(folder: String, boundary: MultipartBoundary?) throws(FileReadError) {
        self.folder = folder
        parser = boundary.map { MultipartRelatedParser(boundary: $0) }
        try Self.makeFolder(folder)
        if boundary == nil { open = try PartFile(folder: folder, number: 1) }
    }

    /// Takes a piece of the body; returns the files that it completed.
    mutating func take(_ piece: ByteBuffer) throws -> [String] {
        let known = paths.count
        guard var parser else {
            try piece.withUnsafeReadableBytes { try open?.write($0) }
            return []
        }
        try piece.withUnsafeReadableBytes { bytes in
            var offset = 0
            while let event = try parser.next(in: bytes, from: &offset) {
                switch event {
                case .partBegins: open = try PartFile(folder: folder, number: parser.partCount)
                case .bytes(let range): try open?.write(UnsafeRawBufferPointer(rebasing: bytes[range]))
                case .heldBytes(let held): try held.withUnsafeBytes { try open?.write($0) }
                case .partEnds: try closePart()
                }
            }
        }
        self.parser = parser
        return Array(paths[known...])
    }

    /// Ends the last file; says whether the body was complete.
    mutating func finish() throws -> Bool {
        guard let parser else {
            try closePart()
            return true
        }
        open = nil
        return parser.finish() == .closed
    }

    private mutating func closePart() throws {
        guard let file = open else { return }
        open = nil
        paths.append(try file.complete())
    }

    private static func makeFolder(_ path: String) throws(FileReadError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            made += made.isEmpty || made == "/" ? String(component) : "/" + component
            guard mkdir(made, 0o777) != 0, errno != EEXIST, errno != EISDIR else { continue }
            throw FileReadError(path: made, errno: errno)
        }
    }
}

/// One file being written. It goes away again unless it is completed.
private final class PartFile: Sendable {
    private let folder: String
    private let number: Int
    private let temporaryPath: String
    private let descriptor: CInt
    /// The beginning, which tells the instance.
    private let head = HeadBytes()

    init(folder: String, number: Int) throws(FileReadError) {
        self.folder = folder
        self.number = number
        temporaryPath = "\(folder)/.gantry-\(getpid())-\(number)-\(UInt32.random(in: .min ... .max)).partial"
        descriptor = Glibc.open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileReadError(path: temporaryPath, errno: errno) }
    }

    deinit {
        close(descriptor)
        // After completion there is nothing of this name any more.
        unlink(temporaryPath)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(FileReadError) {
        head.add(bytes)
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                guard errno == EINTR else { throw FileReadError(path: temporaryPath, errno: errno) }
            } else {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Gives the file its name and returns its path.
    func complete() throws(FileReadError) -> String {
        let uid = Part10Head(head.bytes)?.sopInstanceUID
        let path = "\(folder)/\(uid ?? "part-\(number)").dcm"
        guard rename(temporaryPath, path) == 0 else { throw FileReadError(path: path, errno: errno) }
        return path
    }
}
