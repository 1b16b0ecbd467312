/// The beginning of a DICOM file: just enough to know that it is one, and whose instance it holds (PS3.10 7.1).
package struct Part10Head: Hashable, Sendable {
    /// (0008,0018) of the data set where that is near the beginning, else (0002,0003) of the file meta information.
    package var sopInstanceUID: String?
    /// (0002,0010).
    package var transferSyntaxUID: String?

    /// How many bytes of a file are enough.
    package static let length = 4_096

    /// `nil` when the bytes are not the beginning of a Part 10 file.
    package init?(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes.prefix(Self.length))
        guard bytes.count >= 132, bytes[128..<132].elementsEqual("DICM".utf8) else { return nil }
        // Group 0002 is always Explicit VR Little Endian.
        var walk = HeadWalk(bytes: bytes, offset: 132, isExplicit: true)
        while let element = walk.next(upTo: 0x0002_FFFF) {
            switch element.tag {
            case 0x0002_0003: sopInstanceUID = Self.uid(element.value)
            case 0x0002_0010: transferSyntaxUID = Self.uid(element.value)
            default: break
            }
        }
        // Of deflated and big endian data sets the file meta information has to do.
        guard let transferSyntaxUID, !["1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"].contains(transferSyntaxUID)
        else { return }
        walk.isExplicit = transferSyntaxUID != "1.2.840.10008.1.2"
        while let element = walk.next(upTo: 0x0008_0018) {
            if element.tag == 0x0008_0018, let uid = Self.uid(element.value) { sopInstanceUID = uid }
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

/// Goes from element to element of a little-endian data set, as far as its beginning reaches.
private struct HeadWalk {
    let bytes: [UInt8]
    var offset: Int
    var isExplicit: Bool

    /// The next element; `nil` behind the given tag, and where the bytes end or are not understood.
    mutating func next(upTo last: UInt32) -> (tag: UInt32, value: ArraySlice<UInt8>)? {
        guard offset + 8 <= bytes.count else { return nil }
        let tag = number(offset, 2) << 16 | number(offset + 2, 2)
        guard tag <= last else { return nil }
        var header = 8
        var length = number(offset + 4, 4)
        if isExplicit {
            length = number(offset + 6, 2)
            let letters = bytes[(offset + 4)..<(offset + 6)]
            if ["OB", "OW", "SQ", "UN", "UT", "UC", "UR"].contains(where: { letters.elementsEqual($0.utf8) }) {
                guard offset + 12 <= bytes.count else { return nil }
                header = 12
                length = number(offset + 8, 4)
            }
        }
        guard Int(length) <= bytes.count - offset - header else { return nil }
        let start = offset + header
        offset = start + Int(length)
        return (tag, bytes[start..<offset])
    }

    private func number(_ start: Int, _ count: Int) -> UInt32 {
        (0..<count).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }
}
