import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Observability
import PixelWorkers

@testable import GantryServer

/// A process of one role, run in a task: it listens on loopback.
final class RunningRole: Sendable {
    let port: Int
    private let task: Task<Void, Never>

    var address: String { "http://127.0.0.1:\(port)" }

    private init(port: Int, task: Task<Void, Never>) {
        self.port = port
        self.task = task
    }

    /// Says nothing; the ids of requests are in it.
    private static let logger = Logger(label: "gantry") {
        LineLogHandler(label: $0, format: .json, level: .critical, output: LogOutput { _ in })
    }

    /// Starts it on a free port, or on the one that is given.
    static func start(
        _ configuration: GantryConfiguration = GantryConfiguration(), _ parts: RoleParts, port: Int = 0
    ) async throws -> RunningRole {
        var configuration = configuration
        configuration.server.port = port
        // The same for all, so that answers can be compared.
        configuration.server.publicURL = "http://gantry.test"
        let (ports, told) = AsyncStream<Int>.makeStream()
        let server = RoleServer(
            configuration: configuration, parts: parts,
            pixels: PixelWorkers(PixelWorkersConfiguration(place: .threads)), registry: MetricRegistry(),
            logger: Self.logger,
            onRunning: { told.yield($0) })
        return try await start(ports, told) { try await server.run(stoppedBy: []) }
    }

    /// Starts a server that answers as the closure does: another's half.
    static func start(
        answering answer: @escaping @Sendable (Request) async throws -> Response
    ) async throws -> RunningRole {
        let (ports, told) = AsyncStream<Int>.makeStream()
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in try await answer(request) },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) },
            logger: Self.logger)
        return try await start(ports, told) { try await application.run() }
    }

    struct NotStarted: Error {}

    private static func start(
        _ ports: AsyncStream<Int>, _ told: AsyncStream<Int>.Continuation,
        _ run: @escaping @Sendable () async throws -> Void
    ) async throws -> RunningRole {
        let task = Task {
            try? await run()
            told.finish()
        }
        var port = ports.makeAsyncIterator()
        guard let port = await port.next() else { throw NotStarted() }
        return RunningRole(port: port, task: task)
    }

    func stop() async {
        task.cancel()
        await task.value
    }
}

/// An answer over a socket.
struct RoleAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
    func field(_ name: String) -> String? { headers.first(name: name) }
}

extension HTTPClient {
    func send(
        _ method: HTTPMethod = .GET, _ url: String, _ fields: [(String, String)] = [], _ body: [UInt8]? = nil
    ) async throws -> RoleAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = HTTPHeaders(fields)
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await execute(request, timeout: .seconds(30))
        return RoleAnswer(
            status: Int(response.status.code), headers: response.headers,
            bytes: Array(try await response.body.collect(upTo: 64 << 20).readableBytesView))
    }
}
