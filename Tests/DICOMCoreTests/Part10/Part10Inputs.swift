import DICOMCore
import GantryTesting

/// Reads the bytes in the given way.
func read(
    _ bytes: [UInt8], _ feed: ChunkFeed = .whole, rules: ReadingRules = .tolerant,
    limits: ReadLimits = .standard, retention: ValueRetention = .metadata
) throws(DataSetReadError) -> DICOMFile {
    var reader = Part10Reader(rules: rules, limits: limits, retention: retention)
    try feed.forEach(in: bytes) { (piece) throws(DataSetReadError) in try reader.receive(piece) }
    return try reader.finish()
}

/// What reading the bytes ends with, if it is an error.
func failure(
    _ bytes: [UInt8], _ feed: ChunkFeed = .whole, rules: ReadingRules = .tolerant,
    limits: ReadLimits = .standard
) -> DataSetReadError.Code? {
    do throws(DataSetReadError) {
        _ = try read(bytes, feed, rules: rules, limits: limits)
        return nil
    } catch {
        return error.code
    }
}

/// The file in pieces and as a whole, all checked to be the same.
func readEveryWay(_ bytes: [UInt8]) throws -> DICOMFile {
    let whole = try Part10Reader.read(bytes)
    for feed in ChunkFeed.all {
        let file = try read(bytes, feed)
        guard file.dataSet == whole.dataSet, file.isFaithful == whole.isFaithful,
            file.dataSetOffset == whole.dataSetOffset, file.transferSyntaxUID == whole.transferSyntaxUID,
            file.fileMeta == whole.fileMeta, Set(file.findings) == Set(whole.findings),
            file.length == whole.length, file.slackLength == whole.slackLength
        else { throw Difference(feed: "\(feed)", whole: "\(whole.findings)", pieces: "\(file.findings)") }
    }
    return whole
}

/// Reading in pieces gave something else than reading as a whole.
struct Difference: Error {
    var feed: String
    var whole: String
    var pieces: String
}

/// The error's code, checked to be the same for every way to cut the bytes.
func failureEveryWay(_ bytes: [UInt8]) -> DataSetReadError.Code? {
    let codes = ChunkFeed.all.map { failure(bytes, $0) }
    return codes.allSatisfy { $0 == codes[0] } ? codes[0] : nil
}

extension DICOMFile {
    func text(_ group: UInt16, _ element: UInt16) -> String? { dataSet.text(group, element) }
    var rules: Set<Finding.Rule> { Set(findings.map(\.rule)) }
}

extension DataSet {
    func text(_ group: UInt16, _ element: UInt16) -> String? {
        guard let bytes = self[Tag(group, element)]?.bytes else { return nil }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last == " " || text.last == "\0" { text.removeLast() }
        return text
    }
}

extension TestInstance {
    /// Encoded elements by tag, to change some of them.
    func merged(_ changes: [UInt32: [UInt8]] = [:], dropping: [UInt32] = []) -> [UInt8] {
        var elements: [UInt32: [UInt8]] = [:]
        for element in dataSet() { elements[element.tag.rawValue] = TestBytes.encode(element) }
        for tag in dropping { elements[tag] = nil }
        elements.merge(changes) { _, new in new }
        return elements.keys.sorted().flatMap { elements[$0] ?? [] }
    }

    /// The data set in another encoding.
    func encoded(_ syntax: TransferSyntax) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try DataSetEncoder(transferSyntax: syntax).encode(dataSet(), into: &bytes)
        return bytes
    }
}

let pixelData: UInt32 = 0x7FE0_0010
