import HTTPTypes
package import NIOCore
import NIOHTTPTypes

/// How long a sender may take, so that ten thousand slow ones cost ten thousand small objects and nothing else.
package struct ConnectionLimits: Sendable {
    /// From the first byte of a request to the end of its header block.
    package var headerDeadline: TimeAmount = .seconds(10)
    /// Least rate of a body in bytes a second, as the mean over `bodyWindow`.
    package var minimumBodyRate: Int = 1024
    /// The time over which `minimumBodyRate` is measured. Time in which we don't read is not counted.
    package var bodyWindow: TimeAmount = .seconds(30)
    /// Most bytes of a header block, request line included.
    package var headerBytes = 32 * 1024
    /// A connection without a request in progress is closed after this.
    package var idleTimeout: TimeAmount = .seconds(60)

    package init() {}
}

/// What the two guards of a connection know of it. Only its event loop touches it.
final class ConnectionProgress {
    enum State {
        case idle(since: NIODeadline)
        case readingHead(since: NIODeadline)
        case readingBody
        case answering
    }

    var state: State = .idle(since: .now())
    /// Bytes of the current body within the window, and how much of the window has gone by while we waited for them.
    var bytesInWindow = 0
    var waitedInWindow: TimeAmount = .zero
    /// Whether a read is asked for: while it isn't, the sender is held back by us.
    var isReadPending = false
    var hasAnswerBegun = false
    /// Bytes of the header block that is being received, and whether its request line is complete.
    var headBytes = 0
    var hasRequestLine = false
}

/// First handler of a connection: sees every byte before HTTP does, and cuts senders that are too slow.
///
/// An idle timer alone is reset by a trickle, hence a deadline for the header and a rate for the body.
final class SlowSenderGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let tick = TimeAmount.seconds(1)
    private let limits: ConnectionLimits
    private let progress: ConnectionProgress
    private var ticker: RepeatedTask?

    init(limits: ConnectionLimits, progress: ConnectionProgress) {
        self.limits = limits
        self.progress = progress
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ticker = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
            let (guardian, context) = bound.value
            guardian.check(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func read(context: ChannelHandlerContext) {
        progress.isReadPending = true
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        switch progress.state {
        case .idle:
            progress.state = .readingHead(since: .now())
            progress.headBytes = 0
            progress.hasRequestLine = false
            count(bytes)
        case .readingHead: count(bytes)
        case .readingBody: progress.bytesInWindow += bytes.readableBytes
        case .answering: break
        }
        context.fireChannelRead(data)
        guard case .readingHead = progress.state, progress.headBytes > limits.headerBytes else { return }
        cut(context, progress.hasRequestLine ? "431 Request Header Fields Too Large" : "414 URI Too Long")
    }

    private func count(_ bytes: ByteBuffer) {
        progress.headBytes += bytes.readableBytes
        progress.hasRequestLine = progress.hasRequestLine || bytes.readableBytesView.contains(0x0A)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        progress.isReadPending = false
        context.fireChannelReadComplete()
    }

    private func check(_ context: ChannelHandlerContext) {
        switch progress.state {
        case .idle(let since):
            if NIODeadline.now() - since > limits.idleTimeout { context.close(promise: nil) }
        case .readingHead(let since):
            if NIODeadline.now() - since > limits.headerDeadline { cut(context) }
        case .readingBody:
            guard progress.isReadPending else { return }
            progress.waitedInWindow = progress.waitedInWindow + Self.tick
            guard progress.waitedInWindow >= limits.bodyWindow else { return }
            let seconds = Int(limits.bodyWindow.nanoseconds / 1_000_000_000)
            if progress.bytesInWindow < limits.minimumBodyRate * max(1, seconds) { return cut(context) }
            progress.bytesInWindow = 0
            progress.waitedInWindow = .zero
        case .answering:
            break
        }
    }

    /// Says why, where nothing was said yet, and closes.
    private func cut(_ context: ChannelHandlerContext, _ status: String = "408 Request Timeout") {
        stop()
        if !progress.hasAnswerBegun {
            let answer = "HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
        context.close(promise: nil)
    }

    private func stop() {
        ticker?.cancel()
        ticker = nil
    }
}

/// Handler behind the HTTP codec: tells the `SlowSenderGuard` where in a request the connection is.
final class RequestProgressObserver: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let progress: ConnectionProgress

    init(progress: ConnectionProgress) { self.progress = progress }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            progress.state = .readingBody
            progress.bytesInWindow = 0
            progress.waitedInWindow = .zero
            progress.hasAnswerBegun = false
        case .body: break
        case .end: progress.state = .answering
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): if head.status.kind != .informational { progress.hasAnswerBegun = true }
        case .body: break
        case .end: if case .answering = progress.state { progress.state = .idle(since: .now()) }
        }
        context.write(data, promise: promise)
    }
}
