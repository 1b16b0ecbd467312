package import DICOMCore
import DICOMModels

/// The answer to a search: prepared bytes of each match, and which attributes of them to write (PS3.18 10.6.3.3).
package struct SearchResult: Sendable {
    /// How many entities match, whatever the page.
    package let total: Int
    /// How many of them lie before this page.
    package let offset: Int
    let level: QueryLevel
    let plan: ReturnPlan
    let matches: Matches

    /// How many matches this page has.
    package var count: Int { matches.rows.count }
    /// How many matches there are behind this page.
    package var remaining: Int { max(0, total - offset - count) }

    /// Appends the JSON array of the page. `base` is the URL that `/studies/…` is put behind.
    package func writeJSON(base: some StringProtocol, into output: inout [UInt8]) {
        let url = Self.escaped(base)
        output.reserveCapacity(output.count + 2 + matches.rows.count * (plan.steps.count * 48 + url.count + 256))
        output.append(0x5B)
        for index in matches.rows.indices {
            if index > 0 { output.append(0x2C) }
            write(index, url: url, into: &output)
        }
        output.append(0x5D)
    }

    /// Appends the JSON object of one match.
    package func writeJSON(match index: Int, base: some StringProtocol, into output: inout [UInt8]) {
        write(index, url: Self.escaped(base), into: &output)
    }

    /// One match as a data set, for other models than JSON.
    package func dataSet(match index: Int, base: some StringProtocol) throws -> DataSet {
        var json: [UInt8] = []
        writeJSON(match: index, base: base, into: &json)
        return try DICOMJSONReader.dataSets(from: json).first ?? DataSet()
    }

    private static func escaped(_ base: some StringProtocol) -> [UInt8] {
        let raw = [UInt8](base.utf8)
        var url: [UInt8] = []
        url.append(atMost: raw.count * 6) { bytes in raw.withUnsafeBytes { bytes.put(escaping: $0) } }
        return url
    }

    // MARK: - One match

    private func write(_ index: Int, url: [UInt8], into output: inout [UInt8]) {
        let row = matches.rows[index]
        let bound = plan.fixedLength + row.end - row.start + 6 * row.listLength + url.count + 256
        matches.bytes.withUnsafeBytes { all in
            url.withUnsafeBytes { url in
                output.append(atMost: bound) { write(row, of: all, url: url, into: &$0) }
            }
        }
    }

    private func write(
        _ row: Matches.Row, of all: UnsafeRawBufferPointer, url: UnsafeRawBufferPointer, into bytes: inout JSONBytes
    ) {
        func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: all[range]) }
        var study = LevelReader(part(row.study.attributes))
        var series = LevelReader(part(row.series.attributes))
        var instance = LevelReader(part(row.instance.attributes))
        var isFirst = true
        bytes.put(0x7B)
        if study.isWide || series.isWide || instance.isWide {
            bytes.put(#""00080005":{"vr":"CS","Value":["ISO_IR 192"]}"#)
            isFirst = false
        }
        for step in plan.steps {
            let value: UnsafeRawBufferPointer?
            switch step.source {
            case .study: value = study.value(of: step.tag)
            case .series: value = series.value(of: step.tag)
            case .instance: value = instance.value(of: step.tag)
            case .computed(let computed):
                if !isFirst { bytes.put(0x2C) }
                isFirst = false
                bytes.putKey(step.tag)
                write(computed, of: row, in: all, url: url, into: &bytes)
                continue
            }
            guard value != nil || step.isRequired else { continue }
            if !isFirst { bytes.put(0x2C) }
            isFirst = false
            bytes.putKey(step.tag)
            if let value {
                bytes.put(value)
            } else {
                bytes.put(#"{"vr":""#)
                bytes.put(UInt8(truncatingIfNeeded: step.vr.rawValue >> 8))
                bytes.put(UInt8(truncatingIfNeeded: step.vr.rawValue))
                bytes.put(#""}"#)
            }
        }
        bytes.put(0x7D)
    }

    private func write(
        _ computed: ReturnPlan.Computed, of row: Matches.Row, in all: UnsafeRawBufferPointer,
        url: UnsafeRawBufferPointer, into bytes: inout JSONBytes
    ) {
        func part(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: all[range]) }
        func put(uid: Range<Int>) {
            bytes.put(#"{"vr":"UI","Value":[""#)
            bytes.put(escaping: part(uid))
            bytes.put(#""]}"#)
        }
        func put(count: Int64) {
            bytes.put(#"{"vr":"IS","Value":["#)
            bytes.put(number: count)
            bytes.put("]}")
        }
        switch computed {
        case .availability: bytes.put(#"{"vr":"CS","Value":["ONLINE"]}"#)
        case .studyUID: put(uid: row.study.uid)
        case .seriesUID: put(uid: row.series.uid)
        case .instanceUID: put(uid: row.instance.uid)
        case .sopClass: put(uid: row.sopClass)
        case .transferSyntax: put(uid: row.transferSyntax)
        case .seriesOfStudy: put(count: row.seriesOfStudy)
        case .instancesOfStudy: put(count: row.instancesOfStudy)
        case .instancesOfSeries: put(count: row.instancesOfSeries)
        case .modalities: Self.put(list: part(row.modalities), vr: "CS", into: &bytes)
        case .sopClasses: Self.put(list: part(row.sopClasses), vr: "UI", into: &bytes)
        case .retrieveURL:
            bytes.put(#"{"vr":"UR","Value":[""#)
            bytes.put(url)
            bytes.put("/studies/")
            bytes.put(escaping: part(row.study.uid))
            if level >= .series {
                bytes.put("/series/")
                bytes.put(escaping: part(row.series.uid))
            }
            if level == .instance {
                bytes.put("/instances/")
                bytes.put(escaping: part(row.instance.uid))
            }
            bytes.put(#""]}"#)
        }
    }

    /// Writes `\CT\PT\` as the values of an attribute.
    private static func put(list: UnsafeRawBufferPointer, vr: StaticString, into bytes: inout JSONBytes) {
        bytes.put(#"{"vr":""#)
        bytes.put(vr)
        guard list.count > 2 else {
            bytes.put(#""}"#)
            return
        }
        bytes.put(#"","Value":[""#)
        var start = 1
        for index in 1..<list.count where list[index] == 0x5C {
            if start > 1 { bytes.put(#"",""#) }
            bytes.put(escaping: UnsafeRawBufferPointer(rebasing: list[start..<index]))
            start = index + 1
        }
        bytes.put(#""]}"#)
    }
}

/// Goes through the attributes of one level in step with the return plan.
private struct LevelReader {
    let isWide: Bool
    private let bytes: UnsafeRawBufferPointer
    private var cursor: AttributeFragments.Cursor
    private var entry: AttributeFragments.Entry?

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        isWide = bytes.first.map { $0 & AttributeFragments.Flags.hasWideText.rawValue != 0 } ?? false
        cursor = AttributeFragments.Cursor(bytes)
        entry = cursor.next()
    }

    /// The value of an attribute; tags are asked for in ascending order.
    @inline(__always)
    mutating func value(of tag: UInt32) -> UnsafeRawBufferPointer? {
        while let now = entry, now.tag < tag { entry = cursor.next() }
        guard let now = entry, now.tag == tag, !now.isAbsence else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[now.start..<now.end])
    }
}

/// What the rows of a page hold, in one piece of memory.
struct Matches: Sendable {
    /// Where one level of a match has its UID and its attributes; both empty when the level is not returned.
    struct Level: Sendable {
        var uid: Range<Int> = 0..<0
        var attributes: Range<Int> = 0..<0
    }

    struct Row: Sendable {
        var start = 0
        var end = 0
        var study = Level()
        var series = Level()
        var instance = Level()
        var modalities: Range<Int> = 0..<0
        var sopClasses: Range<Int> = 0..<0
        var sopClass: Range<Int> = 0..<0
        var transferSyntax: Range<Int> = 0..<0
        var seriesOfStudy: Int64 = 0
        var instancesOfStudy: Int64 = 0
        var instancesOfSeries: Int64 = 0

        /// Bytes that may grow while they are written.
        var listLength: Int {
            study.uid.count + series.uid.count + instance.uid.count + modalities.count + sopClasses.count
                + sopClass.count + transferSyntax.count
        }
    }

    var bytes: [UInt8] = []
    var rows: [Row] = []
}
