import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import GantryServer

/// Archives as other programs read them: Python's `zipfile` and Info-ZIP's `unzip`.
@Suite struct ZipWriterTests {
    @Test func `others read every kind of file`() async throws {
        let archive = try SparseFile()
        let zip = try ZipWriter()
        let long = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        for (name, bytes, isKnown, step) in [
            ("1.2/empty.dcm", [], true, 1), ("1.2/unknown-empty.dcm", [], false, 1),
            ("1.2/known.dcm", long, true, 100_000), ("1.2/unknown.dcm", long, false, 70_001),
            ("1.3/small-pieces.dcm", Array(long[..<5000]), true, 7), ("1.3/last.dcm", [1, 2, 3], true, 3),
        ] as [(String, [UInt8], Bool, Int)] {
            try zip.begin(name, length: isKnown ? bytes.count : nil, modified: 1_700_000_000)
            for start in stride(from: 0, to: bytes.count, by: step) {
                try zip.write(ByteBuffer(bytes: bytes[start..<min(start + step, bytes.count)]))
                try archive.append(zip.takeOutput())
            }
            try zip.end()
        }
        try zip.finish()
        try archive.append(zip.takeOutput())
        let listing = try await archive.listing()
        #expect(
            listing == [
                "1.2/empty.dcm 0 0 00000000", "1.2/unknown-empty.dcm 0 0 00000000",
                "1.2/known.dcm 0 300000 \(crc(long))", "1.2/unknown.dcm 0 300000 \(crc(long))",
                "1.3/small-pieces.dcm 0 5000 \(crc(long[..<5000]))", "1.3/last.dcm 0 3 \(crc([1, 2, 3]))", "2023",
            ])
        #expect(try await archive.unzipTests())
    }

    @Test(.timeLimit(.minutes(2)))
    func `a file and an archive of more than 4 GiB are ZIP64`() async throws {
        // Zeros that are a hole in the file, and take no room in memory either.
        let mebibyte = ByteBuffer(repeating: 0, count: 1 << 20)
        let archive = try SparseFile()
        let zip = try ZipWriter()
        for (name, length, isKnown) in [
            ("1/large.dcm", 4100, true), ("1/behind.dcm", 1, true), ("1/behind-unknown.dcm", 2, false),
        ] {
            try zip.begin(name, length: isKnown ? length << 20 : nil, modified: 0)
            for _ in 0..<length {
                try zip.write(mebibyte)
                let output = zip.takeOutput()
                #expect(output.reduce(0) { $0 + $1.readableBytes } < (1 << 20) + 1024)
                try archive.append(output)
            }
            try zip.end()
        }
        try zip.begin("1/last.dcm", length: 4, modified: 0)
        try zip.write(ByteBuffer(string: "last"))
        try zip.end()
        try zip.finish()
        try archive.append(zip.takeOutput())
        #expect(archive.length > 4103 << 20 && archive.allocated < 8 << 20)
        let listing = try await archive.listing()
        #expect(
            listing.map { $0.split(separator: " ").dropLast().joined(separator: " ") } == [
                "1/large.dcm 0 4299161600", "1/behind.dcm 0 1048576", "1/behind-unknown.dcm 0 2097152",
                "1/last.dcm 0 4", "",
            ])
        #expect(listing.count > 3 && listing[3].hasSuffix(crc(Array("last".utf8))))
        // It takes its time over the large one, which Python has checked.
        #expect(try await archive.unzipTests("1/behind.dcm", "1/behind-unknown.dcm", "1/last.dcm"))
    }

    @Test func `more than 65535 files are ZIP64`() async throws {
        let archive = try SparseFile()
        let zip = try ZipWriter()
        for number in 0..<70_000 {
            try zip.begin("1/\(number).dcm", length: 4, modified: 0)
            try zip.write(ByteBuffer(integer: UInt32(number)))
            try zip.end()
            if number % 1000 == 0 { try archive.append(zip.takeOutput()) }
        }
        try zip.finish()
        try archive.append(zip.takeOutput())
        let listing = try await archive.listing()
        #expect(listing.count == 70_001 && Set(listing).count == 70_001)
        #expect(listing[69_999] == "1/69999.dcm 0 4 \(crc([0, 1, 0x11, 0x6F]))")
        #expect(try await archive.unzipTests())
    }

    @Test func `bytes that are put in come out uncopied`() throws {
        let zip = try ZipWriter()
        try zip.begin("a", length: nil, modified: 0)
        let piece = ByteBuffer(repeating: 7, count: 100_000)
        try zip.write(piece)
        let output = zip.takeOutput()
        #expect(output.last == piece && output.count == 2)
        let addresses = [piece, try #require(output.last)].map { $0.withUnsafeReadableBytes { $0.baseAddress } }
        #expect(addresses[0] == addresses[1])
    }

    @Test func `a file of another length than was said is an error`() throws {
        let long = try ZipWriter()
        try long.begin("a", length: 3, modified: 0)
        try long.write(ByteBuffer(bytes: [1, 2]))
        #expect(throws: ZipError.wrongLength) { try long.write(ByteBuffer(bytes: [3, 4])) }
        let short = try ZipWriter()
        try short.begin("a", length: 3, modified: 0)
        try short.write(ByteBuffer(bytes: [1, 2]))
        #expect(throws: ZipError.wrongLength) { try short.end() }
    }

    /// CRC-32 by its definition (IEEE 802.3), in hexadecimal.
    private func crc(_ bytes: some Sequence<UInt8>) -> String {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
        }
        let text = String(~crc, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }
}

