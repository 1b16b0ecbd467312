import DICOMCore

/// A ZIP archive for tests, byte by byte, right or wrong as a test needs it (PKWARE APPNOTE 6.3.9). No ZIP64.
package struct TestArchive: Sendable {
    /// One entry of the archive.
    package struct Entry: Sendable {
        package var name: [UInt8]
        package var content: [UInt8]
        package var isDeflated = false
        /// General purpose flags; bit 0 is encryption.
        package var flags = 0
        /// What the headers say of the expanded length, if not the truth.
        package var saidLength: Int?
        package var saidChecksum: UInt32?
        /// Unix mode bits, such as `0o120777` of a link.
        package var mode = 0o100644

        package init(_ name: String, _ content: [UInt8] = [], isDeflated: Bool = false) {
            self.name = Array(name.utf8)
            self.content = content
            self.isDeflated = isDeflated
        }
    }

    package var entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    /// The archive.
    package var bytes: [UInt8] {
        var archive: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let stored = entry.isDeflated ? Self.deflated(entry.content) : entry.content
            let offset = archive.count
            let fields =
                TestBytes.uint16(20) + TestBytes.uint16(entry.flags) + TestBytes.uint16(entry.isDeflated ? 8 : 0)
                + TestBytes.uint16(0) + TestBytes.uint16(0x21)
                + TestBytes.uint32(Int(entry.saidChecksum ?? Self.checksum(entry.content)))
                + TestBytes.uint32(stored.count) + TestBytes.uint32(entry.saidLength ?? entry.content.count)
                + TestBytes.uint16(entry.name.count) + TestBytes.uint16(0)
            archive += TestBytes.uint32(0x0403_4B50) + fields + entry.name + stored
            directory += TestBytes.uint32(0x0201_4B50) + TestBytes.uint16(0x031E) + fields
            directory += TestBytes.uint16(0) + TestBytes.uint16(0) + TestBytes.uint16(0)
            directory += TestBytes.uint32(entry.mode << 16) + TestBytes.uint32(offset) + entry.name
        }
        let start = archive.count
        archive += directory
        archive += TestBytes.uint32(0x0605_4B50) + TestBytes.uint16(0) + TestBytes.uint16(0)
        archive += TestBytes.uint16(entries.count) + TestBytes.uint16(entries.count)
        archive += TestBytes.uint32(directory.count) + TestBytes.uint32(start) + TestBytes.uint16(0)
        return archive
    }

    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        let deflater = Deflater(.raw)
        var output: [UInt8] = []
        bytes.withUnsafeBytes { deflater.receive($0, into: &output) }
        deflater.finish(into: &output)
        return output
    }

    private static let table: [UInt32] = (0..<256).map { value in
        (0..<8).reduce(UInt32(value)) { sum, _ in sum & 1 == 1 ? 0xEDB8_8320 ^ sum >> 1 : sum >> 1 }
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }
}
