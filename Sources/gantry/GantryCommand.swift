import ArgumentParser
import Glibc

/// The command `gantry` and its subcommands.
///
/// Exit codes: 0 done, 1 failed, 2 used wrongly.
@main
struct GantryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry",
        abstract: "A DICOMweb gateway: stores, searches and returns medical images.",
        discussion: """
            Examples:
              gantry serve
              gantry store http://127.0.0.1:8080/dicomweb images/
              gantry search http://127.0.0.1:8080/dicomweb PatientName='Doe*'
              gantry inspect image.dcm
            """,
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, StoreCommand.self, SearchCommand.self, RetrieveCommand.self, InspectCommand.self,
            ClientsCommand.self, KeysCommand.self, TokenCommand.self, VerifyCommand.self, MigrateCommand.self,
            PixelWorkerCommand.self, DocumentationCommand.self,
        ])

    static func main() async {
        Glibc.exit(await run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs one command line and returns its exit code.
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return report(error)
        }
    }

    /// Tells the user what went wrong, or what was asked for, and returns the exit code.
    private static func report(_ error: any Error) -> Int32 {
        if let failure = error as? CommandFailure {
            if !failure.message.isEmpty { Terminal.writeError("gantry: \(failure.message)\n") }
            return failure.isWrongUse ? 2 : 1
        }
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard code.isSuccess else {
            guard code == .validationFailure else {
                Terminal.writeError("gantry: \(Self.message(for: error))\n")
                return 1
            }
            if !message.isEmpty { Terminal.writeError(message + "\n") }
            return 2
        }
        if !message.isEmpty { Terminal.write(message + "\n") }
        return 0
    }
}

/// A command that ends with an exit code and, unless everything has been said already, a message.
struct CommandFailure: Error, CustomStringConvertible {
    var message: String
    /// Whether the command line is at fault, not what was met on the way.
    var isWrongUse: Bool

    static func failed(_ message: String = "") -> CommandFailure {
        CommandFailure(message: message, isWrongUse: false)
    }

    static func wrongUse(_ message: String) -> CommandFailure {
        CommandFailure(message: message, isWrongUse: true)
    }

    var description: String { message }
}
