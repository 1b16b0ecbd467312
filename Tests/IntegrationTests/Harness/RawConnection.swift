import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection on which a test says what it likes.
final class RawConnection {
    /// One answer as it came.
    struct Answer: Sendable {
        var status: Int
        /// Names in lower case.
        var fields: [String: String]
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let channel: any Channel
    private var pieces: AsyncStream<ByteBuffer>.Iterator
    private var held = ByteBuffer()

    private init(channel: any Channel, pieces: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.pieces = pieces.makeAsyncIterator()
    }

    static func open(_ server: RunningServer) async throws -> RawConnection {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PieceCollector(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: server.port).get()
        return RawConnection(channel: channel, pieces: stream)
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Sends although the other side may have closed.
    func sendAnyway(_ bytes: [UInt8]) async { await sender.sendAnyway(bytes) }

    /// The sending side, which another task may use.
    struct Sender: Sendable {
        fileprivate let channel: any Channel

        func sendAnyway(_ bytes: [UInt8]) async { try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }
    }

    var sender: Sender { Sender(channel: channel) }

    /// Closes both directions.
    func close() async { try? await channel.close() }

    /// Closes with a reset, as a process that dies with unread bytes does.
    func reset() async {
        try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try? await channel.close()
    }

    /// Whether everything that came was read and the other side has closed.
    func isClosedByPeer() async -> Bool {
        guard held.readableBytes == 0 else { return false }
        return await !more()
    }

    /// The next answer; `nil` when the other side closes before it is complete.
    func answer(to method: String = "GET") async -> Answer? {
        var lines: [String] = []
        while true {
            guard let line = await line() else { return nil }
            if line.isEmpty { break }
            lines.append(line)
        }
        guard let words = lines.first?.split(separator: " "), words.count > 1, let status = Int(words[1]) else {
            return nil
        }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        var answer = Answer(status: status, fields: fields, body: [])
        if method == "HEAD" || status < 200 || status == 204 || status == 304 { return answer }
        if fields["transfer-encoding"] == "chunked" {
            while true {
                guard let size = await line(), let count = Int(size, radix: 16) else { return nil }
                guard let chunk = await bytes(count), await line() != nil else { return nil }
                if count == 0 { return answer }
                answer.body += chunk
            }
        }
        guard let body = await bytes(Int(fields["content-length"] ?? "0") ?? 0) else { return nil }
        answer.body = body
        return answer
    }

    /// Everything up to the end of the connection.
    func rest() async -> [UInt8] {
        while await more() {}
        return held.readBytes(length: held.readableBytes) ?? []
    }

    private func line() async -> String? {
        while true {
            if let end = held.readableBytesView.firstIndex(of: 0x0A) {
                let line = held.readString(length: end - held.readerIndex + 1) ?? ""
                return String(line.dropLast())
            }
            guard await more() else { return nil }
        }
    }

    private func bytes(_ count: Int) async -> [UInt8]? {
        while held.readableBytes < count { guard await more() else { return nil } }
        return held.readBytes(length: count)
    }

    private func more() async -> Bool {
        guard var piece = await pieces.next(isolation: #isolation) else { return false }
        held.discardReadBytes()
        held.writeBuffer(&piece)
        return true
    }
}

/// Passes on what is read.
private final class PieceCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncStream<ByteBuffer>.Continuation

    init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { continuation.finish() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        continuation.finish()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
}
