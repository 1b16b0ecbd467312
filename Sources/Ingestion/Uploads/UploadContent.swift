/// What an object, or a file of an archive, is by its first bytes.
enum UploadContent: Hashable {
    case part10
    case zip
    /// An archive of nothing: its end alone.
    case emptyZip
    /// Another kind of archive, or a compressed file.
    case otherArchive
    /// None of these: the pipeline will say whether it is a data set.
    case unknown

    /// How many first bytes are enough to tell.
    static let headLength = 262

    init(head: some Collection<UInt8>) {
        let head = Array(head.prefix(Self.headLength))
        func has(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
            head.count >= offset + bytes.count && head[offset..<(offset + bytes.count)].elementsEqual(bytes)
        }
        // First this one: a preamble may hold anything, the signature of an archive too (PS3.10 7.1).
        if has(Array("DICM".utf8), at: 128) {
            self = .part10
        } else if has([0x50, 0x4B, 0x03, 0x04]) {
            self = .zip
        } else if has([0x50, 0x4B, 0x05, 0x06]) {
            self = .emptyZip
        } else if Self.signatures.contains(where: { has($0) }) || has(Array("ustar".utf8), at: 257) {
            self = .otherArchive
        } else {
            self = .unknown
        }
    }

    /// gzip, bzip2, xz, 7-Zip, RAR, Zstandard, cabinet, a ZIP that was split.
    private static let signatures: [[UInt8]] = [
        [0x1F, 0x8B], [0x42, 0x5A, 0x68], [0xFD, 0x37, 0x7A, 0x58, 0x5A], [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C],
        [0x52, 0x61, 0x72, 0x21, 0x1A, 0x07], [0x28, 0xB5, 0x2F, 0xFD], [0x4D, 0x53, 0x43, 0x46],
        [0x50, 0x4B, 0x07, 0x08],
    ]
}
