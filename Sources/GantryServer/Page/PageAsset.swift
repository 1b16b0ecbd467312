import DICOMCore
import DICOMWeb

/// A file of the web page, kept in the program, and compressed once.
struct PageAsset: Sendable {
    /// What it is, as far as a browser has to know.
    enum Kind: String, Sendable {
        case html = "text/html; charset=utf-8"
        case css = "text/css; charset=utf-8"
        case javascript = "text/javascript; charset=utf-8"
        case svg = "image/svg+xml"
        case json = "application/json"
    }

    /// The last part of its path.
    let name: String
    let type: Kind
    let bytes: [UInt8]
    let gzipped: [UInt8]
    /// Changes with every change of the bytes.
    private let digest: String

    init(name: String, type: Kind, text: StaticString) {
        self.init(
            name: name, type: type,
            bytes: Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)))
    }

    init(name: String, type: Kind, bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.bytes = bytes
        let deflater = Deflater(.gzip, level: 9)
        var gzipped: [UInt8] = []
        bytes.withUnsafeBytes { deflater.receive($0, into: &gzipped) }
        deflater.finish(into: &gzipped)
        self.gzipped = gzipped
        // FNV-1a: what is told apart are versions of a file of ours, not files of an enemy.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        digest = String(hash, radix: 36)
    }

    /// The tag of the file as it is sent: a coding is another representation (RFC 9110 8.8.3.3).
    func entityTag(gzip: Bool) -> EntityTag { EntityTag(gzip ? "\(digest)-gzip" : digest) }
}
