import Access
import ArgumentParser
import AsyncHTTPClient
import GantryServer
import NIOCore
import NIOHTTP1
import SQLStorage

/// Access tokens.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Get an access token, look into one, or change the key that signs them.",
        discussion: """
            Examples:
              gantry token get http://127.0.0.1:8080 --client-id mr-1 --client-secret-file secret
              gantry token get http://127.0.0.1:8080 --client-id mr-1 | gantry token show -
              gantry token rotate
            """,
        subcommands: [Get.self, Show.self, Rotate.self])

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Get a token from a gateway and write it on standard output.",
            discussion: """
                The secret comes from the file or from the variable GANTRY_CLIENT_SECRET, so that no list of processes \
                shows it; the id may come from GANTRY_CLIENT_ID.

                Examples:
                  gantry token get http://127.0.0.1:8080 --client-id mr-1 --client-secret-file secret > token
                  gantry token get https://gw.example --client-id mr-1 --scope dicomweb.read --json
                """)

        @Argument(help: ArgumentHelp("The gateway's address, as http://127.0.0.1:8080.", valueName: "url"))
        var server: String

        @Option(help: ArgumentHelp("The client.", valueName: "id"))
        var clientID: String?

        @Option(help: ArgumentHelp("File with its secret.", valueName: "file"))
        var clientSecretFile: String?

        @Option(help: ArgumentHelp("Less than the client may do; may be repeated.", valueName: "scope"))
        var scope: [String] = []

        @Flag(help: "Write the whole answer as JSON.")
        var json = false

        func run() async throws {
            try ServerOptions.checkAddress(server)
            guard let id = clientID ?? ProcessEnvironment.all["GANTRY_CLIENT_ID"] else {
                throw CommandFailure.wrongUse("--client-id or GANTRY_CLIENT_ID says which client asks")
            }
            var form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", try secret())]
            if !scope.isEmpty {
                form.append(("scope", try AccessTables.scopes(scope).text))
            }
            let (status, body) = try await post(form)
            let answer = StrictJSON(body)
            guard status == 200, let token = answer?["access_token"]?.string else {
                let why =
                    answer?["error_description"]?.string.map { "\($0) (\(answer?["error"]?.string ?? ""))" }
                    ?? "status \(status)"
                throw CommandFailure.failed("no token: \(Terminal.printable(why))")
            }
            Terminal.write(json ? body + [0x0A] : Array((token + "\n").utf8))
        }

        private func secret() throws -> String {
            if let clientSecretFile {
                guard let bytes = SmallFile.contents(atPath: clientSecretFile) else {
                    throw CommandFailure.wrongUse("cannot read the secret file \(clientSecretFile)")
                }
                return String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
            }
            guard let secret = ProcessEnvironment.all["GANTRY_CLIENT_SECRET"], !secret.isEmpty else {
                throw CommandFailure.wrongUse("--client-secret-file or GANTRY_CLIENT_SECRET holds the client's secret")
            }
            return secret
        }

        private func post(_ form: [(String, String)]) async throws -> (status: Int, body: [UInt8]) {
            var base = server
            while base.hasSuffix("/") { base.removeLast() }
            var request = HTTPClientRequest(url: base + "/token")
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            let text = form.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
            request.body = .bytes(ByteBuffer(string: text))
            do {
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
                let body = try await response.body.collect(upTo: 1 << 20)
                return (Int(response.status.code), Array(body.readableBytesView))
            } catch {
                throw CommandFailure.failed("no token: \(server) does not answer (\(error))")
            }
        }

        private static func escaped(_ text: String) -> String {
            text.utf8.map { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                    String(UnicodeScalar(byte))
                default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                }
            }.joined()
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a token says, without checking it.",
            discussion: """
                Examples:
                  gantry token show token
                  gantry token get http://127.0.0.1:8080 | gantry token show -
                """)

        @Argument(help: ArgumentHelp("File with the token; - for standard input.", valueName: "file"))
        var file = "-"

        @Flag(help: "Write header and claims as one JSON object.")
        var json = false

        func run() throws {
            guard let bytes = SmallFile.contents(atPath: file == "-" ? "/dev/stdin" : file) else {
                throw CommandFailure.wrongUse("cannot read \(file)")
            }
            let token = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
            let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            let texts = parts.prefix(2).compactMap { part -> String? in
                guard let bytes = Base64URL.decode(part), StrictJSON(bytes) != nil else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            }
            guard parts.count == 3, texts.count == 2 else { throw CommandFailure.failed("this is no token") }
            if json {
                Terminal.write("{\"header\":\(texts[0]),\"claims\":\(texts[1])}\n")
                return
            }
            guard case .object(let claims)? = StrictJSON(texts[1].utf8) else {
                throw CommandFailure.failed("this is no token")
            }
            let rows = claims.sorted { $0.key < $1.key }.map { name, value in [name, Self.text(value, of: name)] }
            Terminal.write(TextColumns(["CLAIM", "VALUE"], rows).text)
        }

        private static func text(_ value: StrictJSON, of name: String) -> String {
            switch value {
            case .number(let seconds) where ["exp", "iat", "nbf", "auth_time"].contains(name) && abs(seconds) < 1e11:
                "\(Timestamp.text(Int64(seconds) * 1000))"
            case .number(let number): "\(number)"
            case .string(let text): text
            case .array, .object: value.strings?.joined(separator: " ") ?? "…"
            case .bool(let flag): "\(flag)"
            case .null: "null"
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign tokens with a new key from now on; those of the old one are good until they end.",
            discussion: """
                This happens by itself every thirty days. Works on the data folder, also while the gateway runs.

                Examples:
                  gantry token rotate
                """)

        @OptionGroup var setting: ConfigurationOptions

        func run() async throws {
            try await AccessTables.with(setting) { tables in
                try await SigningKeys(database: tables.database, clock: Gantry.systemClock).rotate()
                try await tables.database.write { transaction in
                    try AccessTables.record("signing key rotated", "")(transaction)
                }
            }
            Terminal.write("a new key signs\n")
        }
    }
}
