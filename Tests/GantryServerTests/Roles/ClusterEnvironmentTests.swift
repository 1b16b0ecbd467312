import Testing

@testable import GantryServer

/// The environment of the deployment that the roles fit into, and what a role cannot do without.
@Suite struct ClusterEnvironmentTests {
    private func read(_ environment: [String: String]) throws -> GantryConfiguration {
        try ConfigurationSources(environment: environment).read().configuration
    }

    private func problems(_ environment: [String: String], role: String) -> [String] {
        do {
            _ = try ConfigurationSources(
                environment: environment, flags: [.init(name: "--role", key: "role", value: role)]
            ).read()
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    private static let bucket = [
        "BUCKET_HOST": "s3.example", "BUCKET_NAME": "images", "BUCKET_PORT": "80", "BUCKET_REGION": "region1",
        "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret\n",
    ]

    @Test func `the bucket's variables are the bucket's keys`() throws {
        let s3 = try read(Self.bucket).s3
        #expect(s3.endpoint == "http://s3.example:80" && s3.bucket == "images" && s3.region == "region1")
        #expect(s3.accessKeyID == "id" && s3.secretAccessKey == "secret")
    }

    @Test(arguments: [
        ("s3.example", "443", "https://s3.example:443"), ("s3.example", "9000", "https://s3.example:9000"),
        ("http://s3.example/", "9000", "http://s3.example:9000"), ("https://s3.example", nil, "https://s3.example"),
        ("s3.example", "", "https://s3.example"),
    ])
    func `the scheme is the host's, else it follows from the port`(host: String, port: String?, endpoint: String) throws
    {
        var environment = Self.bucket
        environment["BUCKET_HOST"] = host
        environment["BUCKET_PORT"] = port
        #expect(try read(environment).s3.endpoint == endpoint)
    }

    @Test func `variables that others may mean count only beside ours`() throws {
        let keys = ["AWS_ACCESS_KEY_ID": "id", "BUCKET_HOST": "s3.example", "DB_PASS": "x", "DB_PORT": "1"]
        #expect(try read(keys) == GantryConfiguration())
    }

    @Test func `the database's variables are its address, and the password is apart from it`() throws {
        let configuration = try read([
            "DB_HOST": "db.example", "DB_PORT": "5433", "DB_NAME": "ingest", "DB_USER": "us@er", "DB_PASS": "p:w/d",
        ])
        #expect(configuration.databaseURL == "postgres://us%40er@db.example:5433/ingest")
        #expect(configuration.postgres.password == "p:w/d")
        #expect(try read(["DB_HOST": "db.example"]).databaseURL == "postgres://db.example")
    }

    @Test func `names and addresses of the roles are taken`() throws {
        let configuration = try read([
            "PROVIDER_NAME": "clinic-a", "K_SINK": "http://core:8080/", "QUERY_ENDPOINT": "http://core:8080/query",
            "EVENT_SOURCE": "stow.ns.svc", "WADO_INTERNAL_ENDPOINT": "http://wado/wado-rs",
            "WADO_EXTERNAL_ENDPOINT": "https://wado.example/wado-rs",
        ])
        #expect(configuration.provider == "clinic-a" && configuration.core.sink == "http://core:8080")
        #expect(configuration.core.query == "http://core:8080/query" && configuration.core.eventSource == "stow.ns.svc")
        #expect(configuration.wado.internalEndpoint == "http://wado/wado-rs")
        #expect(configuration.wado.externalEndpoint == "https://wado.example/wado-rs")
    }

    @Test func `our own variables go before them, and a bad value names the variable`() throws {
        #expect(try read(["PROVIDER_NAME": "a", "GANTRY_PROVIDER": "b"]).provider == "b")
        #expect(
            problems(["K_SINK": "not an address"], role: "all").first?.hasPrefix(
                "environment variable K_SINK: core.sink:")
                == true)
    }

    @Test func `mounted files are variables`() {
        let files = [
            "/etc/bucket/config/BUCKET_HOST": "s3.example\n", "/etc/bucket/config/BUCKET_NAME": "images",
            "/etc/bucket/secret/AWS_ACCESS_KEY_ID": "id", "/etc/bucket/config/AWS_SECRET_ACCESS_KEY": "not here",
        ]
        let environment = ClusterEnvironment.adding(
            filesTo: [
                "BUCKET_CONFIG_PATH": "/etc/bucket/config", "BUCKET_SECRET_PATH": "/etc/bucket/secret",
                "BUCKET_NAME": "other",
            ]
        ) { files[$0].map { Array($0.utf8) } }
        #expect(environment["BUCKET_HOST"] == "s3.example\n" && environment["BUCKET_NAME"] == "other")
        #expect(environment["AWS_ACCESS_KEY_ID"] == "id" && environment["AWS_SECRET_ACCESS_KEY"] == nil)
    }

    @Test(arguments: [
        ("stow", ["core.sink": "K_SINK", "objects.s3.bucket": "BUCKET_NAME"]),
        ("wado", ["core.query": "QUERY_ENDPOINT", "objects.s3.bucket": "BUCKET_NAME"]), ("core", [:]), ("all", [:]),
    ])
    func `a role does not start without what it needs, and says how to give it`(
        role: String, missing: [String: String]
    ) throws {
        let found = problems([:], role: role)
        #expect(found.count == missing.count)
        for (key, variable) in missing {
            #expect(found.contains { $0.contains(key) && $0.contains(variable) && $0.contains("role \(role)") })
        }
        let given = Self.bucket.merging(["K_SINK": "http://core", "QUERY_ENDPOINT": "http://core/query"]) { $1 }
        #expect(problems(given, role: role).isEmpty)
        #expect(problems(given, role: "both").count == 1)
    }
}
