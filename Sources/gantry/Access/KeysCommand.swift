import Access
import ArgumentParser
import GantryServer

/// API keys.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make and revoke API keys.",
        discussion: """
            A key is sent as X-API-Key. Works on the data folder, also while the gateway runs; changes count within seconds.

            Examples:
              gantry keys create --scope dicomweb.store --note 'CT in room 3' --expires 365d
              gantry keys list
              gantry keys revoke 7kq2mfw3h9dx
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key; it is shown once.",
            discussion: """
                Examples:
                  gantry keys create --scope dicomweb.read --network 10.0.0.0/8
                  gantry keys create --client mr-1 --scope upload --expires 90d --json
                """)

        @Option(
            help: ArgumentHelp("What it may do; may be repeated. Without any it reads /metrics.", valueName: "scope"))
        var scope: [String] = []

        @Option(help: ArgumentHelp("The client that it belongs to.", valueName: "client-id"))
        var client: String?

        @Option(help: ArgumentHelp("Whose it is, when it belongs to no client.", valueName: "name"))
        var organization: String?

        @Option(help: ArgumentHelp("What it is for.", valueName: "text"))
        var note: String?

        @Option(help: ArgumentHelp("When it ends, as 90d; never, if not given.", valueName: "time"))
        var expires: String?

        @Option(help: ArgumentHelp("An address or network that may use it; may be repeated.", valueName: "network"))
        var network: [String] = []

        @Flag(help: "Write the key as JSON.")
        var json = false

        @OptionGroup var setting: ConfigurationOptions

        func run() async throws {
            let now = Gantry.systemClock()
            var key = APIKey(
                client: client, note: note, organization: organization, scopes: try AccessTables.scopes(scope),
                networks: network, createdAt: now)
            key.expiresAt = try expires.map { now + (try AccessTables.duration($0)) }
            if let wrong = network.first(where: { !AddressRanges.isRange($0) }) {
                throw CommandFailure.wrongUse("'\(wrong)' is no address or network such as 10.0.0.0/8")
            }
            let text = try await AccessTables.with(setting) { [key] tables in
                if let id = key.client {
                    guard let client = try await tables.clients.client(id) else {
                        throw CommandFailure.failed("there is no client \(id)")
                    }
                    guard key.scopes.isSubset(of: client.scopes) else {
                        throw CommandFailure.failed("\(id) may do no more than: \(client.scopes.text)")
                    }
                }
                return try await tables.keys.create(key, record: AccessTables.record("key created", key.id))
            }
            if json {
                var object = key.jsonObject
                object.add("key", text)
                Terminal.write(object.text + "\n")
            } else {
                Terminal.write("key id   \(key.id)\nAPI key  \(text)\n")
                Terminal.writeError("The key is not shown again.\n")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the keys, the revoked ones too.",
            discussion: """
                Examples:
                  gantry keys list
                  gantry keys list --json
                """)

        @Flag(help: "Write the keys as JSON.")
        var json = false

        @OptionGroup var setting: ConfigurationOptions

        func run() async throws {
            let keys = try await AccessTables.with(setting) { try await $0.keys.all() }
            if json {
                var object = JSONObjectText()
                object.add("keys", objects: keys.map(\.jsonObject))
                Terminal.write(object.text + "\n")
            } else {
                let now = Gantry.systemClock()
                let rows = keys.map { key in
                    [
                        key.id, Self.state(of: key, now), key.client ?? "-", key.scopes.text,
                        key.lastUsedAt.map(Timestamp.text) ?? "never", key.note ?? "",
                    ]
                }
                Terminal.write(TextColumns(["KEY", "STATE", "CLIENT", "SCOPES", "LAST USED", "NOTE"], rows).text)
            }
        }

        private static func state(of key: APIKey, _ now: Int64) -> String {
            if key.revokedAt != nil { return "revoked" }
            guard let end = key.expiresAt else { return "good" }
            return end > now ? "until \(Timestamp.text(end))" : "expired"
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a key for good.", discussion: "Examples:\n  gantry keys revoke 7kq2mfw3h9dx")

        @Argument(help: ArgumentHelp("The key's id, which is no secret.", valueName: "key-id"))
        var id: String

        @OptionGroup var setting: ConfigurationOptions

        func run() async throws {
            let isRevoked = try await AccessTables.with(setting) { tables in
                try await tables.keys.revoke(
                    id, now: Gantry.systemClock(), record: AccessTables.record("key revoked", id))
            }
            guard isRevoked else { throw CommandFailure.failed("there is no key \(id), or it is revoked already") }
            Terminal.write("\(id) is revoked\n")
        }
    }
}
