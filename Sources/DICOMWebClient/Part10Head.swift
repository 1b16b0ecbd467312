/// The beginning of a DICOM file: just enough to know that it is one, and whose instance it holds (PS3.10 7.1).
package struct Part10Head: Hashable, Sendable {
    /// (0002,0003), when the file meta information is there and names it.
    package var sopInstanceUID: String?
    /// (0002,0010).
    package var transferSyntaxUID: String?

    /// How many bytes of a file are enough.
    package static let length = 4_096

    /// `nil` when the bytes are not the beginning of a Part 10 file.
    package init?(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes.prefix(Self.length))
        guard bytes.count >= 132, bytes[128..<132].elementsEqual("DICM".utf8) else { return nil }
        var offset = 132
        func number(_ at: Int, _ count: Int) -> Int {
            (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
        }
        // Group 0002 is always Explicit VR Little Endian.
        while offset + 8 <= bytes.count, number(offset, 2) == 2 {
            let element = number(offset + 2, 2)
            let isLong = ["OB", "UN", "OW", "SQ", "UT"].contains {
                bytes[(offset + 4)..<(offset + 6)].elementsEqual($0.utf8)
            }
            let header = isLong ? 12 : 8
            guard offset + header <= bytes.count else { return }
            let length = isLong ? number(offset + 8, 4) : number(offset + 6, 2)
            guard length <= bytes.count - offset - header else { return }
            let value = bytes[(offset + header)..<(offset + header + length)]
            switch element {
            case 0x0003: sopInstanceUID = Self.uid(value)
            case 0x0010: transferSyntaxUID = Self.uid(value)
            default: break
            }
            offset += header + length
        }
    }

    /// Digits and dots without their padding; `nil` for anything else, so that it may become a file's name.
    static func uid(_ bytes: some Collection<UInt8>) -> String? {
        var bytes = Array(bytes)
        while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
        let isUID = bytes.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
        guard isUID, (1...64).contains(bytes.count), bytes.contains(where: { $0 != UInt8(ascii: ".") }) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads the beginning of the file.
    package static func read(path: String) async throws -> Part10Head? {
        try await DiskQueue.run { try readNow(path: path).head }
    }

    /// The beginning of the file and its length, read in the calling thread.
    static func readNow(path: String) throws(FileReadError) -> (head: Part10Head?, length: Int) {
        let file = try FileReader(path: path)
        return (Part10Head(try file.beginning(Self.length)), file.length)
    }
}
