import GantryTesting
import Glibc
import NIOHTTP1
import PostgreSQLStorage
import Testing

/// `gantry migrate`: from a data folder to PostgreSQL, and into a bucket.
@Suite("gantry migrate", .serialized)
struct MigrateTests {
    /// What is asked of an archive before and after it has moved.
    private static let searches = [
        "studies?includefield=all&limit=1000", "series?includefield=all&limit=1000", "instances?limit=1000",
        "studies?PatientName=Smith*", "studies?StudyDate=20240101-20241231", "instances?Modality=CT&limit=7&offset=20",
    ]

    private static func address(_ database: PostgreSQLConfiguration) -> String {
        "postgres://gantry@\(database.place)?sslmode=disable"
    }

    /// The default, whatever the other tests run on.
    private let embedded = ["database": "", "objects.s3.bucket": ""]

    private static func settings(_ values: [String: String]) -> [String] {
        values.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] }
    }

    /// Two studies of many small instances, one with large ones, and one of which a part is deleted again.
    private static let images: [SampleImage] =
        (1...340).map { SampleImage(study: 1 + $0 % 2, series: 1 + $0 % 3, instance: $0, rows: 24, columns: 24) }
        + (1...3).map { SampleImage(study: 3, instance: $0, rows: 900, columns: 900) }

    private static func fill(_ server: RunningServer) async throws {
        for batch in stride(from: 0, to: images.count, by: 100) {
            let files = images[batch..<min(batch + 100, images.count)].map(\.bytes)
            #expect(try await server.store(files).status == 200)
        }
        let gone = SampleImage(study: 4)
        #expect(try await server.store([gone.bytes, SampleImage(study: 4, instance: 2).bytes]).status == 200)
        #expect(try await server.send(.DELETE, gone.path).status == 204)
    }

    private static func answers(_ server: RunningServer) async throws -> [String: [UInt8]] {
        var answers: [String: [UInt8]] = [:]
        for study in 1...4 {
            let path = "studies/\(SampleImage(study: study).instance.studyUID)/metadata"
            answers[path] = try await server.get(path).body
        }
        for search in searches { answers[search] = try await server.get(search).body }
        for image in images { answers[image.path] = SampleImage.digest(try await server.stored(image.path).body) }
        return answers
    }

    private static func gantry(
        _ arguments: [String], in folder: TemporaryFolder
    ) async throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
        try await IntegrationTests.run(RunningServer.program, arguments, in: folder)
    }

    @Test(.timeLimit(.minutes(3)))
    func `an archive moves to PostgreSQL and a bucket, though it is killed half-way, and answers as before`()
        async throws
    {
        let folder = try TemporaryFolder()
        let store = try await S3Server.start()
        let database = Self.address(try await PostgreSQLServer.shared.makeDatabase())
        let target = [
            "database": database, "objects.s3.endpoint": store.endpoint, "objects.s3.bucket": S3Server.bucket,
            "objects.s3.accessKeyID": S3Server.accessKeyID, "objects.s3.secretAccessKey": S3Server.secretAccessKey,
        ]
        let move = ["migrate", "archive", "--json", "--from", folder.path + "/data"] + Self.settings(target)

        let old = try await RunningServer.start(in: folder, settings: embedded)
        try await Self.fill(old)
        let before = try await Self.answers(old)
        // Not while a gateway works on the folder.
        let early = try await Self.gantry(move, in: folder)
        #expect(early.ending == .exit(1) && early.errors.contains("another process is working"), "\(early.errors)")
        #expect(try await old.stop() == .exit(0))

        // Killed when some hundred instances have arrived.
        let broken = try ChildProcess(RunningServer.program, move, errors: folder.path + "/broken.log")
        try await eventually("instances arrive in the bucket") { Self.files(in: store.bucketFolder) > 150 }
        broken.signal(SIGKILL)
        #expect(try await broken.end() == .signal(SIGKILL))
        let half = try await Self.gantry(["verify"] + Self.settings(target), in: folder)
        #expect(half.ending == .exit(1) && half.errors.contains("start the move again"), "\(half.errors)")

        let moved = try await Self.gantry(move, in: folder)
        #expect(moved.ending == .exit(0), "\(moved.errors)")
        #expect(moved.output.contains("\"name\" : \"instances\"") && moved.output.contains("\"rows\" : 344"))
        // What had arrived was not moved again.
        let total = Self.images.reduce(0) { $0 + $1.bytes.count }
        let bytes = moved.output.firstRange(of: "\"bytes\" : ").flatMap {
            Int(moved.output[$0.upperBound...].prefix(while: \.isNumber))
        }
        #expect(try #require(bytes) < total - 64 * SampleImage(rows: 24, columns: 24).pixelLength)

        let verified = try await Self.gantry(["verify", "--depth", "digests"] + Self.settings(target), in: folder)
        #expect(
            verified.ending == .exit(0) && verified.output.contains("all well"), "\(verified.output)\(verified.errors)")
        let again = try await Self.gantry(move, in: folder)
        #expect(again.ending == .exit(1) && again.errors.contains("not empty"), "\(again.errors)")

        // The folder of old is not needed any more.
        let server = try await RunningServer.start(in: try TemporaryFolder(), settings: target, port: old.port)
        let after = try await Self.answers(server)
        for (question, answer) in before { #expect(after[question] == answer, "\(question)") }
        #expect(try await server.store([SampleImage(study: 5).bytes, Self.images[0].bytes]).status == 200)
        #expect(try await server.count("studies") == 5)
        #expect(try await server.stop() == .exit(0))
        await store.stop()
    }

    @Test(.timeLimit(.minutes(3)))
    func `without a bucket the instances stay in their folder`() async throws {
        let folder = try TemporaryFolder()
        let database = Self.address(try await PostgreSQLServer.shared.makeDatabase())
        let old = try await RunningServer.start(in: folder, settings: embedded)
        #expect(try await old.store([SampleImage().bytes, SampleImage(study: 2).bytes]).status == 200)
        #expect(try await old.stop() == .exit(0))
        let data = folder.path + "/data"

        // Used wrongly: no database, another folder for what stays, and nothing to move.
        #expect(try await Self.gantry(["migrate", "archive", "--from", data], in: folder).ending == .exit(2))
        let other = [
            "migrate", "archive", "--set", "database=\(database)", "--from", data, "--data", folder.path + "/x",
        ]
        #expect(try await Self.gantry(other, in: folder).ending == .exit(2))
        let nothing = ["migrate", "archive", "--set", "database=\(database)", "--from", folder.path + "/x"]
        #expect(try await Self.gantry(nothing, in: folder).ending == .exit(1))

        let schema = ["migrate", "schema", "--set", "database=\(database)"]
        let planned = try await Self.gantry(schema + ["--dry-run"], in: folder)
        let made = try await Self.gantry(schema, in: folder)
        let none = try await Self.gantry(schema + ["--json"], in: folder)
        #expect(planned.ending == .exit(0) && planned.output == made.output && !made.output.isEmpty)
        #expect(none.ending == .exit(0) && none.output == "[]\n")

        let move = ["migrate", "archive", "--set", "database=\(database)", "--from", data, "--data", data]
        let moved = try await Self.gantry(move, in: folder)
        #expect(moved.ending == .exit(0) && moved.errors.contains("both sides are the same"), "\(moved.errors)")
        let server = try await RunningServer.start(
            in: folder, settings: ["database": database, "objects.s3.bucket": ""])
        #expect(try await server.stored(SampleImage(study: 2).path).body == SampleImage(study: 2).bytes)
        #expect(try await server.store([SampleImage(study: 3).bytes]).status == 200)
        #expect(try await server.stop() == .exit(0))
    }

    @Test(.timeLimit(.minutes(1)))
    func `an instance whose bytes have changed stops the move`() async throws {
        let folder = try TemporaryFolder()
        let store = try await S3Server.start()
        let database = Self.address(try await PostgreSQLServer.shared.makeDatabase())
        let old = try await RunningServer.start(in: folder, settings: embedded)
        let image = SampleImage(rows: 900, columns: 900)
        #expect(try await old.store([image.bytes]).status == 200)
        #expect(try await old.stop() == .exit(0))
        let file = try #require(folder.files(below: "data/objects").first)
        var bytes = image.bytes
        bytes[bytes.count - 1] ^= 1
        _ = try folder.write(bytes, to: file)
        let target = [
            "database": database, "objects.s3.endpoint": store.endpoint, "objects.s3.bucket": S3Server.bucket,
            "objects.s3.accessKeyID": S3Server.accessKeyID, "objects.s3.secretAccessKey": S3Server.secretAccessKey,
        ]
        let moved = try await Self.gantry(
            ["migrate", "archive", "--from", folder.path + "/data"] + Self.settings(target), in: folder)
        #expect(moved.ending == .exit(1) && moved.errors.contains("not those that were stored"), "\(moved.errors)")
        #expect(Self.files(in: store.bucketFolder) == 0)
        await store.stop()
    }

    /// Files in a folder and those below it.
    private static func files(in path: String) -> Int {
        TemporaryFolder.names(in: path).reduce(0) { count, name in
            var status = stat()
            guard lstat(path + "/" + name, &status) == 0 else { return count }
            return count + (status.st_mode & S_IFMT == S_IFDIR ? files(in: path + "/" + name) : 1)
        }
    }
}
