import ArgumentParser
import FoundationEssentials
import GantryServer
import Logging
import SQLStorage

/// Brings databases up to date, and archives from one database to another.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database up to date, or move an archive to PostgreSQL.",
        subcommands: [MigrateSchemaCommand.self, MigrateArchiveCommand.self])
}

/// Applies the migrations that the database lacks.
struct MigrateSchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Make the tables that this version needs.",
        discussion: """
            The gateway does this by itself when it starts. Where several start at once, one does it and the others wait. A database of a \
            newer version is refused and not touched.

            Examples:
              gantry migrate schema --dry-run
              gantry migrate schema --config gantry.yaml
            """)

    @OptionGroup var setting: ConfigurationOptions

    @Flag(help: "Only show what would be done.")
    var dryRun = false

    @Flag(help: "Write the names of the steps as JSON.")
    var json = false

    func run() async throws {
        let configuration = try setting.read().configuration
        if dryRun, !Backends.exist(configuration) {
            // Looking would make the file.
            return show(Gantry.migrations.map(\.name))
        }
        let database = try Backends.openDatabase(configuration, Logger(label: "gantry"))
        let migrator = Migrator(Gantry.migrations)
        let names: [String]
        do {
            names =
                dryRun
                ? try await migrator.pending(database)
                : try await migrator.migrate(database, now: Gantry.systemClock())
            try await database.close()
        } catch let error as SQLError {
            throw CommandFailure.failed("the database: \(error.message)")
        }
        show(names)
    }

    private func show(_ names: [String]) {
        if json {
            guard let bytes = try? JSONEncoder().encode(names) else { return }
            Terminal.write(Array(bytes) + [0x0A])
        } else {
            for name in names { Terminal.write(name + "\n") }
            Terminal.writeError(
                names.isEmpty ? "Nothing to do.\n" : "\(names.count) steps \(dryRun ? "to do" : "done").\n")
        }
    }
}
