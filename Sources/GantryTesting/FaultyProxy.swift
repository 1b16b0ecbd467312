package import NIOCore
import NIOPosix
import Synchronization

/// A proxy on the loopback that passes bytes on to a server and does them harm as the test wants.
///
/// It knows as much of HTTP as to tell where a request begins, and to answer in the server's place.
package final class FaultyProxy: Sendable {
    /// What happens to a request.
    package enum Fault: Hashable, Sendable {
        case none
        /// The proxy answers this, without asking the server.
        case answer(status: Int, code: String)
        /// Passes everything on after a while.
        case latency(TimeAmount)
        /// Closes the connection after as many bytes of the request.
        case cutRequest(after: Int)
        /// Closes the connection after as many bytes of the answer.
        case cutAnswer(after: Int)
        /// Takes the request and never answers.
        case blackHole
        /// Changes a byte of the answer's body, and its length stays.
        case changedAnswer
        /// The server does it, but the answer says that it failed, with status 200.
        case failureBehind200(code: String)
    }

    private let state: Mutex<State>
    private let channel: any Channel
    private let serverPort: Int

    private struct State {
        /// Chooses by the number of the request and its first line.
        var choose: @Sendable (Int, String) -> Fault = { _, _ in .none }
        var requests = 0
        var faults = 0
        var open: [ObjectIdentifier: any Channel] = [:]
    }

    /// Where clients connect to.
    package let port: Int
    /// Requests that came so far.
    package var requests: Int { state.withLock { $0.requests } }
    /// Those of them that were harmed.
    package var faults: Int { state.withLock { $0.faults } }

    package static func start(to serverPort: Int) async throws -> FaultyProxy {
        let handlers = HandlerSource()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.autoRead, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let proxy = handlers.proxy.withLock({ $0 }) else { return }
                    try channel.pipeline.syncOperations.addHandler(ClientSide(proxy))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = FaultyProxy(channel, serverPort)
        handlers.proxy.withLock { $0 = proxy }
        return proxy
    }

    private final class HandlerSource: Sendable {
        let proxy = Mutex<FaultyProxy?>(nil)
    }

    private init(_ channel: any Channel, _ serverPort: Int) {
        self.channel = channel
        self.serverPort = serverPort
        port = channel.localAddress?.port ?? 0
        state = Mutex(State())
    }

    /// From now on this decides what happens to a request: its number from 0, and its first line.
    package func harm(_ choose: @escaping @Sendable (_ number: Int, _ line: String) -> Fault) {
        state.withLock { state in
            state.choose = choose
            state.requests = 0
            state.faults = 0
        }
    }

    /// Closes all connections and takes no more.
    package func stop() async throws {
        let open = state.withLock { Array($0.open.values) }
        for channel in open { channel.close(promise: nil) }
        try await channel.close()
    }

    fileprivate func fault(of line: String) -> Fault {
        let (choose, number) = state.withLock { state in
            defer { state.requests += 1 }
            return (state.choose, state.requests)
        }
        let fault = choose(number, line)
        if fault != .none { state.withLock { $0.faults += 1 } }
        return fault
    }

    fileprivate func note(_ channel: any Channel) {
        state.withLock { $0.open[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { [weak self] _ in
            self?.state.withLock { $0.open[ObjectIdentifier(channel)] = nil }
        }
    }

    fileprivate func connect(on loop: any EventLoop, _ handler: ServerSide) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(handler, eventLoop: loop)
        return ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(host: "127.0.0.1", port: serverPort)
    }
}

/// The side of the client: finds where requests begin and passes them on.
private final class ClientSide: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let proxy: FaultyProxy
    private var server: (any Channel)?
    private var waiting: [ByteBuffer] = []
    private var isConnecting = false
    /// Bytes of a head that is not complete yet.
    private var head = ByteBuffer()
    /// Bytes of the body that are still to come.
    private var rest = 0
    private var sent = 0
    private var fault = FaultyProxy.Fault.none
    private var serverSide: ServerSide?

    init(_ proxy: FaultyProxy) { self.proxy = proxy }

    func channelActive(context: ChannelHandlerContext) {
        proxy.note(context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while bytes.readableBytes > 0 {
            if rest == 0 {
                head.writeBuffer(&bytes)
                guard let (length, whole) = Self.complete(head) else { return }
                guard let first = head.readSlice(length: whole) else { return }
                bytes = head
                head = ByteBuffer()
                rest = length
                sent = 0
                fault = proxy.fault(of: Self.firstLine(first))
                serverSide?.fault = fault
                pass(first, context)
            } else if let part = bytes.readSlice(length: min(rest, bytes.readableBytes)) {
                rest -= part.readableBytes
                pass(part, context)
            }
            if rest == 0, case .answer(let status, let code) = fault { answer(status, code, context) }
        }
    }

    private func answer(_ status: Int, _ code: String, _ context: ChannelHandlerContext) {
        let body = "<Error><Code>\(code)</Code></Error>"
        var text = "HTTP/1.1 \(status) X\r\ncontent-type: application/xml\r\ncontent-length: \(body.utf8.count)\r\n"
        text += "\r\n\(body)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        sent += bytes.readableBytes
        switch fault {
        case .answer, .blackHole: return
        case .cutRequest(let limit) where sent >= limit:
            context.close(promise: nil)
            return
        case .latency(let time) where sent == bytes.readableBytes:
            // Once for each request; what follows waits behind it.
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            waiting.append(bytes)
            isConnecting = true
            context.eventLoop.scheduleTask(in: time) {
                let (side, context) = bound.value
                side.isConnecting = false
                side.flush(context)
            }
            return
        default: break
        }
        waiting.append(bytes)
        flush(context)
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard !isConnecting else { return }
        if let server {
            for bytes in waiting { server.writeAndFlush(bytes, promise: nil) }
            waiting = []
            return
        }
        isConnecting = true
        let side = ServerSide(context.channel)
        side.fault = fault
        serverSide = side
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        proxy.connect(on: context.eventLoop, side).whenComplete { result in
            let (client, context) = bound.value
            client.isConnecting = false
            guard case .success(let channel) = result else { return context.close(promise: nil) }
            client.server = channel
            client.proxy.note(channel)
            client.flush(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        server?.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// The length of the body and that of the head, once the head is all there.
    private static func complete(_ head: ByteBuffer) -> (length: Int, head: Int)? {
        let view = head.readableBytesView
        let end = Array("\r\n\r\n".utf8)
        guard let range = view.firstRange(of: end) else { return nil }
        let text = String(decoding: view[..<range.lowerBound], as: UTF8.self)
        let length = text.split(separator: "\r\n").lazy
            .map { $0.split(separator: ":", maxSplits: 1) }
            .first { $0.first?.lowercased() == "content-length" }
            .flatMap { $0.last }.flatMap { Int($0.drop { $0 == " " }) }
        return (length ?? 0, view.distance(from: view.startIndex, to: range.upperBound))
    }

    private static func firstLine(_ head: ByteBuffer) -> String {
        String(decoding: head.readableBytesView.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    }
}

/// The side of the server: passes answers back.
private final class ServerSide: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: any Channel
    /// What is to happen to the answer that comes next.
    var fault = FaultyProxy.Fault.none {
        didSet { answered = 0 }
    }
    private var answered = 0

    init(_ client: any Channel) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        let start = answered
        answered += bytes.readableBytes
        switch fault {
        case .cutAnswer(let limit) where answered >= limit:
            bytes = bytes.readSlice(length: min(bytes.readableBytes, max(0, limit - start))) ?? ByteBuffer()
            client.writeAndFlush(bytes).whenComplete { [client] _ in client.close(promise: nil) }
            context.close(promise: nil)
            return
        case .changedAnswer:
            let last = bytes.writerIndex - 1
            if let byte = bytes.getInteger(at: last, as: UInt8.self) { bytes.setInteger(byte ^ 0x55, at: last) }
        case .failureBehind200(let code):
            guard start == 0 else { return }
            let body = "<?xml version=\"1.0\"?>\n<Error><Code>\(code)</Code></Error>"
            bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
        default: break
        }
        client.writeAndFlush(bytes, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
