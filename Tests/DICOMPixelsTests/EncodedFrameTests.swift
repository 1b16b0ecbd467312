import DICOMCore
import DICOMPixels
import Testing

/// What we encode, decoded by every decoder that pydicom can use.
///
/// Needs the Python packages of `Scripts/setup test`.
@Suite(.enabled(if: SampleFolder.canRun, "Scripts/setup test installs pydicom")) struct EncodedFrameTests {
    static let kinds = [
        CodecTableTests.Kind(rows: 61, columns: 67), .init(rows: 61, columns: 67, bits: 16),
        .init(rows: 61, columns: 67, bits: 16, stored: 12),
        .init(rows: 40, columns: 33, bits: 16, stored: 12, isSigned: true),
        .init(rows: 40, columns: 33, bits: 16, isSigned: true), .init(rows: 31, columns: 29, samples: 3),
    ]

    /// Those that pydicom has decoders for.
    static let transferSyntaxes: [TransferSyntax] = [
        .rleLossless, .jpegLossless, .jpegLosslessSV1, .jpeglsLossless, .jpeg2000Lossless, .htj2kLossless,
    ]

    @Test(.timeLimit(.minutes(5)))
    func `others decode our frames to the same pixels`() throws {
        let folder = try SampleFolder("encoded")
        defer { folder.remove() }
        var lines = ""
        for (number, kind) in Self.kinds.enumerated() {
            let description = try TestFrame.description(
                rows: kind.rows, columns: kind.columns, samples: kind.samples, bits: kind.bits, stored: kind.stored,
                isSigned: kind.isSigned)
            let frame = try TestFrame.frame(description)
            try folder.write(frame.bytes, to: "\(number).raw")
            for transferSyntax in Self.transferSyntaxes {
                let encoded = try CodecTable.standard.encode(frame, to: transferSyntax)
                let name = "\(number)-\(transferSyntax.uid)"
                try folder.write(encoded.bytes + (encoded.bytes.count % 2 == 1 ? [0] : []), to: name)
                let photometric = encoded.description.photometricInterpretation.rawValue
                lines += "\(transferSyntax.uid) \(kind.rows) \(kind.columns) \(kind.samples) \(kind.bits)"
                lines += " \(kind.stored ?? kind.bits) \(kind.isSigned ? 1 : 0) \(photometric) \(name) \(number).raw\n"
            }
        }
        try folder.write(Array(lines.utf8), to: "frames.txt")
        var equal: [String: Int] = [:]
        for fields in try folder.run("decode-encoded.py") {
            try #require(fields.count == 11)
            if fields[10] == "equal" { equal[fields[8], default: 0] += 1 }
            #expect(fields[10] == "equal" || fields[10].hasPrefix("cannot"), "\(fields)")
        }
        // At least one decoder for each.
        #expect(equal.count == Self.kinds.count * Self.transferSyntaxes.count)
    }
}
