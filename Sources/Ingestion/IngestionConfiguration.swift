import DICOMCore

/// What the site decides about taking instances in.
package struct IngestionConfiguration: Hashable, Sendable {
    /// What a data set of another study than the request's path gets (product.md, decisions).
    package enum StudyMismatch: String, Hashable, Sendable, CaseIterable { case warn, reject }
    /// What becomes of the 128 bytes before `DICM` (D-15).
    package enum Preamble: String, Hashable, Sendable, CaseIterable { case keep, zero }
    /// What an unknown or a vendor's own transfer syntax gets (rule E11, dicomweb.md 2.10).
    package enum UnknownTransferSyntax: String, Hashable, Sendable, CaseIterable { case accept, refuse }

    package var studyMismatch: StudyMismatch = .warn
    package var preamble: Preamble = .keep
    package var unknownTransferSyntax: UnknownTransferSyntax = .accept
    /// Whether native pixel data that ends early is taken, frames missing at its end.
    package var acceptsTruncatedPixelData = false
    /// SOP Class UIDs that are refused, besides that of the DICOMDIR (D-18).
    package var deniedSOPClasses: Set<String> = []
    /// The most bytes one instance may have.
    package var maximumInstanceBytes = 64 << 30
    /// The most bytes that requests in progress may hold together.
    package var byteBudget = 512 << 20
    /// The most instances that may wait for a commit; more make their senders wait.
    package var queueCapacity = 2048
    /// The most instances of one commit.
    package var batchLimit = 512
    /// The `source` of events: a URI reference.
    package var eventSource = "/gantry"

    package init() {}

    /// What is accepted of a file although the standard does not.
    var readingRules: ReadingRules {
        var rules = ReadingRules.tolerant
        rules.acceptsTruncatedPixelData = acceptsTruncatedPixelData
        return rules
    }
}
