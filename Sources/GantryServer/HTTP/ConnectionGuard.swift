import HTTPTypes
package import NIOCore
import NIOHTTP1
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
    /// A peer that takes no byte of its answer for this long is disconnected.
    package var responseTimeout: TimeAmount = .seconds(60)

    package init() {}
}

/// What the two guards of a connection know of it. Only its event loop touches it.
final class ConnectionProgress {
    enum State {
        case idle(since: NIODeadline)
        case readingHead(since: NIODeadline)
        case readingBody
        case answering
        /// The last answer is out. What still comes is thrown away, so that the peer gets to read it before a reset.
        case closing
    }

    /// What is to be known of a request when its answer begins.
    struct Unanswered {
        /// Whether it asked for the connection to end with the answer.
        var endsConnection: Bool
        var isHTTP10: Bool
    }

    var state: State = .idle(since: .now())
    /// Bytes of the current body within the window, and how much of the window has gone by while we waited for them.
    var bytesInWindow = 0
    var waitedInWindow: TimeAmount = .zero
    /// Whether a read is asked for: while it isn't, the sender is held back by us.
    var isReadPending = false
    var hasAnswerBegun = false
    /// Bytes of an answer that wait for the peer, and for how long it has taken none of them.
    var waitingAnswerBytes = 0
    var untaken: TimeAmount = .zero
    /// Bytes of the header block that is being received, and whether its request line is complete.
    var headBytes = 0
    var hasRequestLine = false
    /// What the request's header promised of its body and has not come; `nil` when it is chunked.
    var missingBodyBytes: Int? = 0
    /// Whether the sender waits to be asked for its body.
    var awaitsContinue = false
    /// Requests whose answer has not begun, oldest first. More than one when the peer sends ahead.
    var unanswered: [Unanswered] = []
    /// Whether the request that began last is of HTTP/1.0, and likewise the one whose answer began last.
    var isRequestHTTP10 = false
    var isAnswerHTTP10 = false
    /// Whether the connection ends with the answer that is being written.
    var isLastAnswer = false

    /// How much of an unwanted body is read so that the connection can go on (dicomweb.md 1.10).
    private static let drainedBytes = 64 << 10
    /// How long a peer may take to read the last answer while it still sends.
    private static let linger = TimeAmount.seconds(5)

    /// Whether an answer now leaves so much of the body unread that the connection has to end. A sender that was not asked
    /// for its body may leave it out, so that nobody can tell where the next request begins.
    var leavesBodyBehind: Bool {
        guard case .readingBody = state, unanswered.isEmpty, missingBodyBytes != 0 else { return false }
        return awaitsContinue || (missingBodyBytes ?? .max) > Self.drainedBytes
    }

    /// Ends the connection once all that was written is out: first our direction, a moment later the other.
    func close(_ channel: any Channel) {
        state = .closing
        channel.close(mode: .output, promise: nil)
        channel.eventLoop.scheduleTask(in: Self.linger) { channel.close(promise: nil) }
    }
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
        case .closing: return
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
        if case .closing = progress.state { return context.read() }
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
            checkAnswer(context)
        case .closing:
            break
        }
    }

    /// Ends the connection when the peer takes nothing of its answer. While it holds us back nothing is added to what
    /// waits, so that less waits only when it has taken some.
    private func checkAnswer(_ context: ChannelHandlerContext) {
        guard !context.channel.isWritable,
            let waiting = try? context.channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)
        else {
            progress.waitingAnswerBytes = 0
            progress.untaken = .zero
            return
        }
        progress.untaken = waiting == progress.waitingAnswerBytes ? progress.untaken + Self.tick : .zero
        progress.waitingAnswerBytes = waiting
        if progress.untaken >= limits.responseTimeout { context.close(promise: nil) }
    }

    /// Says why, where nothing was said yet, and closes.
    private func cut(_ context: ChannelHandlerContext, _ status: String = "408 Request Timeout") {
        stop()
        guard !progress.hasAnswerBegun else { return context.close(promise: nil) }
        let answer = "HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        progress.close(context.channel)
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
        case .head(let head): begin(head)
        case .body(let bytes): progress.missingBodyBytes = progress.missingBodyBytes.map { $0 - bytes.readableBytes }
        case .end:
            progress.missingBodyBytes = 0
            progress.state = .answering
        }
        context.fireChannelRead(data)
    }

    private func begin(_ head: HTTPRequest) {
        progress.state = .readingBody
        progress.bytesInWindow = 0
        progress.waitedInWindow = .zero
        progress.hasAnswerBegun = false
        let fields = head.headerFields
        progress.missingBodyBytes =
            fields[.transferEncoding] == nil ? fields[.contentLength].flatMap { Int($0) } ?? 0 : nil
        progress.awaitsContinue = fields[.expect] != nil
        progress.unanswered.append(
            .init(endsConnection: fields.hasCloseOption, isHTTP10: progress.isRequestHTTP10))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational:
            progress.awaitsContinue = false
        case .head(var head):
            progress.hasAnswerBegun = true
            let request = progress.unanswered.isEmpty ? nil : progress.unanswered.removeFirst()
            let isHTTP10 = request?.isHTTP10 ?? false
            progress.isAnswerHTTP10 = isHTTP10
            progress.isLastAnswer =
                request?.endsConnection ?? false || progress.leavesBodyBehind || head.headerFields.hasCloseOption
                || isHTTP10 && head.headerFields[.contentLength] == nil
            guard progress.isLastAnswer else {
                guard isHTTP10 else { break }
                head.headerFields[.connection] = "keep-alive"
                return context.write(wrapOutboundOut(.head(head)), promise: promise)
            }
            head.headerFields[.connection] = "close"
            return context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: break
        case .end:
            guard !progress.isLastAnswer else { return end(context, data, promise) }
            if case .answering = progress.state, progress.unanswered.isEmpty { progress.state = .idle(since: .now()) }
        }
        context.write(data, promise: promise)
    }

    private func end(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound((progress, context.channel), eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in
            let (progress, channel) = bound.value
            progress.close(channel)
        }
        context.writeAndFlush(data, promise: promise)
    }

    /// Too many or too long header fields have a status of their own (RFC 6585 5).
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, error == .headerOverflow, !progress.hasAnswerBegun else {
            return context.fireErrorCaught(error)
        }
        var fields = HTTPFields()
        fields[.connection] = "close"
        fields[.contentLength] = "0"
        progress.isLastAnswer = true
        context.write(
            wrapOutboundOut(.head(HTTPResponse(status: .requestHeaderFieldsTooLarge, headerFields: fields))),
            promise: nil)
        end(context, wrapOutboundOut(.end(nil)), nil)
    }
}

extension HTTPFields {
    /// Whether `Connection` has the option `close` (RFC 9110 7.6.1).
    fileprivate var hasCloseOption: Bool {
        self[values: .connection].contains { value in
            value.split(separator: ",").contains { $0.trimmingSpaces.lowercased() == "close" }
        }
    }
}
