/// The table between media types of pixel data and transfer syntaxes (PS3.18 8.7.3.3.2, Tables 8.7.3-4 and 8.7.3-5).
public enum PixelMediaTypes {
    /// A media type and the transfer syntaxes it may carry, its default first.
    struct Row {
        let mediaType: String
        let transferSyntaxes: [String]
    }

    private static func row(_ mediaType: String, _ suffixes: String...) -> Row {
        Row(mediaType: mediaType, transferSyntaxes: suffixes.map { "1.2.840.10008.1.2." + $0 })
    }

    static let rows: [Row] = [
        row("image/jpeg", "4.70", "4.50", "4.51", "4.57"),
        row("image/dicom-rle", "5"),
        row("image/jls", "4.80", "4.81"),
        row("image/jp2", "4.90", "4.91"),
        row("image/jpx", "4.92", "4.93"),
        row("image/jphc", "4.201", "4.202", "4.203"),
        row("image/jxl", "4.110", "4.111", "4.112"),
        row("application/x-deflate", "8.1"),
        row("video/mpeg", "4.101", "4.100", "4.101.1", "4.100.1"),
        row(
            "video/mp4", "4.102", "4.103", "4.104", "4.105", "4.106", "4.102.1", "4.103.1", "4.104.1", "4.105.1",
            "4.106.1"),
        row("video/h265", "4.107", "4.108"),
    ]

    private static let aliases = [
        "image/x-dicom-rle": "image/dicom-rle", "image/dicom+rle": "image/dicom-rle",
        "image/x-jls": "image/jls", "image/dicom+jpeg-ls": "image/jls",
        "image/dicom+jpeg": "image/jpeg", "image/dicom+jp2": "image/jp2", "image/dicom+jpx": "image/jpx",
        "image/jpg": "image/jpeg", "video/mpeg2": "video/mpeg",
    ]

    private static let typesByTransferSyntax: [String: String] = {
        var types: [String: String] = [:]
        for row in rows {
            for uid in row.transferSyntaxes { types[uid] = row.mediaType }
        }
        return types
    }()

    /// Every media type of compressed pixel data by its present name, in the order in which we prefer them.
    public static let all: [String] = rows.map(\.mediaType)

    /// The present name of a pixel media type that may have been given by an older one; `nil` for other types.
    public static func canonicalName(_ essence: String) -> String? {
        let name = aliases[essence] ?? essence
        return rows.contains { $0.mediaType == name } ? name : nil
    }

    /// The transfer syntax UIDs of a media type, its default first; empty for other types. The default of `image/jpeg`
    /// is lossless, not baseline (PS3.18 Table 8.7.3-5).
    public static func transferSyntaxes(of mediaType: String) -> [String] {
        guard let name = canonicalName(mediaType) else { return [] }
        return rows.first { $0.mediaType == name }?.transferSyntaxes ?? []
    }

    /// The media type of a frame or stream in a compressed transfer syntax; `nil` for uncompressed and unknown ones.
    public static func mediaType(ofTransferSyntax uid: String) -> String? { typesByTransferSyntax[uid] }

    /// How the media type is written on the wire, where case is part of its registered name.
    public static func wireName(_ mediaType: String) -> String {
        mediaType == "video/h265" ? "video/H265" : mediaType
    }
}
