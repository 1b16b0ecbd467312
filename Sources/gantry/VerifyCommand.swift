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
        let (report, audit) = try await check(configuration)
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

    private func check(
        _ configuration: GantryConfiguration
    ) async throws -> (ArchiveVerification.Report, AuditVerification) {
        let backends = try await Backends.open(configuration, logger: Logger(label: "gantry"))
        return try await Backends.closing {
            try await Backends.close(backends)
        } after: {
            let pending: [String]
            do {
                pending = try await Migrator(Gantry.migrations).pending(backends.database)
            } catch let error as SQLError {
                throw CommandFailure.failed("the database: \(error.message)")
            }
            guard pending.isEmpty else {
                throw CommandFailure.failed("the archive is of an older version; first: gantry migrate schema")
            }
            let progress = ProgressDisplay(total: nil, noun: "instances", isSilent: json)
            let counted = Counted()
            defer { progress.finish() }
            let report = try await ArchiveVerification(
                database: backends.database, blobs: backends.blobs, others: Gantry.otherBlobs
            ).run(depth.archiveDepth) { progress.add(items: counted.advance(to: $0)) }
            return (report, try await AuditTable(database: backends.database).verify())
        }
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
