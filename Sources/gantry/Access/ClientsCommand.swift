import Access
import ArgumentParser
import GantryServer
import SQLStorage

/// Who may ask the gateway for tokens.
struct ClientsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients",
        abstract: "Make and change clients, who get tokens with an id and a secret.",
        discussion: """
            Works on the data folder, also while the gateway runs; changes count within seconds. From the first client or \
            key on, everybody has to say who they are.

            Examples:
              gantry clients create mr-1 --scope upload --scope orders.read
              gantry clients list
              gantry clients rotate mr-1 --overlap 1h
              gantry clients disable mr-1
            """,
        subcommands: [Create.self, List.self, Enable.self, Disable.self, Rotate.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a client; its secret is shown once.",
            discussion: """
                Examples:
                  gantry clients create mr-1 --scope upload,orders.read --organization radiology
                  gantry clients create admin --scope admin --json
                """)

        @Argument(help: ArgumentHelp("Letters, digits, dots, hyphens and low lines.", valueName: "client-id"))
        var id: String

        @Option(help: ArgumentHelp("What it may do; may be repeated.", valueName: "scope"))
        var scope: [String] = []

        @Option(help: ArgumentHelp("Whose it is.", valueName: "name"))
        var organization: String?

        @Option(help: ArgumentHelp("A role, as org-admin; may be repeated.", valueName: "role"))
        var role: [String] = []

        @Flag(help: "Write the client as JSON.")
        var json = false

        @OptionGroup var setting: ConfigurationOptions

        func run() async throws {
            guard Client.isID(id) else {
                throw CommandFailure.wrongUse(
                    "'\(id)' is not 1 to 64 letters, digits, dots, hyphens and low lines that begin with none of .- and gk_"
                )
            }
            let client = Client(
                id: id, organization: organization, scopes: try AccessTables.scopes(scope), roles: Set(role),
                createdAt: Gantry.systemClock())
            let secret = try await AccessTables.with(setting) { tables in
                do {
                    return try await tables.clients.create(
                        client, record: AccessTables.record("client created", id))
                } catch let error as SQLError where error.code == .constraint(.unique) {
                    throw CommandFailure.failed("there is a client \(id) already")
                }
            }
            if json {
                var object = client.jsonObject
                object.add("client_secret", secret)
                Terminal.write(object.text + "\n")
            } else {
                Terminal.write("client id      \(id)\nclient secret  \(secret)\n")
                Terminal.writeError("The secret is not shown again.\n")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the clients.",
            discussion: """
                Examples:
                  gantry clients list
                  gantry clients list --json
                """)

        @Flag(help: "Write the clients as JSON.")
        var json = false

        @OptionGroup var setting: ConfigurationOptions

        func run() async throws {
            let clients = try await AccessTables.with(setting) { try await $0.clients.all() }
            if json {
                var object = JSONObjectText()
                object.add("clients", objects: clients.map(\.jsonObject))
                Terminal.write(object.text + "\n")
            } else {
                let rows = clients.map { client in
                    [
                        client.id, client.isEnabled ? "enabled" : "disabled", client.organization ?? "-",
                        client.scopes.text, client.roles.sorted().joined(separator: ","),
                    ]
                }
                Terminal.write(TextColumns(["CLIENT", "STATE", "ORGANIZATION", "SCOPES", "ROLES"], rows).text)
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a client in again.", discussion: "Examples:\n  gantry clients enable mr-1")

        @OptionGroup var change: ClientChange

        func run() async throws { try await change.run("client enabled", "enabled") { $0.isEnabled = true } }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shut a client out, with its tokens and keys.",
            discussion: "Examples:\n  gantry clients disable mr-1")

        @OptionGroup var change: ClientChange

        func run() async throws { try await change.run("client disabled", "disabled") { $0.isEnabled = false } }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a client a new secret; it is shown once.",
            discussion: """
                Examples:
                  gantry clients rotate mr-1
                  gantry clients rotate mr-1 --overlap 24h
                """)

        @Argument(help: ArgumentHelp("The client.", valueName: "client-id"))
        var id: String

        @Option(help: ArgumentHelp("How long the old secret is taken too, as 24h.", valueName: "time"))
        var overlap = "0s"

        @Flag(help: "Write id and secret as JSON.")
        var json = false

        @OptionGroup var setting: ConfigurationOptions

        func run() async throws {
            let overlap = try AccessTables.duration(overlap)
            let secret = try await AccessTables.with(setting) { tables in
                try await tables.clients.rotate(
                    id, overlap: overlap, now: Gantry.systemClock(),
                    record: AccessTables.record("client secret rotated", id))
            }
            guard let secret else { throw CommandFailure.failed("there is no client \(id)") }
            if json {
                var object = JSONObjectText()
                object.add("client_id", id)
                object.add("client_secret", secret)
                Terminal.write(object.text + "\n")
            } else {
                Terminal.write("client id      \(id)\nclient secret  \(secret)\n")
                Terminal.writeError("The secret is not shown again.\n")
            }
        }
    }
}

/// A change of one client.
struct ClientChange: ParsableArguments {
    @Argument(help: ArgumentHelp("The client.", valueName: "client-id"))
    var id: String

    @Flag(help: "Write the client as JSON.")
    var json = false

    @OptionGroup var setting: ConfigurationOptions

    func run(_ what: String, _ state: String, _ change: @escaping @Sendable (inout Client) -> Void) async throws {
        let client = try await AccessTables.with(setting) { tables in
            try await tables.clients.change(
                id, now: Gantry.systemClock(), record: AccessTables.record(what, id), change)
        }
        guard let client else { throw CommandFailure.failed("there is no client \(id)") }
        Terminal.write(json ? client.jsonObject.text + "\n" : "\(id) is \(state)\n")
    }
}
