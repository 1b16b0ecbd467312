import Archive
import ArgumentParser
import BlobStorage
import FoundationEssentials
import GantryServer
import Glibc
import Logging
import SQLStorage

/// Moves an archive from the embedded database to PostgreSQL, and its instances into the bucket, if one is configured.
struct MigrateArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Move an archive from a data folder to PostgreSQL, and into a bucket.",
        discussion: """
            Copies every table of the folder's database to the PostgreSQL database of the configuration, compares both sides, and says for \
            each table how many rows it has and the SHA-256 of their content. Where the configuration names a bucket, the instances \
            that are files of the folder go there, each checked against the digest that it was stored with; else they stay, and the folder \
            must stay the configuration's, too.

            No gateway may be running on the folder or on the database. The folder is not changed. A move that was broken off goes on \
            where it was when it is started again; a gateway refuses the database until it is complete.

            Examples:
              gantry migrate archive --from gantry-data --config gantry.yaml
            """)

    @Option(help: ArgumentHelp("The data folder to move from.", valueName: "folder"))
    var from: String

    @OptionGroup var setting: ConfigurationOptions

    @Flag(help: "Write the report as JSON.")
    var json = false

    private struct Report: Codable {
        var tables: [TableMove.Table]
        var rows: Int
        /// Of instances that were moved into the bucket by this run.
        var bytes: Int
    }

    func run() async throws {
        let new = try setting.read().configuration
        guard new.databaseURL != nil else {
            throw CommandFailure.wrongUse("the configuration names no PostgreSQL database to move to: set database")
        }
        var old = new
        old.dataFolder = from
        old.databaseURL = nil
        old.s3.bucket = nil
        guard Backends.exist(old) else { throw CommandFailure.failed("there is no archive in \(from)") }
        // An embedded database may have had a bucket beside it before.
        let hasFiles = ["packs", "objects"].contains { access("\(from)/\($0)", F_OK) == 0 }
        if hasFiles, new.s3.bucket == nil, !Self.isSame(from, new.dataFolder) {
            throw CommandFailure.wrongUse(
                "the instances stay in \(from), but the configuration has data: \(new.dataFolder); set data to the folder, or a bucket"
            )
        }
        let (tables, bytes) = try await move(old, new, hasFiles: hasFiles)
        show(Report(tables: tables, rows: tables.reduce(0) { $0 + $1.rows }, bytes: bytes))
    }

    private func move(
        _ old: GantryConfiguration, _ new: GantryConfiguration, hasFiles: Bool
    ) async throws -> (tables: [TableMove.Table], bytes: Int) {
        var logger = Logger(label: "gantry")
        logger.logLevel = .warning
        do {
            // A gateway that works on the folder holds the lock on its files.
            let files = hasFiles ? try await Backends.open(old, logger: logger) : nil
            let source = try files?.database ?? Backends.openDatabase(old, logger)
            return try await Backends.closing {
                if let files { try await Backends.close(files) } else { try await source.close() }
            } after: {
                guard try await Migrator(Gantry.migrations).pending(source).isEmpty else {
                    throw CommandFailure.failed(
                        "the archive in \(from) is of an older version; first: gantry migrate schema --set database= --data \(from)"
                    )
                }
                let target = try Backends.openDatabase(new, logger)
                return try await Backends.closing {
                    try await target.close()
                } after: {
                    try await Migrator(Gantry.migrations, refusesMoves: false).migrate(
                        target, now: Gantry.systemClock())
                    guard let files, let bucket = try await Backends.openBucket(new, logger) else {
                        return try await carryOut(ArchiveMove(from: source, to: target, blobs: nil))
                    }
                    return try await Backends.closing {
                        try await bucket.close()
                    } after: {
                        let blobs = ArchiveMove.Blobs(from: files.blobs, to: bucket)
                        return try await carryOut(ArchiveMove(from: source, to: target, blobs: blobs))
                    }
                }
            }
        } catch let error as SQLError {
            throw CommandFailure.failed("the database: \(error.message)")
        } catch let error as ArchiveMove.Failure {
            throw CommandFailure.failed(
                "\(error); what has arrived stays, and the move goes on when it is started again")
        }
    }

    private func carryOut(_ move: ArchiveMove) async throws -> (tables: [TableMove.Table], bytes: Int) {
        let progress = ProgressDisplay(total: (0, try await move.rowCount()), noun: "rows", isSilent: json)
        let counted = Counted()
        defer { progress.finish() }
        let tables = try await move.run { step in
            counted.add(step.bytes)
            progress.add(bytes: step.bytes, items: step.rows)
        }
        return (tables, counted.value)
    }

    /// Whether both paths lead to one folder.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        var (first, second) = (stat(), stat())
        return stat(left, &first) == 0 && stat(right, &second) == 0
            && first.st_ino == second.st_ino && first.st_dev == second.st_dev
    }

    private func show(_ report: Report) {
        guard !json else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            guard let bytes = try? encoder.encode(report) else { return }
            return Terminal.write(Array(bytes) + [0x0A])
        }
        let width = report.tables.map(\.name.count).max() ?? 0
        for table in report.tables {
            let name = table.name + String(repeating: " ", count: width - table.name.count)
            Terminal.write("\(name)  \(table.digest)  \(table.rows) rows\n")
        }
        let bytes = report.bytes > 0 ? " and \(ProgressDisplay.size(report.bytes)) of instances" : ""
        Terminal.writeError("Moved \(report.rows) rows\(bytes); both sides are the same.\n")
    }
}
