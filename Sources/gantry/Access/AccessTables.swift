import Access
import ArgumentParser
import Audit
import GantryServer
import Logging
import SQLStorage

/// What the commands about clients and keys work on: the database of the data folder, whether a gateway runs on it or not.
struct AccessTables: Sendable {
    let database: any SQLDatabase
    let clients: ClientTable
    let keys: APIKeyTable

    /// Opens the database, does the work and closes it.
    static func with<T>(
        _ setting: ConfigurationOptions, _ body: (AccessTables) async throws -> T
    ) async throws -> T {
        let database = try Backends.openDatabase(
            try setting.read().configuration, Logger(label: "gantry"))
        do {
            try await Migrator(Gantry.migrations).migrate(database, now: Gantry.systemClock())
            let result = try await body(
                AccessTables(
                    database: database, clients: ClientTable(database: database),
                    keys: APIKeyTable(database: database)))
            try await database.close()
            return result
        } catch {
            try? await database.close()
            throw error
        }
    }

    /// The audit record of a change that was made from the command line.
    static func record(_ what: String, _ subject: String) -> @Sendable (any SQLTransaction) throws -> Void {
        CredentialChange(what, subject, AuditEvent.Actor(), nil, Gantry.systemClock(), door: "command").write
    }

    /// Scopes as they were written; a wrong one is a wrong use.
    static func scopes(_ words: [String]) throws -> Set<Scope> {
        let scopes = Set(words.flatMap { $0.split { $0 == "," || $0 == " " } }.map { Scope(rawValue: String($0)) })
        if let unknown = scopes.subtracting(Scope.all).first {
            throw CommandFailure.wrongUse(
                "there is no scope \(unknown.rawValue); there are: \(Set(Scope.all).text)")
        }
        return scopes
    }

    /// A time from now on, as `90d`, `12h`, `30m` or `45s`, in milliseconds.
    static func duration(_ text: String) throws -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let last = text.last, let unit = units[last], let number = Int64(text.dropLast()),
            (0...100_000_000).contains(number), number * unit <= 315_360_000
        else { throw CommandFailure.wrongUse("'\(text)' is not a time such as 90d, 12h or 30m, at most ten years") }
        return number * unit * 1000
    }
}
