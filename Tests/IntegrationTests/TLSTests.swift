import GantryTesting
import Glibc
import Testing

/// TLS as `curl` and `openssl` see it (security.md SEC-16, SEC-70).
@Suite("TLS")
struct TLSTests {
    private static let advice: Comment = "what the tests need is installed by: Scripts/setup test"

    /// Runs a line of shell in the folder.
    private static func shell(
        _ line: String, in folder: TemporaryFolder
    ) async throws -> (
        ending: ChildProcess.Ending, output: String, errors: String
    ) {
        try await IntegrationTests.run("bash", ["-c", "cd '\(folder.path)' && \(line)"], in: folder)
    }

    /// An authority, and certificates for the server and a client of it.
    private static func makeCertificates(in folder: TemporaryFolder) async throws {
        let made = try await shell(
            """
            umask 077
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca
            for name in server client other; do
              openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
              printf 'subjectAltName=IP:127.0.0.1' > $name.ext
              openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $name.crt -days 1 -extfile $name.ext
            done
            """, in: folder)
        try #require(made.ending == .exit(0), "\(advice) \(made.errors)")
    }

    private static func settings(_ folder: TemporaryFolder) -> [String: String] {
        [
            "server.tls.certificate": folder.path + "/server.crt", "server.tls.key": folder.path + "/server.key",
            "server.tls.clientCA": folder.path + "/ca.crt",
        ]
    }

    private static func run(
        _ more: [String: String] = [:], _ body: (RunningServer) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        try await makeCertificates(in: folder)
        let server = try await RunningServer.start(in: folder, settings: settings(folder).merging(more) { $1 })
        do {
            try await body(server)
        } catch {
            server.kill()
            try await server.disconnect()
            throw error
        }
        #expect(try await server.stop() == .exit(0))
    }

