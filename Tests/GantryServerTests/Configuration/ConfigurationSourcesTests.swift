import Access
import Configuration
import FoundationEssentials
import Testing

@testable import GantryServer

struct ConfigurationSourcesTests {
    private func read(
        _ text: String? = nil, environment: [String: String] = [:], flags: [(String, String)] = []
    ) throws -> ConfigurationSources.Reading {
        try ConfigurationSources(
            file: text.map { .init(path: "gantry.yaml", text: $0) }, environment: environment,
            flags: flags.map { .init(name: "--set", key: $0.0, value: $0.1) }
        ).read()
    }

    private func problems(
        _ text: String? = nil, environment: [String: String] = [:], flags: [(String, String)] = []
    ) -> [String] {
        do {
            _ = try read(text, environment: environment, flags: flags)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func `nothing set gives the defaults`() throws {
        #expect(try read().configuration == GantryConfiguration())
        #expect(try read("# only a comment\n").configuration == GantryConfiguration())
    }

    @Test func `flags go before the environment, which goes before the file`() throws {
        let text = """
            server:
              port: 1001
              publicURL: https://a.example/
            data: /from/file
            """
        let environment = ["GANTRY_SERVER_PORT": "1002", "GANTRY_DATA": "/from/environment"]
        let reading = try read(text, environment: environment, flags: [("server.port", "1003")])
        #expect(reading.configuration.server.port == 1003)
        #expect(reading.configuration.dataFolder == "/from/environment")
        #expect(reading.configuration.server.publicURL == "https://a.example")
        #expect(reading.origins["server.publicURL"] == .file(path: "gantry.yaml", line: 3))
        #expect(reading.origins["data"] == .environment(name: "GANTRY_DATA"))
    }

    @Test(arguments: [
        "cors:\n  origins: [https://a.example, https://b.example:8443]\n",
        "cors:\n  origins:\n    - https://a.example\n    - https://b.example:8443\n",
        "cors:\n  origins:\n  - https://a.example\n  - https://b.example:8443\n",
        "cors:\n  origins: https://a.example, https://b.example:8443\n",
    ])
    func `a list may be on one line or on several`(text: String) throws {
        #expect(try read(text).configuration.cors.origins == ["https://a.example", "https://b.example:8443"])
    }

    @Test func `lists in variables and flags are separated by commas`() throws {
        let origins = ["https://a.example", "https://b.example"]
        let text = "https://a.example,https://b.example"
        #expect(try read(environment: ["GANTRY_CORS_ORIGINS": text]).configuration.cors.origins == origins)
        #expect(try read(flags: [("cors.origins", text)]).configuration.cors.origins == origins)
    }

    @Test func `an unknown key names file, line and what may be meant`() {
        #expect(
            problems("server:\n  host: ::1\n  prot: 1\n")
                == ["gantry.yaml:3: server.prot: there is no such key; did you mean server.port?"])
        #expect(problems("\nnothing_like_it: 1\n") == ["gantry.yaml:2: nothing_like_it: there is no such key"])
        #expect(problems("server: 8080\n") == ["gantry.yaml:1: server: is a group of keys and takes no value"])
        #expect(problems("fancy:\n  thing: 1\n").count == 2)
    }

    @Test(arguments: [
        (
            "server:\n  port: eighty\n",
            "gantry.yaml:2: server.port: 'eighty' is not understood; it takes: whole number from 0 to 65535"
        ),
        (
            "server:\n  port: 65536\n",
            "gantry.yaml:2: server.port: '65536' is not understood; it takes: whole number from 0 to 65535"
        ),
        ("server:\n  port:\n", "gantry.yaml:2: server.port: needs a value: whole number from 0 to 65535"),
        (
            "store:\n  onConflict: maybe\n",
            "gantry.yaml:2: store.onConflict: 'maybe' is not understood; it takes: one of window, replace, keepFirst"
        ),
        (
            "delete:\n  enabled: sometimes\n",
            "gantry.yaml:2: delete.enabled: 'sometimes' is not understood; it takes: true or false"
        ),
        ("server:\n  port: 1\n  port: 2\n", "gantry.yaml:3: server.port: is there already, on line 2"),
    ])
    func `a bad value names file, line and key`(text: String, problem: String) {
        // The YAML parser may itself refuse what comes twice; then its own words stand.
        let found = problems(text)
        #expect(found.contains(problem) || found.contains { $0.contains("not the YAML that is expected") })
        #expect(found.count == 1)
    }

    @Test func `all problems are told at once`() {
        #expect(problems("server:\n  port: x\n  gracefulStop: 5\nwhat: 1\n").count == 3)
    }

    @Test func `a file that is not YAML is a problem of the file`() {
        let found = problems("server: [1,\n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("gantry.yaml:1: ") == true)
    }

    @Test func `braces would hide keys and are refused`() {
        #expect(problems("server: {port: 8}\n").contains { $0.contains("on lines of their own") })
    }

    @Test func `an unknown variable of ours is a problem, one of another program is not`() {
        #expect(problems(environment: ["GANTRY_SERVER_PROT": "1"]).count == 1)
        #expect(problems(environment: ["GANTRY_SERVICE_HOST": "10.0.0.1", "GANTRY_PORT": "tcp://10.0.0.1:80"]) == [])
        #expect(problems(environment: ["HOME": "/root"]) == [])
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.0.0.2", true), ("::1", true), ("localhost", true), ("0.0.0.0", false), ("::", false),
        ("127.evil.example", false), ("192.168.0.1", false),
    ])
    func `loopback is told from addresses that others reach`(host: String, isLoopback: Bool) {
        #expect(IPAddressKind.isLoopback(host) == isLoopback)
    }

    @Test func `a trusted issuer is read from its members`() throws {
        let text = "issuer=https://idp.example/ audience=gantry keys=https://idp.example/keys?v=1 scope=scp life=5400"
        let configuration = try ConfigurationSources(
            flags: [.init(name: "--set", key: "access.trustedIssuers", value: text)]
        ).read().configuration
        let issuer = try #require(configuration.access.trustedIssuers.first)
        #expect(issuer.issuer == "https://idp.example/" && issuer.audience == "gantry" && issuer.scopeClaim == "scp")
        #expect(issuer.keySetURL == "https://idp.example/keys?v=1" && issuer.longestLife == 5400)
        for bad in [
            "https://idp.example", "issuer=a audience=b", "issuer=a audience=b keys=http://idp.example/keys",
            "issuer=a audience=b keys=file:///keys", "issuer=a issuer=b audience=b keys=https://c",
            text + " other=1", text + " life=x",
        ] {
            #expect(problems(flags: [("access.trustedIssuers", bad)]).count == 1, "\(bad)")
        }
    }

    @Test(arguments: [
        ("server.publicURL", "ftp://a"), ("server.publicURL", "https://"), ("server.publicURL", "https://u@h"),
        ("cors.origins", "*"), ("cors.origins", "https://a.example/path"), ("server.trustedProxies", "10.0.0.0/33"),
        ("server.trustedProxies", "proxy.example"), ("store.deniedSOPClasses", "1..2"), ("limits.bytesPerPart", "0"),
        ("limits.bytesPerPart", "99999999999999999999GiB"), ("server.gracefulStop", "30"), ("data", ""),
    ])
    func `values of the wrong form are refused`(key: String, value: String) {
        #expect(problems(flags: [(key, value)]).count == 1)
    }

    @Test func `sizes and times are read in their units`() throws {
        let configuration = try read(flags: [
            ("limits.headerBytes", "2MiB"), ("limits.bytesPerPart", "5GB"), ("server.gracefulStop", "2m"),
            ("limits.idleTimeout", "1500ms"),
        ]).configuration
        #expect(configuration.limits.headerBytes == 2 << 20)
        #expect(configuration.limits.bytesPerPart == 5_000_000_000)
        #expect(configuration.server.gracefulStop == .seconds(120))
        #expect(configuration.limits.idleTimeout == .milliseconds(1_500))
    }

    @Test func `what is printed reads back the same`() throws {
        var configuration = GantryConfiguration()
        configuration.server.publicURL = "https://images.example/pacs"
        configuration.server.trustedProxies = ["10.0.0.0/8", "::1"]
        configuration.dataFolder = "/srv/our \"images\" # here"
        configuration.store.onConflict = .keepFirst
        configuration.limits.bodyMinimumRate = 0
        configuration.limits.bytesPerPart = 1_001
        configuration.server.gracefulStop = .zero
        #expect(try read(configuration.printed()).configuration == configuration)
        #expect(try read(GantryConfiguration().printed()).configuration == GantryConfiguration())
    }

    @Test func `the names of variables are those that the provider looks for`() throws {
        for key in ConfigurationKey.all {
            let provider = EnvironmentVariablesProvider(environmentVariables: [key.environmentName: "x"])
            let path = AbsoluteConfigKey(["gantry"] + key.name.split(separator: ".").map(String.init))
            #expect(try provider.value(forKey: path, type: .string).value != nil, "\(key.environmentName)")
        }
        #expect(Set(ConfigurationKey.all.map(\.environmentName)).count == ConfigurationKey.all.count)
    }

    @Test func `the committed page of the keys is current`() throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: root + "/docs/configuration.md"))
        #expect(
            String(decoding: data, as: UTF8.self) == ConfigurationPage().render(),
            "run: gantry documentation configuration > docs/configuration.md")
    }
}
