/// Why an archive is rejected as a whole, with the figure that broke a limit.
package enum ArchiveBreach: Error, Hashable, Sendable {
    case entries(limit: Int)
    case expandedBytes(limit: Int)
    case ratio(limit: Int, archiveBytes: Int)
    /// An archive in the archive.
    case nested(name: String)
    /// A name that leads out of the archive, or is none.
    case path(name: String)
    case nameLength(limit: Int)
    case encrypted(name: String)
    /// The archive is cut off, or its checksums are wrong.
    case damaged
    /// There is no file in it that could be ingested.
    case empty

    /// What the sender is told.
    package var failure: UploadFailure {
        UploadFailure(code: code, reason: reason, file: file)
    }

    /// All codes that ask for somebody's attention: what looks like an attack.
    static let codes: Set<String> = [
        "zip-entries", "zip-size", "zip-ratio", "zip-nested", "zip-path", "zip-name",
    ]

    private var code: String {
        switch self {
        case .entries: "zip-entries"
        case .expandedBytes: "zip-size"
        case .ratio: "zip-ratio"
        case .nested: "zip-nested"
        case .path: "zip-path"
        case .nameLength: "zip-name"
        case .encrypted: "zip-encrypted"
        case .damaged: "zip-damaged"
        case .empty: "zip-empty"
        }
    }

    private var reason: String {
        switch self {
        case .entries(let limit): "The archive has more than \(limit) entries."
        case .expandedBytes(let limit): "The archive expands to more than \(limit) bytes."
        case .ratio(let limit, let bytes):
            "The archive of \(bytes) bytes expands to more than \(limit) times its length."
        case .nested: "The archive holds another archive. Unpack it, or upload it by itself."
        case .path: "The archive holds a name that leads out of it."
        case .nameLength(let limit): "The archive holds a name of more than \(limit) bytes."
        case .encrypted: "The archive is encrypted."
        case .damaged: "The archive is damaged: it ends too early, or a checksum is wrong."
        case .empty: "The archive holds no file."
        }
    }

    private var file: String? {
        switch self {
        case .nested(let name), .path(let name), .encrypted(let name): name
        case .entries, .expandedBytes, .ratio, .nameLength, .damaged, .empty: nil
        }
    }
}