    @Test(.timeLimit(.minutes(2)))
    func `images are stored and come back over TLS, with addresses of https`() async throws {
        try await Self.run { (server) async throws in
            let image = SampleImage(rows: 512, columns: 512)
            _ = try server.folder.write(image.bytes, to: "image.dcm")
            let base = "https://127.0.0.1:\(server.port)"
            let stored = try await Self.shell(
                "curl -sS --fail --cacert ca.crt -H 'Content-Type: application/dicom' --data-binary @image.dcm "
                    + "-H 'Expect: 100-continue' \(base)/dicomweb/studies", in: server.folder)
            #expect(
                stored.ending == .exit(0) && stored.output.contains("\(base)/dicomweb/studies/"), "\(stored.errors)")
            let back = try await Self.shell(
                "curl -sS --fail --cacert ca.crt -H 'Accept: application/dicom; transfer-syntax=*' -o back.dcm "
                    + "\(base)/dicomweb/\(image.path) && cmp image.dcm back.dcm", in: server.folder)
            #expect(back.ending == .exit(0), "\(back.output)\(back.errors)")
            let page = try await Self.shell("curl -sSI --cacert ca.crt \(base)/", in: server.folder)
            #expect(page.output.lowercased().contains("strict-transport-security: max-age="))
            // Several requests on one connection, and one that ends it.
            let several = try await Self.shell(
                "curl -sS --cacert ca.crt -o /dev/null -w '%{http_code} %{num_connects}\\n' "
                    + "\(base)/health/live -o /dev/null \(base)/health/live", in: server.folder)
            #expect(several.output == "200 1\n200 0\n")
            let closed = try await Self.shell(
                "printf 'GET /health/live HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' | "
                    + "openssl s_client -quiet -CAfile ca.crt -connect 127.0.0.1:\(server.port)", in: server.folder)
            #expect(closed.output.contains("200 OK"))
            let plain = try await Self.shell("curl -sS http://127.0.0.1:\(server.port)/health/live", in: server.folder)
            #expect(plain.ending != .exit(0))
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `SEC-70 only TLS 1.2 with authenticated encryption, and 1.3`() async throws {
        try await Self.run { (server) async throws in
            func connects(_ options: String) async throws -> Bool {
                let result = try await Self.shell(
                    "openssl s_client \(options) -CAfile ca.crt -connect 127.0.0.1:\(server.port) < /dev/null",
                    in: server.folder)
                return result.ending == .exit(0) && result.output.contains("Verify return code: 0")
            }
            for good in ["-tls1_3", "-tls1_2", "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", "-curves P-256"] {
                #expect(try await connects(good), "\(good)")
            }
            for bad in [
                "-tls1_1 -cipher ALL:@SECLEVEL=0", "-tls1 -cipher ALL:@SECLEVEL=0",
                "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "-tls1_2 -cipher AES128-GCM-SHA256",
                "-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0", "-tls1_2 -cipher NULL:@SECLEVEL=0",
            ] {
                #expect(try await connects(bad) == false, "\(bad)")
            }
            let offered = try await Self.shell(
                "openssl s_client -alpn h2,http/1.1 -connect 127.0.0.1:\(server.port) < /dev/null", in: server.folder)
            #expect(offered.output.contains("ALPN protocol: http/1.1"))
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `SEC-70 a new certificate is taken up while connections go on`() async throws {
        try await Self.run { (server) async throws in
            func subject() async throws -> String {
                try await Self.shell(
                    "openssl s_client -connect 127.0.0.1:\(server.port) < /dev/null 2>/dev/null "
                        + "| openssl x509 -noout -subject", in: server.folder
                ).output
            }
            #expect(try await subject().contains("server"))
            // A connection with a request half sent, which ends when the certificate is another.
            _ = try await Self.shell("mkfifo requests", in: server.folder)
            async let open = Self.shell(
                "openssl s_client -quiet -CAfile ca.crt -connect 127.0.0.1:\(server.port) < requests > answer",
                in: server.folder)
            let whole = "GET /health/live HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"
            async let sent = Self.shell(
                """
                exec 3> requests; printf 'GET /health/live HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&3
                while [ ! -e goon ]; do sleep 0.05; done; printf '\(whole)' >&3; exec 3>&-
                """, in: server.folder)
            try await eventually("the first answer is there") {
                TemporaryFolder.text(of: server.folder.path + "/answer")?.contains("200 OK") == true
            }
            // A certificate without its key is no reason to stop.
            _ = try await Self.shell("cp other.crt server.crt", in: server.folder)
            server.process.signal(SIGHUP)
            try await eventually("it is told") {
                TemporaryFolder.text(of: server.folder.path + "/server.log")?.contains("cannot be used") == true
            }
            #expect(try await subject().contains("server"))
            _ = try await Self.shell("cp other.key server.key", in: server.folder)
            server.process.signal(SIGHUP)
            try await eventually("new connections get it") { try await subject().contains("other") }
            _ = try await Self.shell("touch goon", in: server.folder)
            _ = try await (open, sent)
            let answer = TemporaryFolder.text(of: server.folder.path + "/answer") ?? ""
            #expect(answer.components(ofText: "200 OK") == 2, "\(answer)")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `certificates of clients are asked for as configured`() async throws {
        func code(_ server: RunningServer, _ options: String) async throws -> String {
            try await Self.shell(
                "curl -s --cacert ca.crt \(options) -o /dev/null -w '%{http_code}' "
                    + "https://127.0.0.1:\(server.port)/health/live", in: server.folder
            ).output
        }
        let stranger =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout bad.key -out bad.crt -days 1 -subj /CN=x"
        for (mode, without) in [("optional", "200"), ("required", "000")] {
            try await Self.run(["server.tls.clientCertificates": mode]) { (server) async throws in
                _ = try await Self.shell(stranger, in: server.folder)
                #expect(try await code(server, "--cert client.crt --key client.key") == "200", "\(mode)")
                #expect(try await code(server, "") == without, "\(mode)")
                #expect(try await code(server, "--cert bad.crt --key bad.key") == "000", "\(mode)")
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `SEC-16 files that cannot be used, or that everybody can read, stop the start`() async throws {
        let folder = try TemporaryFolder()
        try await Self.makeCertificates(in: folder)
        func start(
            _ more: [String: String]
        ) async throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
            var arguments = ["serve", "--data", folder.path + "/data", "--port", "0"]
            for (key, value) in Self.settings(folder).merging(more, uniquingKeysWith: { $1 }) {
                arguments += ["--set", "\(key)=\(value)"]
            }
            return try await IntegrationTests.run(RunningServer.program, arguments, in: folder)
        }
        _ = try await Self.shell("cp server.key open.key; chmod 644 open.key; echo nothing > empty.pem", in: folder)
        for (settings, words) in [
            (["server.tls.key": folder.path + "/open.key"], "everybody can read"),
            (["server.tls.key": folder.path + "/none.key"], "cannot read"),
            (["server.tls.key": folder.path + "/other.key"], "do not belong together"),
            (["server.tls.key": folder.path + "/server.crt"], "no private key"),
            (["server.tls.certificate": folder.path + "/empty.pem"], "no certificate"),
            (["server.tls.key": ""], "go together"),
            (["server.tls.clientCertificates": "required", "server.tls.clientCA": ""], "server.tls.clientCA"),
        ] {
            let result = try await start(settings)
            #expect(result.ending == .exit(2) && result.errors.contains(words), "\(words): \(result.errors)")
        }
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(ofText text: String) -> Int { ranges(of: text).count }
}
