import NIOCore
import NIOHTTP1

/// Behind the HTTP codec: what is different with a client of HTTP/1.0.
///
/// Its connection ends with the answer unless it asks for `keep-alive` (RFC 9112 9.3), an Expect of it is not looked at
/// (RFC 9110 10.1.1), and a body of unknown length is not chunked, but ends with the connection (RFC 9112 6.1, 6.3).
final class HTTP10Handler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let progress: ConnectionProgress

    init(progress: ConnectionProgress) { self.progress = progress }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        progress.isRequestHTTP10 = head.version == .http1_0 || head.version == .http0_9
        guard progress.isRequestHTTP10 else { return context.fireChannelRead(data) }
        head.headers.remove(name: "Expect")
        if !head.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // An interim answer is never for HTTP/1.0.
        guard progress.isAnswerHTTP10, case .head(var head) = unwrapOutboundIn(data), head.status.code >= 200 else {
            return context.write(data, promise: promise)
        }
        head.version = .http1_0
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
