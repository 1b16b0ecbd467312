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
              gantry serve --config gantry.yaml --check
            """)

    @OptionGroup var setting: ConfigurationOptions

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
            ("--host", "server.host", host), ("--port", "server.port", port),
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
        let logger = Logger(label: "gantry")
        let backends = try await Backends.open(configuration, logger: logger)
        let gantry = Gantry(
            configuration: configuration, backends: backends, pixels: pixelWorkers(configuration.pixels),
            registry: registry, logger: logger, fetch: KeySetClient.fetch
        ) { running in
            Terminal.write(welcome(configuration, running))
        }
        do {
            try await gantry.run()
        } catch let refusal as StartRefusal {
            throw CommandFailure.wrongUse(refusal.description)
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            let server = configuration.server
            throw CommandFailure.failed(
                "\(server.host), port \(server.port), is in use already; choose another with --port")
        }
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

    /// Where the server is, and what to try.
    private static func welcome(_ configuration: GantryConfiguration, _ running: Gantry.Running) -> String {
        let host =
            configuration.server.host.contains(":") ? "[\(configuration.server.host)]" : configuration.server.host
        let address = "\(configuration.tls.isOn ? "https" : "http")://\(host):\(running.port)"
        let isLocal = !configuration.access.insecure
        let access =
            running.isOpenToAll
            ? "open to anybody\(isLocal ? " on this machine" : "") until there is a client or key: gantry clients create --help"
            : "with a token or key: docs/access.md"
        return """
            Gantry is listening; its data are in \(configuration.dataFolder).

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
