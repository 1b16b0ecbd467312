import ArgumentParser
import DICOMWebClient
import Synchronization

/// Stores files on a server.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Send DICOM files to a server (STOW-RS).",
        discussion: """
            Files are sent as they are; in folders, those are sent that are DICOM by their contents. What a server \
            cannot take just now is tried again. Ends with 1 when any file was not stored.

            Examples:
              gantry store http://127.0.0.1:8080/dicomweb images/
              gantry store https://pacs.example/dicomweb a.dcm b.dcm --json
              gantry store http://127.0.0.1:8080/dicomweb cd/ --connections 8
            """)

    @Argument(help: ArgumentHelp("The server's base address, as http://127.0.0.1:8080/dicomweb.", valueName: "url"))
    var server: String

    @Argument(help: "Files and folders.")
    var paths: [String]

    @Option(help: ArgumentHelp("Store into this study's address.", valueName: "uid"))
    var study: String?

    @Option(help: ArgumentHelp("Requests at a time.", valueName: "n"))
    var connections = 4

    @Option(help: ArgumentHelp("Most files of one request.", valueName: "n"))
    var batch = 100

    @Flag(help: "Write the outcome of each file as JSON.")
    var json = false

    @OptionGroup var options: ServerOptions

    func validate() throws {
        guard (1...64).contains(connections) else { throw ValidationError("--connections takes 1 to 64.") }
        guard batch >= 1 else { throw ValidationError("--batch takes 1 or more.") }
    }

    func run() async throws {
        try ServerOptions.checkAddress(server)
        let found = try await StoreFileSearch().find(paths)
        for error in found.unreadable { Terminal.writeError("gantry: \(error)\n") }
        guard !found.files.isEmpty else {
            throw CommandFailure.failed(found.unreadable.isEmpty ? "there are no DICOM files here" : "nothing was sent")
        }
        let batches = StoreBatch.divide(found.files, count: batch)
        let total = found.files.reduce(0) { $0 + $1.length }
        let progress = ProgressDisplay(total: (total, found.files.count), noun: "files", isSilent: json)
        let results = StoreResults()

        let clientOptions = try options.clientOptions(connections: connections) { progress.note($0) }
        try await DICOMWebClient.withClient(base: server, options: clientOptions) { client in
            try await client.store(batches, study: study) { event in
                switch event {
                case .bytes(let count): progress.add(bytes: count)
                case .finished(let batch, let report):
                    progress.add(items: batch.files.count)
                    for line in results.add(batch, report) { progress.note(line) }
                case .failed(let batch, let error):
                    progress.add(items: batch.files.count)
                    progress.note(results.add(batch, failedBy: error))
                }
            }
        }
        progress.finish()
        try results.show(
            asJSON: json, bytes: total, seconds: progress.seconds, otherCount: found.otherCount,
            unreadableCount: found.unreadable.count)
    }
}
