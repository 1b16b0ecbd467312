import GantryTesting
import Glibc
import PostgreSQLStorage
import Testing

/// What docs/deploying.md tells to type.
@Suite("docs/deploying.md")
struct DeployingPageTests {
    @Test(.timeLimit(.minutes(2)))
    func `its blocks take an archive to PostgreSQL and S3, put nginx before two processes, and back it up`()
        async throws
    {
        let folder = try TemporaryFolder()
        // nginx's workers are another user where it is started as root.
        chmod(folder.path, 0o755)
        let store = try await S3Server.start()
        let server = try await PostgreSQLServer.shared
        func address(_ database: PostgreSQLConfiguration) -> String {
            "postgres://gantry@\(database.place)?sslmode=disable"
        }
        let image = SampleImage(rows: 600, columns: 900)
        _ = try folder.write(image.bytes, to: "image.dcm")
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        let programs = RunningServer.program.split(separator: "/").dropLast()
            .reduce("") { "\($0)/\($1)" }
        let tools = RealClientTests.python.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let environment = [
            "PATH": "\(programs):\(tools):\(path)",
            "DATABASE_URL": address(try await server.makeDatabase()),
            "RESTORED_URL": address(try await server.makeDatabase()),
            "S3_ENDPOINT": store.endpoint, "S3_BUCKET": S3Server.bucket, "S3_KEY_ID": S3Server.accessKeyID,
            "S3_SECRET": S3Server.secretAccessKey, "PORT": "\(try PostgreSQLServer.freePort())",
            "FIRST": "\(try PostgreSQLServer.freePort())", "SECOND": "\(try PostgreSQLServer.freePort())",
            // Tests have to run on a disk that is nearly full, too.
            "GANTRY_DISK_HIGH_WATERMARK": "100", "GANTRY_DISK_LOW_WATERMARK": "100", "GANTRY_DISK_RESERVE": "0",
        ]
        let page = try await IntegrationTests.run(
            "env",
            ["--chdir=" + folder.path] + environment.map { "\($0)=\($1)" }
                + [root + "/Scripts/run-page", root + "/docs/deploying.md"],
            in: folder)
        #expect(page.ending == .exit(0), "\(page.output)\(page.errors)")
        #expect(page.output.ranges(of: "all well").count == 2, "\(page.output)")
        #expect(TemporaryFolder.bytes(of: folder.path + "/after.json")?.isEmpty == false)
        await store.stop()
    }
}
