import DICOMCore
import DICOMPixels

extension HostileInputs {
    /// A DICOM file: reading, converting, frames, and both text models.
    public static func part10(_ input: [UInt8]) {
        // 1. The same result, however the bytes come.
        let whole = Reading(input) { () throws(DataSetReadError) in
            try Part10Reader.read(input, limits: limits)
        }
        for cut in cuts(input.count) {
            let pieced = Reading(input) { () throws(DataSetReadError) in
                var reader = Part10Reader(limits: limits)
                try pieces(of: input, cut) { (piece) throws(DataSetReadError) in try reader.receive(piece) }
                return try reader.finish()
            }
            hold(pieced.agrees(with: whole), "cut into \(cut): \(pieced), as a whole: \(whole)")
        }
        let everything = try? Part10Reader.read(input, limits: limits, retention: .everything)
        hold((everything != nil) == (whole.file != nil), "what is kept decides whether a file can be read")
        // 2. What the standard allows is also read by those who allow more.
        if let strict = try? Part10Reader.read(input, rules: .strict, limits: limits) {
            hold(whole.file.map { $0.dataSet == strict.dataSet } ?? false, "the strict reader sees something else")
        }
        var lossy = ReadingRules.tolerant
        lossy.acceptsTruncatedPixelData = true
        let cut = try? Part10Reader.read(input, rules: lossy, limits: limits)
        var reader = Part10Reader(rules: lossy, limits: limits)
        let isFed = (try? pieces(of: input, (61, 61)) { try reader.receive($0) }) != nil
        let cutPieced = isFed ? try? reader.finish() : nil
        hold(cut?.dataSet == cutPieced?.dataSet && cut?.findings == cutPieced?.findings, "cut pixel data differs")
        if whole.file != nil { hold(cut != nil, "a rule that allows more refuses") }
        if let cut {
            checkRanges(of: cut, input)
            checkFrames(of: cut, in: cut.transferSyntax?.isDeflated == true ? nil : input)
        }
        guard let file = whole.file else { return }

        // 3. Everything is inside the file, and can be told in both text models.
        hold(file.length == input.count && file.dataSetOffset <= file.length, "lengths of the file")
        let isInflated = file.transferSyntax?.isDeflated == true
        checkRanges(of: file, input)
        checkModels(of: file.dataSet, inputCount: isInflated ? limits.inflatedBytes : input.count)
        if let everything {
            checkModels(of: everything.dataSet, inputCount: isInflated ? limits.inflatedBytes : input.count)
        }
        checkFrames(of: file, in: isInflated ? nil : input)
        for target in [TransferSyntax.explicitVRLittleEndian, .deflatedExplicitVRLittleEndian, file.transferSyntax] {
            if let target { checkConversion(of: file, input, to: target) }
        }
    }

    /// Lower than those of the server, so that an input of some kilobytes comes up to them.
    private static let limits = ReadLimits(inflatedBytes: 1 << 20, ratioFloor: 1 << 18)

    private static func checkRanges(of file: DICOMFile, _ input: [UInt8]) {
        guard file.transferSyntax?.isDeflated != true else { return }
        file.dataSet.forEachRange { range in
            hold(
                range.lowerBound >= file.dataSetOffset && range.upperBound <= input.count,
                "\(range) is not in the data set")
        }
    }

    // MARK: - Frames

    /// Frames lie inside the file, their layout survives being stored, and cutting one out gives the bytes it announces.
    private static func checkFrames(of file: DICOMFile, in input: [UInt8]?) {
        guard let layout = FrameLayout(dataSet: file.dataSet, transferSyntax: file.transferSyntax) else { return }
        hold(layout.frameCount > 0, "a layout without frames")
        hold(FrameLayout(decoding: layout.encode()) == layout, "a layout does not survive being stored")
        hold(layout.byteRanges(ofFrame: 0) == nil, "there is a frame 0")
        hold(layout.byteRanges(ofFrame: layout.frameCount + 1) == nil, "there is a frame behind the last")
        let last = layout.frameCount
        for number in Set([1, 2, 3, 7, 8, 9, last / 2, last - 1, last]) where (1...last).contains(number) {
            guard let ranges = layout.byteRanges(ofFrame: number), let count = layout.byteCount(ofFrame: number) else {
                hold(false, "frame \(number) of \(last) has no bytes")
                return
            }
            guard let input else { continue }
            var bytes: [UInt8] = []
            for range in ranges {
                hold(
                    range.lowerBound >= file.dataSetOffset && range.upperBound <= input.count,
                    "frame \(number) is outside of the file")
                bytes += input[range]
            }
            if let repacker = layout.repacker(forFrame: number) {
                hold(repacker.frame(from: bytes)?.count == count, "frame \(number) cannot be cut out")
            } else {
                hold(bytes.count == count, "frame \(number) has \(bytes.count) bytes instead of \(count)")
            }
        }
    }

