import Logging
package import PostgreSQLStorage
package import SQLStorage
import SQLiteStorage

/// The databases that a suite runs on.
package enum TestDatabase: String, CaseIterable, Sendable {
    case sqlite, postgreSQL

    /// The one that a test is to open.
    @TaskLocal package static var current = TestDatabase.sqlite

    /// Opens an empty database: a file in the folder, or one of the shared server's.
    package func open(folder: String) async throws -> any SQLDatabase {
        switch self {
        case .sqlite: try SQLiteDatabase(SQLiteConfiguration(path: folder + "/index.sqlite"))
        case .postgreSQL: try await Self.open(PostgreSQLServer.shared.makeDatabase())
        }
    }

    /// Opens a database that nobody hears of.
    package static func open(_ configuration: PostgreSQLConfiguration) throws -> PostgreSQLDatabase {
        try PostgreSQLDatabase(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
