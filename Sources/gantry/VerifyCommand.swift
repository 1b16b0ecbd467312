import Archive
import ArgumentParser
import Audit
import FoundationEssentials
import GantryServer
import Logging
import SQLStorage

/// Checks an archive.
struct VerifyCommand: AsyncParsableCommand {
    enum Depth: String, CaseIterable, ExpressibleByArgument {
        case rows, blobs, digests

        var archiveDepth: ArchiveVerification.Depth {
            switch self {
            case .rows: .rows
            case .blobs: .blobs
            case .digests: .digests
            }
        }
    }

    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that index, stored bytes, changes and audit trail agree.",
        discussion: """
            The gateway must not be running on the folder. Nothing is changed. Ends with 1 when anything is wrong.

            Examples:
              gantry verify
              gantry verify --data /srv/images --depth digests
            """)

    @OptionGroup var setting: ConfigurationOptions

    @Option(help: "rows: the index; blobs: and that all bytes are there; digests: and that they are unchanged.")
    var depth = Depth.blobs

    @Flag(help: "Write the report as JSON.")
    var json = false

    private struct Summary: Codable {
        var studies: Int
        var series: Int
        var instances: Int
        var changes: Int
        var auditRecords: Int64
        var problems: [String]
    }

    func run() async throws {
        let configuration = try setting.read().configuration
        guard Backends.exist(configuration) else {
            throw CommandFailure.failed("there is no archive in \(configuration.dataFolder)")
        }
        let backends = try await Backends.open(configuration, logger: Logger(label: "gantry"))
        let pending = try await Migrator(Gantry.migrations).pending(backends.database)
        guard pending.isEmpty else {
            throw CommandFailure.failed("the archive is of an older version; start the gateway on it once")
        }
        let progress = ProgressDisplay(total: nil, noun: "instances", isSilent: json)
        let counted = Counted()
        let report = try await ArchiveVerification(
            database: backends.database, blobs: backends.blobs, others: Gantry.otherBlobs
        ).run(depth.archiveDepth) { progress.add(items: counted.advance(to: $0)) }
        progress.finish()
        let audit = try await AuditTable(database: backends.database).verify()
        try await Backends.close(backends)

        var problems = report.problems.map { "\($0)" }
        var auditRecords: Int64 = 0
        switch audit {
        case .intact(let head): auditRecords = head.sequence
        case .broken(let sequence, let fault):
            auditRecords = sequence - 1
            problems.append("audit record \(sequence): \(fault)")
        }
        show(
            Summary(
                studies: report.studies, series: report.series, instances: report.instances, changes: report.changes,
                auditRecords: auditRecords, problems: problems))
        if !problems.isEmpty { throw CommandFailure.failed() }
    }

    private func show(_ summary: Summary) {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            guard let bytes = try? encoder.encode(summary) else { return }
            Terminal.write(Array(bytes) + [0x0A])
        } else {
            for problem in summary.problems { Terminal.writeError(Terminal.printable(problem) + "\n") }
            Terminal.write(
                "\(summary.studies) studies, \(summary.series) series, \(summary.instances) instances, "
                    + "\(summary.changes) changes, \(summary.auditRecords) audit records: "
                    + (summary.problems.isEmpty ? "all well\n" : "\(summary.problems.count) problems\n"))
        }
    }
}
