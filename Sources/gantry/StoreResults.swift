import DICOMWeb
import DICOMWebClient
import FoundationEssentials
import Synchronization

/// Collects what became of each file of `gantry store`.
final class StoreResults: Sendable {
    struct Entry: Codable, Sendable {
        enum Status: String, Codable { case stored, warning, failed }

        var path: String
        var status: Status
        var sopInstanceUID: String?
        /// Four hexadecimal digits of the warning or failure reason.
        var reason: String?
        var explanation: String?
    }

    private struct Summary: Codable {
        var stored: Int
        var warnings: Int
        var failed: Int
        var notDICOM: Int
        var unreadable: Int
        var bytes: Int
        var seconds: Double
        var files: [Entry]
    }

    private let entries = Mutex<[Entry]>([])

    /// Takes an answer; returns lines about what did not go well.
    func add(_ batch: StoreBatch, _ report: StoreReport) -> [String] {
        let outcomes = Dictionary(report.instances.map { ($0.sopInstanceUID, $0.outcome) }) { first, _ in first }
        let known = Set(batch.files.compactMap(\.sopInstanceUID))
        // What the answer says of instances that no file seems to hold is about the files that it does not name.
        let others = report.instances.filter { !known.contains($0.sopInstanceUID) }.map(\.outcome)
        let unnamedCount = batch.files.count { $0.sopInstanceUID.flatMap { outcomes[$0] } == nil }
        let failures = report.otherFailures.map { StoreReport.Outcome.failed(reason: $0) }
        var unnamed =
            (others + failures).count == unnamedCount && (others.isEmpty || failures.isEmpty)
            ? (others + failures)[...] : []
        let added = batch.files.map { file in
            let outcome =
                file.sopInstanceUID.flatMap { outcomes[$0] } ?? unnamed.popFirst()
                ?? Self.outcome(ofUnnamedFileIn: report)
            var entry = Entry(path: file.path, status: .stored, sopInstanceUID: file.sopInstanceUID)
            switch outcome {
            case .stored: break
            case .storedWithWarning(let reason):
                entry.status = .warning
                entry.reason = Self.hexadecimal(reason)
            case .failed(let reason):
                entry.status = .failed
                entry.reason = reason.map(Self.hexadecimal)
                entry.explanation =
                    reason.map { FailureReason(rawValue: $0).meaning } ?? report.explanation
                    ?? "status \(report.status)"
            }
            return entry
        }
        entries.withLock { $0 += added }
        return added.compactMap { entry in
            switch entry.status {
            case .stored: nil
            case .warning: "\(entry.path): stored with warning \(entry.reason ?? "")"
            case .failed:
                "\(entry.path): not stored: "
                    + [entry.explanation, entry.reason].compactMap(\.self).joined(separator: ", ")
            }
        }
    }

    /// Takes a batch without an answer; returns a line about it.
    func add(_ batch: StoreBatch, failedBy error: any Error) -> String {
        let added = batch.files.map {
            Entry(path: $0.path, status: .failed, sopInstanceUID: $0.sopInstanceUID, explanation: "\(error)")
        }
        entries.withLock { $0 += added }
        return "\(batch.files.count) files not stored: \(error)"
    }

    /// Writes the summary. Throws when the command has failed.
    func show(asJSON: Bool, bytes: Int, seconds: Double, otherCount: Int, unreadableCount: Int) throws {
        let entries = entries.withLock { $0 }
        let failed = entries.count { $0.status == .failed }
        let warnings = entries.count { $0.status == .warning }
        let stored = entries.count - failed
        if asJSON {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let summary = Summary(
                stored: stored, warnings: warnings, failed: failed, notDICOM: otherCount, unreadable: unreadableCount,
                bytes: bytes, seconds: (seconds * 1_000).rounded() / 1_000, files: entries)
            Terminal.write(Array(try encoder.encode(summary)) + [0x0A])
        } else {
            var text = "\(stored) stored"
            if warnings > 0 { text += " (\(warnings) with warnings)" }
            text += ", \(failed) failed"
            if otherCount > 0 { text += ", \(otherCount) not DICOM" }
            if unreadableCount > 0 { text += ", \(unreadableCount) not readable" }
            let tenths = Int((seconds * 10).rounded())
            text += "; \(ProgressDisplay.size(bytes)) in \(tenths / 10).\(tenths % 10) s\n"
            Terminal.write(text)
        }
        if failed > 0 || unreadableCount > 0 { throw CommandFailure.failed() }
    }

    /// For a file whose UID is unknown or not in the answer.
    private static func outcome(ofUnnamedFileIn report: StoreReport) -> StoreReport.Outcome {
        if let reason = report.otherFailures.first { return .failed(reason: reason) }
        return report.status == 200 || report.status == 202 ? .stored : .failed(reason: nil)
    }

    private static func hexadecimal(_ reason: UInt16) -> String {
        let digits = String(reason, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits + "H"
    }
}