    // MARK: - Conversion

    /// What can be read can be converted, in the same way however it comes, into a file with the same elements.
    private static func checkConversion(of file: DICOMFile, _ input: [UInt8], to target: TransferSyntax) {
        func convert(_ cut: (first: Int, others: Int)) throws(DataSetReadError) -> [UInt8] {
            var output: [UInt8] = []
            var converter = Part10Converter(from: .init(file), to: target)
            try pieces(of: input, cut) { (piece) throws(DataSetReadError) in
                try converter.receive(piece, into: &output)
            }
            try converter.finish(into: &output)
            return output
        }
        let converted: [UInt8]
        do throws(DataSetReadError) {
            converted = try convert((.max, .max))
        } catch {
            // Of encapsulated frames it is not said that they are all there.
            let isMissing = error.code == .truncated && file.transferSyntax == .encapsulatedUncompressed
            return hold(isMissing, "converting to \(target.uid) fails: \(error)")
        }
        for cut in cuts(input.count).prefix(3) {
            guard let pieced = try? convert(cut) else { return hold(false, "cut into \(cut), converting fails") }
            // Deflate may make other blocks of other pieces.
            hold(target.isDeflated || pieced == converted, "cut into \(cut), converting to \(target.uid) differs")
        }
        // Of nothing but group lengths and padding nothing is left. A first tag that no data set begins with leaves the
        // byte order in doubt.
        guard let first = file.dataSet.first, first.tag.group < 0x0100 else { return }
        let again: DICOMFile
        do throws(DataSetReadError) {
            again = try Part10Reader.read(converted)
        } catch {
            return hold(
                false, "what was converted to \(target.uid) cannot be read: \(error); \(file.findings), \(file.dataSet)"
            )
        }
        guard file.transferSyntax != .encapsulatedUncompressed else { return }
        hold(
            again.dataSet.outline == file.dataSet.outline,
            "converted to \(target.uid):\n\(again.dataSet.outline)\ninstead of\n\(file.dataSet.outline)")
    }
}

/// How reading a file ended.
private struct Reading: CustomStringConvertible {
    let file: DICOMFile?
    let error: DataSetReadError?
    private let isInflated: Bool

    init(_ input: [UInt8], _ read: () throws(DataSetReadError) -> DICOMFile) {
        do throws(DataSetReadError) {
            file = try read()
            error = nil
        } catch {
            file = nil
            self.error = error
        }
        isInflated = input.contains("1.2.840.10008.1.2.1.99".utf8)
    }

    /// Whether both tell the same. Which of several errors a deflated stream shows depends on how it comes.
    func agrees(with other: Reading) -> Bool {
        guard let file, let there = other.file else {
            return file == nil && other.file == nil && (isInflated || error == other.error)
        }
        return file.dataSet == there.dataSet && file.dataSet.characterSet == there.dataSet.characterSet
            && file.fileMeta == there.fileMeta && file.transferSyntax == there.transferSyntax
            && file.transferSyntaxUID == there.transferSyntaxUID && file.dataSetOffset == there.dataSetOffset
            && file.isFaithful == there.isFaithful && file.length == there.length
            && file.slackLength == there.slackLength && file.findings == there.findings
    }

    var description: String {
        guard let file else { return error.map { "\($0)" } ?? "" }
        return "\(file)"
    }
}

extension DataSet {
    /// The places of values in the stream.
    fileprivate func forEachRange(_ body: (Range<Int>) -> Void) {
        for element in self {
            switch element.value {
            case .bulk(.range(let range)): body(range)
            case .fragments(let value): for fragment in value.fragments { body(fragment.range) }
            case .items(let items): for item in items { item.forEachRange(body) }
            case .bytes, .bulk(.uri): break
            }
        }
    }

    /// Tags and lengths, one element a line: what is the same in every transfer syntax.
    fileprivate var outline: String {
        var text = ""
        for element in self {
            text += element.tag.hexadecimal
            switch element.value {
            case .bytes(let bytes): text += " \((bytes.count + 1) / 2 * 2)\n"
            case .bulk(.range(let range)): text += " \((range.count + 1) / 2 * 2)\n"
            case .bulk(.uri(let uri)): text += " \(uri)\n"
            case .fragments(let value):
                text +=
                    " \(value.basicOffsetTable.count):"
                    + value.fragments.map { " \(($0.range.count + 1) / 2 * 2)" }.joined() + "\n"
            case .items(let items):
                text += "[\n"
                for item in items { text += item.outline + "-\n" }
                text += "]\n"
            }
        }
        return text
    }
}