/// A file in which pieces of zeros are holes; it goes away with this value.
private final class SparseFile {
    struct Failure: Error { var code: Int32 }

    let path: String
    private let descriptor: Int32
    private(set) var length = 0

    init() throws {
        path = "\(FileManager.default.temporaryDirectory.path())/gantry-zip-\(UUID().uuidString).zip"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw Failure(code: errno) }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    func append(_ pieces: [ByteBuffer]) throws {
        for piece in pieces {
            try piece.withUnsafeReadableBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                let isHole = bytes.count == Self.zeros.count && memcmp(start, Self.zeros, bytes.count) == 0
                guard isHole || pwrite(descriptor, start, bytes.count, off_t(length)) == bytes.count else {
                    throw Failure(code: errno)
                }
            }
            length += piece.readableBytes
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: 1 << 20)

    /// Bytes on the disk.
    var allocated: Int {
        var status = stat()
        fstat(descriptor, &status)
        return Int(status.st_blocks) * 512
    }

    /// Name, method, length and checksum of each file after Python has read it, and then the year of the third.
    func listing() async throws -> [String] {
        let script = """
            import sys, zipfile
            archive = zipfile.ZipFile(sys.argv[1])
            assert archive.testzip() is None
            files = archive.infolist()
            for file in files: print(file.filename, file.compress_type, file.file_size, "%08x" % file.CRC)
            print(files[2].date_time[0])
            """
        let (status, output) = try await shell("python3 -c '\(script)' \(path)")
        guard status == 0 else { throw Failure(code: status) }
        return output.split(separator: "\n").map(String.init)
    }

    /// Whether `unzip` finds these files, or all, in good order.
    func unzipTests(_ names: String...) async throws -> Bool {
        try await shell("unzip -tqq \(path) \(names.joined(separator: " "))").0 == 0
    }

    /// Runs a line on a thread that may block.
    private func shell(_ line: String) async throws -> (Int32, String) {
        try await NIOThreadPool.singleton.runIfActive {
            guard let pipe = popen(line, "r") else { throw Failure(code: errno) }
            var output: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = fread(&piece, 1, piece.count, pipe)
                output += piece[..<count]
                guard count == 0 else { continue }
                // Another child of the tests may have ended meanwhile.
                guard ferror(pipe) != 0, errno == EINTR else { break }
                clearerr(pipe)
            }
            return (pclose(pipe), String(decoding: output, as: UTF8.self))
        }
    }
}
