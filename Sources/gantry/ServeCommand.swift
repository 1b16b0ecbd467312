import ArgumentParser
import GantryServer
import Glibc
import Logging
import Metrics
import NIOCore
import Observability
import PixelWorkers

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
              gantry serve --role core --port 8081
              gantry serve --config gantry.yaml --check
            """)

    @OptionGroup var setting: ConfigurationOptions

    @Option(help: ArgumentHelp("What this process does: all, stow, wado or core.", valueName: "role"))
    var role: String?

    @Option(help: ArgumentHelp("The address to listen on.", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("The TCP port to listen on.", valueName: "port"))
    var port: String?

    @Flag(help: "Listen beyond loopback although nobody has to say who they are.")
    var insecure = false

    @Flag(help: "Only check the configuration.")
    var check = false

    @Flag(help: "Show the configuration in force, and where each value is from.")
    var printConfig = false

    func run() async throws {
        let reading = try setting.read(flags: [
            ("--role", "role", role), ("--host", "server.host", host), ("--port", "server.port", port),
            ("--insecure", "access.insecure", insecure ? "true" : nil),
        ])
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

    /// The one place where the server starts.
    private static func serve(_ configuration: GantryConfiguration) async throws {
        let registry = MetricRegistry()
        MetricsSystem.bootstrap(registry)
        LoggingSystem.bootstrap { logHandler($0, configuration.logging) }
        do {
            try await serve(configuration, registry)
        } catch let refusal as StartRefusal {
            throw CommandFailure.wrongUse(refusal.description)
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            let server = configuration.server
            throw CommandFailure.failed(
                "\(server.host), port \(server.port), is in use already; choose another with --port")
        }
    }

    private static func serve(_ configuration: GantryConfiguration, _ registry: MetricRegistry) async throws {
        let logger = Logger(label: "gantry")
        guard configuration.role == .all else {
            let opened = try await RoleBackends.open(configuration, logger: logger)
            let server = RoleServer(
                configuration: configuration, parts: opened.parts, pixels: pixelWorkers(configuration.pixels),
                registry: registry, logger: logger,
                onRunning: { port in Terminal.write(roleWelcome(configuration, port: port)) }, onStopped: opened.close)
            return try await server.run()
        }
        let gantry = Gantry(
            configuration: configuration, backends: try await Backends.open(configuration, logger: logger),
            pixels: pixelWorkers(configuration.pixels), registry: registry, logger: logger, fetch: KeySetClient.fetch
        ) { running in
            Terminal.write(welcome(configuration, running))
        }
        try await gantry.run()
    }

    /// Codecs run in processes of this same executable.
    private static func pixelWorkers(_ settings: GantryConfiguration.Pixels) -> PixelWorkers {
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return PixelWorkers(
            PixelWorkersConfiguration(
                place: .processes(command: ["/proc/self/exe", "pixel-worker", "--memory", String(settings.memory)]),
                count: settings.workers == 0 ? processors : settings.workers,
                timeout: Int(settings.timeout.components.seconds), frameBytes: settings.frameBytes))
    }

    private static func logHandler(_ label: String, _ logs: GantryConfiguration.Logs) -> any LogHandler {
        let isText =
            switch logs.format {
            case .automatic: Terminal.isErrorInteractive
            case .json: false
            case .text: true
            }
        return LineLogHandler(label: label, format: isText ? .text : .json, level: logs.level)
    }

    private static func whereThingsAre(_ configuration: GantryConfiguration) -> String {
        let objects = configuration.s3.bucket.map { "instances are in the bucket \($0)" }
        switch (configuration.databaseURL, objects) {
        case (nil, nil): return "its data are in \(configuration.dataFolder)"
        case (nil, let objects?): return "its index is in \(configuration.dataFolder), \(objects)"
        case (.some, nil): return "its index is in PostgreSQL, instances are in \(configuration.dataFolder)"
        case (.some, let objects?): return "its index is in PostgreSQL, \(objects)"
        }
    }

    /// Where a process of one role is.
    private static func roleWelcome(_ configuration: GantryConfiguration, port: Int) -> String {
        let address = address(configuration, port: port)
        let doors =
            switch configuration.role {
            case .all: "DICOMweb   \(address)/dicomweb"
            case .stow: "STOW-RS    \(address)/stow-rs"
            case .wado: "WADO-RS    \(address)/wado-rs"
            case .core: "events     \(address)\n  queries    \(address)/query"
            }
        return """
            Gantry is listening, in the role \(configuration.role.rawValue).

              \(doors)
              metrics    \(address)/metrics
              health     \(address)/health/ready


            """
    }

    private static func address(_ configuration: GantryConfiguration, port: Int) -> String {
        let host =
            configuration.server.host.contains(":") ? "[\(configuration.server.host)]" : configuration.server.host
        return "\(configuration.tls.isOn ? "https" : "http")://\(host):\(port)"
    }

    /// Where the server is, and what to try.
    private static func welcome(_ configuration: GantryConfiguration, _ running: Gantry.Running) -> String {
        let address = address(configuration, port: running.port)
        let isLocal = !configuration.access.insecure
        let access =
            running.isOpenToAll
            ? "open to anybody\(isLocal ? " on this machine" : "") until there is a client or key: gantry clients create --help"
            : "with a token or key: docs/access.md"
        return """
            Gantry is listening; \(whereThingsAre(configuration)).

              page       \(address)
              DICOMweb   \(address)/dicomweb
              health     \(address)/health/ready
              metrics    \(address)/metrics
              access     \(access)

            Try:
              curl -H 'Content-Type: application/dicom' --data-binary @image.dcm \(address)/dicomweb/studies
              curl \(address)/dicomweb/studies


            """
    }
}
