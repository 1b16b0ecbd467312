import ArgumentParser
import GantryServer
import Glibc

/// Starts the gateway.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Start the gateway.",
        discussion: """
            Needs no configuration: data in ./gantry-data, listening on 127.0.0.1:8080. What can be set is in docs/configuration.md: \
            a YAML file, over it GANTRY_… variables, over these the flags.

            Examples:
              gantry serve
              gantry serve --data /srv/images --port 9090
              gantry serve --config gantry.yaml --set store.onConflict=keepFirst
              gantry serve --config gantry.yaml --check
            """)

    @Option(help: ArgumentHelp("The configuration file (YAML); also GANTRY_CONFIG.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The folder of the database and the stored instances.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("The address to listen on.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("The TCP port to listen on.", valueName: "port"))
    var port: String?

    @Option(help: ArgumentHelp("Any other key; may be repeated.", valueName: "key=value"))
    var set: [String] = []

    @Flag(help: "Only check the configuration.")
    var check = false

    @Flag(help: "Show the configuration in force, and where each value is from.")
    var printConfig = false

    func run() async throws {
        let reading = try read()
        if printConfig {
            Terminal.write(reading.configuration.printed(origins: reading.origins))
            return
        }
        if check {
            Terminal.writeError("The configuration is good.\n")
            return
        }
        try await Self.serve(reading.configuration)
    }

    /// File, environment and flags as one configuration. What is wrong with it is a wrong use.
    private func read() throws -> ConfigurationSources.Reading {
        var sources = ConfigurationSources(environment: ProcessEnvironment.all, flags: try flags())
        if let path = config ?? sources.environment["GANTRY_CONFIG"] {
            guard let bytes = SmallFile.contents(atPath: path) else {
                throw CommandFailure.wrongUse("cannot read the configuration file \(path)")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw CommandFailure.wrongUse("the configuration file \(path) is not UTF-8")
            }
            sources.file = ConfigurationSources.File(path: path, text: text)
        }
        do {
            return try sources.read()
        } catch {
            throw CommandFailure.wrongUse("the configuration cannot be used\n\(error)")
        }
    }

    private func flags() throws -> [ConfigurationSources.Flag] {
        var flags: [ConfigurationSources.Flag] = []
        for setting in set {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw CommandFailure.wrongUse("--set takes key=value, not '\(setting)'")
            }
            flags.append(.init(name: "--set", key: String(parts[0]), value: String(parts[1])))
        }
        for (name, key, value) in [
            ("--data", "data", data), ("--host", "server.host", host), ("--port", "server.port", port),
        ] {
            if let value { flags.append(.init(name: name, key: key, value: value)) }
        }
        return flags
    }

    /// The one place where the server starts.
    private static func serve(_ configuration: GantryConfiguration) async throws {
        throw CommandFailure.failed("the server is not part of this build yet")
    }
}
