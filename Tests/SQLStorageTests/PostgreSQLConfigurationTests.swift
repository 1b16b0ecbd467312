import PostgreSQLStorage
import SQLStorage
import Testing

@Suite struct PostgreSQLConfigurationTests {
    @Test func `takes a URL apart`() throws {
        let configuration = try PostgreSQLConfiguration(
            url: "postgres://me:p%40ss@db.example.org:6432/images?sslmode=require&application_name=door")
        #expect(configuration.user == "me")
        #expect(configuration.password == "p@ss")
        #expect(configuration.place == "db.example.org:6432/images")
        #expect(configuration.encryption == .require)
        #expect(configuration.applicationName == "door")
    }

    @Test(arguments: [
        ("postgres://db.example.org/x", PostgreSQLConfiguration.Encryption.verifyFull),
        ("postgres://localhost/x", .prefer), ("postgres://127.0.0.1:5433/x", .prefer), ("postgres://[::1]/x", .prefer),
        ("postgres:///x", .prefer), ("postgres:///x?host=/run/postgresql", .prefer),
        ("postgres://localhost,db.example.org/x", .verifyFull), ("postgres://10.0.0.1/x", .verifyFull),
        ("postgres://db.example.org/x?sslmode=disable", .disable),
    ])
    func `a server elsewhere has to prove who it is`(
        url: String, encryption: PostgreSQLConfiguration.Encryption
    ) throws {
        #expect(try PostgreSQLConfiguration(url: url).encryptionInForce == encryption)
    }

    @Test(arguments: ["mysql://h/x", "", "postgres://u:secret@h:5432/x?nonsense=1", "postgres://u:secret@h:port:1/"])
    func `a URL that cannot be read is refused without being quoted`(url: String) {
        #expect {
            try PostgreSQLConfiguration(url: url)
        } throws: { error in
            (error as? SQLError)?.code == .connection && !"\(error)".contains("secret")
        }
    }
}
