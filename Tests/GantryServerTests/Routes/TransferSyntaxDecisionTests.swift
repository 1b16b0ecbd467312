import DICOMWeb
import Testing

@testable import GantryServer

/// What a whole instance is returned in; docs/conformance-statement.md has it as a table.
@Suite struct TransferSyntaxDecisionTests {
    private static let root = "1.2.840.10008.1.2"
    private static let little = root + ".1"

    static let rows: [(stored: String, parameter: String?, decision: TransferSyntaxSelection.Decision)] = [
        (little, nil, .stored), (little, "*", .stored), (little, little, .stored),
        (little, root + ".1.99", .convert(to: root + ".1.99")),
        // Implicit VR and big endian are taken, never sent.
        (root, nil, .convert(to: little)), (root, "*", .convert(to: little)), (root, root, .unavailable(.forbidden)),
        (root + ".2", "*", .convert(to: little)), (little, root + ".2", .unavailable(.forbidden)),
        ("1.2.840.113619.5.2", "*", .convert(to: little)),
        // Deflated.
        (root + ".1.99", nil, .convert(to: little)), (root + ".1.99", "*", .stored),
        // Lossless: decoded, or compressed otherwise.
        (root + ".4.70", nil, .convert(to: little)), (root + ".4.70", "*", .stored),
        (root + ".4.90", root + ".4.90", .stored), (root + ".5", little, .convert(to: little)),
        (root + ".5", root + ".4.80", .convert(to: root + ".4.80")),
        (little, root + ".4.90", .convert(to: root + ".4.90")),
        // Lossy and video: as stored.
        (root + ".4.50", nil, .stored), (root + ".4.91", "*", .stored), (root + ".4.102", nil, .stored),
        (root + ".4.50", root + ".4.70", .unavailable(.lossySource)),
        // Encapsulated but not compressed: its frames are joined. Unknown ones: as stored.
        (root + ".1.98", nil, .convert(to: little)), (root + ".1.98", little, .convert(to: little)),
        (root + ".1.98", "*", .stored), ("1.2.3.4", nil, .stored),
        ("1.2.3.4", "*", .stored), (little, root + ".4.50", .unavailable(.cannotEncode)),
    ]

    @Test(arguments: rows)
    func `is decided by what is stored and what is asked`(
        stored: String, parameter: String?, decision: TransferSyntaxSelection.Decision
    ) {
        #expect(
            TransferSyntaxSelection.withCodecs.instance(stored: stored, wish: TransferSyntaxWish(parameter: parameter))
                == decision)
    }
}
