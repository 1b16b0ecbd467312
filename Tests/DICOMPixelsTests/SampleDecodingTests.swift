import DICOMCore
import DICOMPixels
import Testing

/// Every compressed sample file of pydicom, decoded by us, by every decoder that pydicom can use and by DCMTK.
///
/// Needs the Python packages of `Scripts/setup test`.
@Suite(.enabled(if: SampleFolder.canRun, "Scripts/setup test installs pydicom")) struct SampleDecodingTests {
    /// One frame by one of pydicom's decoders.
    struct Reference {
        var sample: String
        var path: String
        var frame: Int
        var decoder: String
        var photometric: String
        var file: String
    }

    @Test(.timeLimit(.minutes(5)))
    func `the samples of pydicom decode to the same pixels`() throws {
        let folder = try SampleFolder("samples")
        defer { folder.remove() }
        let references = try self.references(in: folder)
        let samples = Dictionary(grouping: references, by: \.sample)
        #expect(samples.count >= 40)
        var decoded = 0
        for (name, references) in samples.sorted(by: { $0.key < $1.key }) {
            let outcome = try compare(references, in: folder)
            print("  \(name): \(outcome.text)")
            #expect(outcome.isRight, "\(name): \(outcome.text)")
            decoded += outcome.isDecoded ? 1 : 0
        }
        // All but one without pixels and one whose codestream is damaged on purpose.
        #expect(decoded >= samples.count - 2)
    }

    struct Outcome {
        var text: String
        var isRight = true
        /// Whether there were pixels to compare.
        var isDecoded = false
    }

    private func compare(_ references: [Reference], in folder: SampleFolder) throws -> Outcome {
        let bytes = try folder.contents(of: references[0].path)
        var rules = ReadingRules.tolerant
        rules.acceptsTruncatedPixelData = true
        let file = try Part10Reader.read(bytes, rules: rules)
        guard let transferSyntax = file.transferSyntax, let image = ImagePixelDescription(file.dataSet),
            let layout = FrameLayout(dataSet: file.dataSet, transferSyntax: transferSyntax)
        else {
            return Outcome(text: "no pixel data", isRight: references.allSatisfy { $0.file.hasPrefix("!") })
        }
        // 1. Our frames.
        var ours: [Int: FrameBuffer] = [:]
        for number in Set(references.map { $0.frame + 1 }).sorted() where number <= layout.frameCount {
            let fragments = try #require(layout.byteRanges(ofFrame: number))
            do throws(CodecError) {
                ours[number - 1] = try CodecTable.standard.decode(
                    fragments.flatMap { Array(bytes[$0]) }, from: transferSyntax, as: image)
            } catch {
                let isUndecodable = references.allSatisfy { $0.file.hasPrefix("!") }
                return Outcome(text: "not decodable: \(error.reason)", isRight: isUndecodable)
            }
        }
        // 2. Against each decoder: the largest difference of any sample.
        var differences: [String: Int] = [:]
        var failures: [String] = []
        for (decoder, references) in Dictionary(grouping: references, by: \.decoder) {
            for (frame, references) in Dictionary(grouping: references, by: \.frame) {
                guard let ours = ours[frame] else { return Outcome(text: "frame \(frame) is missing", isRight: false) }
                if let failure = references.first(where: { $0.file.hasPrefix("!") }) {
                    failures.append("\(decoder) cannot (\(failure.file.dropFirst(2)))")
                    continue
                }
                let meaning = ours.description.photometricInterpretation.rawValue
                guard let same = references.first(where: { $0.photometric.hasPrefix(meaning) }) else {
                    return Outcome(
                        text: "\(decoder) has \(references.map(\.photometric)), we have \(meaning)", isRight: false)
                }
                let theirs = try folder.contents(of: same.file)
                let difference = largestDifference(byPixel(ours), theirs, image) ?? .max
                differences[decoder] = max(differences[decoder] ?? 0, difference)
            }
        }
        guard let nearest = differences.values.min(), let farthest = differences.values.max() else {
            return Outcome(text: "no decoder but ours; " + failures.joined(separator: "; "), isRight: false)
        }
        let each = differences.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        var text = farthest == 0 ? "equal (\(each))" : "within \(nearest) (\(each))"
        text += " \(image.photometricInterpretation.rawValue)"
        for failure in failures { text += "; \(failure)" }
        // Decoders disagree among themselves about chroma between its samples; one of them has to be met.
        let allowed = transferSyntax.isLossy ? 2 : 0
        return Outcome(text: text, isRight: nearest <= allowed, isDecoded: true)
    }

    private func byPixel(_ frame: FrameBuffer) -> [UInt8] {
        let image = frame.description
        guard image.samplesPerPixel > 1, image.planarConfiguration == 1 else { return frame.bytes }
        let size = image.bitsAllocated / 8
        let pixels = image.rows * image.columns
        var bytes: [UInt8] = []
        for pixel in 0..<pixels {
            for sample in 0..<image.samplesPerPixel {
                let start = (sample * pixels + pixel) * size
                bytes += frame.bytes[start..<start + size]
            }
        }
        return bytes
    }

    /// `nil` when there are not as many samples.
    private func largestDifference(_ ours: [UInt8], _ theirs: [UInt8], _ image: ImagePixelDescription) -> Int? {
        guard ours.count == theirs.count else { return nil }
        if ours == theirs { return 0 }
        let size = image.bitsAllocated / 8
        func value(_ bytes: [UInt8], _ index: Int) -> Int {
            var value = 0
            for byte in 0..<size { value |= Int(bytes[index * size + byte]) << (byte * 8) }
            let range = 1 << (size * 8)
            return image.isSigned && value >= range / 2 ? value - range : value
        }
        var largest = 0
        for index in 0..<ours.count / size { largest = max(largest, abs(value(ours, index) - value(theirs, index))) }
        return largest
    }

    private func references(in folder: SampleFolder) throws -> [Reference] {
        try folder.run("decode-samples.py").map { fields in
            let frame = try #require(fields.count == 6 ? Int(fields[2]) : nil)
            return Reference(
                sample: fields[0], path: fields[1], frame: frame, decoder: fields[3], photometric: fields[4],
                file: fields[5])
        }
    }
}
