import ArgumentParser
import DICOMCore
import DICOMWebClient
import FoundationEssentials

/// Retrieves instances from a server.
struct RetrieveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrieve",
        abstract: "Fetch a study, a series or an instance from a server (WADO-RS).",
        discussion: """
            Each instance becomes a file of the folder, named <SOP Instance UID>.dcm. Without --transfer-syntax the \
            instances come as they are stored.

            Examples:
              gantry retrieve http://127.0.0.1:8080/dicomweb 1.2.3 -o study/
              gantry retrieve http://127.0.0.1:8080/dicomweb 1.2.3/1.2.3.4 -o series/
              gantry retrieve http://127.0.0.1:8080/dicomweb 1.2.3 -o plain/ \\
                --transfer-syntax 1.2.840.10008.1.2.1
            """)

    @Argument(help: ArgumentHelp("The server's base address.", valueName: "url"))
    var server: String

    @Argument(help: ArgumentHelp("The UIDs.", valueName: "study[/series[/instance]]"))
    var resource: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("The folder; it is made when it is not there.", valueName: "folder"))
    var output: String

    @Option(help: ArgumentHelp("UID of the transfer syntax to ask for.", valueName: "uid"))
    var transferSyntax: String?

    @Flag(help: "Write the paths of the files as JSON.")
    var json = false

    @OptionGroup var options: ServerOptions

    private struct Summary: Codable {
        var files: [String]
        var isPartial: Bool
        var warnings: [String]
    }

    func run() async throws {
        try ServerOptions.checkAddress(server)
        if let transferSyntax, UID(transferSyntax) == nil {
            throw CommandFailure.wrongUse("'\(transferSyntax)' is not a UID")
        }
        let path = try Self.path(of: resource)
        let progress = ProgressDisplay(total: nil, noun: "files", isSilent: json)
        let clientOptions = try options.clientOptions { progress.note($0) }
        let retrieved = try await DICOMWebClient.withClient(base: server, options: clientOptions) { client in
            try await client.retrieve(path, transferSyntax: transferSyntax ?? "*", into: output) { event in
                switch event {
                case .bytes(let count): progress.add(bytes: count)
                case .file: progress.add(items: 1)
                }
            }
        }
        progress.finish()
        for warning in retrieved.warnings { progress.note("warning: \(warning)") }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let summary = Summary(
                files: retrieved.paths, isPartial: retrieved.isPartial, warnings: retrieved.warnings)
            Terminal.write(Array(try encoder.encode(summary)) + [0x0A])
        } else {
            Terminal.write("\(retrieved.paths.count) files in \(output)\n")
        }
        if retrieved.isPartial { throw CommandFailure.failed("the server left out some instances") }
    }

    /// `1.2/3.4` as `studies/1.2/series/3.4`.
    private static func path(of resource: String) throws -> String {
        let uids = resource.split(separator: "/", omittingEmptySubsequences: false).map { UID($0)?.string }
        guard (1...3).contains(uids.count), !uids.contains(nil) else {
            throw CommandFailure.wrongUse("'\(resource)' is not study[/series[/instance]] with a UID each")
        }
        return zip(["studies", "series", "instances"], uids.compactMap(\.self)).map { "\($0)/\($1)" }.joined(
            separator: "/")
    }
}
