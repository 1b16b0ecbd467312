import ArgumentParser
import DICOMCore
import DICOMWebClient

/// Searches a server.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Search a server for studies, series or instances (QIDO-RS).",
        discussion: """
            Keys are keywords or tags of attributes, and the parameters of the standard (limit, offset, includefield, \
            fuzzymatching). Quote wildcards.

            Examples:
              gantry search http://127.0.0.1:8080/dicomweb
              gantry search http://127.0.0.1:8080/dicomweb PatientName='Doe*'
              gantry search http://127.0.0.1:8080/dicomweb series Modality=CT limit=20
              gantry search http://127.0.0.1:8080/dicomweb instances --json
            """)

    @Argument(help: ArgumentHelp("The server's base address.", valueName: "url"))
    var server: String

    @Argument(
        help: ArgumentHelp("studies (default), series or instances; then key=value.", valueName: "level | key=value"))
    var terms: [String] = []

    @Flag(help: "Write the answer as DICOM JSON.")
    var json = false

    @OptionGroup var options: ServerOptions

    func run() async throws {
        try ServerOptions.checkAddress(server)
        var terms = terms[...]
        var level = SearchTable.Level.studies
        if let first = terms.first, !first.contains("=") {
            guard let named = SearchTable.Level(rawValue: first) else {
                throw CommandFailure.wrongUse("'\(first)' is neither studies, series, instances nor key=value")
            }
            level = named
            terms.removeFirst()
        }
        let query = try terms.map { term -> (name: String, value: String) in
            let parts = term.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandFailure.wrongUse("'\(term)' is not key=value")
            }
            return (String(parts[0]), String(parts[1]))
        }
        let clientOptions = try options.clientOptions { Terminal.writeError($0 + "\n") }
        let answer = try await DICOMWebClient.withClient(base: server, options: clientOptions) { client in
            try await client.search(level.rawValue, query: query)
        }
        for warning in answer.warnings { Terminal.writeError(Terminal.printable("warning: \(warning)") + "\n") }
        if json {
            Terminal.write(answer.json + [0x0A])
        } else {
            let table = SearchTable(level: level, results: try answer.dataSets())
            Terminal.write(Terminal.isOutputInteractive ? table.aligned(width: Terminal.width) : table.tabbed())
        }
    }
}
