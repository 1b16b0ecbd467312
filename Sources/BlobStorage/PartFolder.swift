import CLinux
import Glibc
import NIOCore

/// The parts of one upload in a ``DiskUploadLanding``, in a folder named by its id: `key` holds the upload's key, and each part is
/// `<number>.<entity tag>`. Its calls block.
struct PartFolder {
    private let path: String
    private let folder: LandingFolder

    init(_ upload: BlobKey, in folder: LandingFolder) {
        path = folder.partsPath(upload)
        self.folder = folder
    }

    /// Begins an upload, durably.
    func begin(_ key: UploadKey) throws(BlobError) {
        guard mkdir(path, 0o700) == 0 else { throw BlobError(errno: errno, in: "mkdir") }
        let file = try OpenFile(path + "/key", create: true, writable: true)
        try file.write(.init(string: key.description), at: 0)
        guard fsync(file.descriptor) == 0 else { throw BlobError(errno: errno, in: "fsync") }
        try folder.flushFolder(path)
        try folder.flushFolder(folder.parts)
    }

    /// The upload's key, and when it was begun in milliseconds since 1970; `nil` when there is no such upload.
    func begun() throws(BlobError) -> (key: UploadKey, at: Int64)? {
        let file: OpenFile
        do throws(BlobError) {
            file = try OpenFile(path + "/key")
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        let status = try file.status()
        guard status.length == UploadKey.length,
            let key = UploadKey(String(buffer: try file.read(at: 0, count: UploadKey.length)))
        else { return nil }
        return (key, status.changed)
    }

    /// When the folder was last changed, in milliseconds since 1970; `nil` when it is not there.
    func changed() throws(BlobError) -> Int64? {
        do throws(BlobError) {
            return try OpenFile(path).status().changed
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// Gives a part its name, durably, and removes the one it replaces; answers its entity tag.
    func place(_ file: String, as number: Int) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let etag = BlobKey(using: &generator).description
        guard rename(file, "\(path)/\(number).\(etag)") == 0 else {
            guard errno == ENOENT else { throw BlobError(errno: errno, in: "rename") }
            throw UploadLandingError(.noSuchUpload)
        }
        for name in try folder.names(in: path) where name.hasPrefix("\(number).") && !name.hasSuffix(etag) {
            unlink(path + "/" + name)
        }
        try folder.flushFolder(path)
        return etag
    }

    /// What is there, in the order of the numbers. Of two versions of a part, of which a crash kept us from removing one, the later.
    func parts() throws -> [LandedPart] {
        guard access(path + "/key", F_OK) == 0 else { throw UploadLandingError(.noSuchUpload) }
        var found: [Int: (part: LandedPart, changed: Int64)] = [:]
        for name in try folder.names(in: path) {
            let fields = name.split(separator: ".")
            guard fields.count == 2, let number = Int(fields[0]), BlobKey(fields[1]) != nil,
                let status = try? OpenFile(path + "/" + name).status(),
                found[number].map({ $0.changed < status.changed }) ?? true
            else { continue }
            let part = LandedPart(number: number, etag: String(fields[1]), length: Int(status.length))
            found[number] = (part, status.changed)
        }
        return found.values.map(\.part).sorted { $0.number < $1.number }
    }

    /// Makes one file of the parts in `file`, flushed; one part is only renamed.
    func join(_ parts: [LandedPart], into file: String) throws {
        let paths = parts.map { "\(path)/\($0.number).\($0.etag)" }
        if let only = paths.first, paths.count == 1 {
            guard link(only, file) == 0 else { throw Self.missing(parts[0], errno) }
            return
        }
        let joined = try OpenFile(file, create: true, writable: true)
        var end: Int64 = 0
        for (part, path) in zip(parts, paths) {
            let source: OpenFile
            do throws(BlobError) {
                source = try OpenFile(path)
            } catch {
                guard error.code == .notFound else { throw error }
                throw UploadLandingError(.noSuchPart(part.number))
            }
            end += try joined.append(source, at: end)
        }
        guard folder.flush(joined.descriptor) == 0 else { throw BlobError(errno: errno, in: "fdatasync") }
    }

    /// Removes the upload; one that is gone is no error.
    func remove() throws(BlobError) {
        // First the key: without it there is no upload any more.
        unlink(path + "/key")
        for name in try folder.names(in: path) { unlink(path + "/" + name) }
        guard rmdir(path) == 0 || errno == ENOENT else { throw BlobError(errno: errno, in: "rmdir") }
    }

    private static func missing(_ part: LandedPart, _ code: Int32) -> any Error {
        code == ENOENT ? UploadLandingError(.noSuchPart(part.number)) : BlobError(errno: code, in: "link")
    }
}

extension OpenFile {
    /// Copies all of another file to an offset, within the kernel where it can; answers how many bytes.
    fileprivate func append(_ source: OpenFile, at offset: Int64) throws(BlobError) -> Int64 {
        let length = try source.status().length
        var done: Int64 = 0
        while done < length {
            var from = Int(done)
            var to = Int(offset + done)
            let taken = copy_file_range(source.descriptor, &from, descriptor, &to, Int(min(length - done, 1 << 30)), 0)
            if taken > 0 {
                done += Int64(taken)
                continue
            }
            guard taken < 0 else { throw BlobError(.corrupt, in: "copy_file_range") }
            switch errno {
            case EINTR: continue
            case ENOSPC, EDQUOT, EIO: throw BlobError(errno: errno, in: "copy_file_range")
            default:
                // A file system that cannot do it.
                let piece = try source.read(at: done, count: Int(min(length - done, 1 << 20)))
                try write(piece, at: offset + done)
                done += Int64(piece.readableBytes)
            }
        }
        return done
    }
}
