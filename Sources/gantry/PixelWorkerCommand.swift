import ArgumentParser
import PixelWorkers

/// The process in which a server decodes and renders. Started by the server, never by hand.
struct PixelWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pixel-worker", abstract: "Work on pixels for a server.", shouldDisplay: false)

    @Option(help: "Bytes of memory that the process may have.")
    var memory: Int

    func run() {
        PixelWorker.run(memoryLimit: memory)
    }
}
