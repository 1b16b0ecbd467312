import ArgumentParser
import DICOMWebClient

/// What all commands take that talk to a server.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("File with a bearer token; also the variable DICOMWEB_TOKEN.", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("How often a request is tried.", valueName: "n"))
    var attempts = 6

    func validate() throws {
        guard attempts >= 1 else { throw ValidationError("--attempts takes 1 or more.") }
    }

    /// Options of a client that tells of its retries by `note`.
    func clientOptions(
        connections: Int = 1, note: @escaping @Sendable (String) -> Void
    ) throws -> DICOMWebClient.Options {
        var options = DICOMWebClient.Options()
        options.connections = connections
        options.retries = RetryPolicy(attempts: attempts)
        options.onRetry = { retry in
            let tenths = Int((retry.delay / .milliseconds(100)).rounded())
            note("trying again in \(tenths / 10).\(tenths % 10) s (\(retry.cause))")
        }
        if let tokenFile {
            guard let bytes = SmallFile.contents(atPath: tokenFile) else {
                throw CommandFailure.wrongUse("cannot read the token file \(tokenFile)")
            }
            options.token = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        } else {
            options.token = ProcessEnvironment.all["DICOMWEB_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        }
        return options
    }

    /// Refuses what cannot be a base address before anything else is done.
    static func checkAddress(_ address: String) throws {
        let schemes = ["http://", "https://"]
        guard let scheme = schemes.first(where: { address.hasPrefix($0) }), address.count > scheme.count,
            !address.contains("?"), !address.contains("#")
        else {
            throw CommandFailure.wrongUse("'\(address)' is not an address such as http://127.0.0.1:8080/dicomweb")
        }
    }
}
