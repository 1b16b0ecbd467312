import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
package import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL

/// One HTTP/1.1 connection: Hummingbird's channel with our guards around it.
package struct HTTPConnection: HTTPChannelHandler {
    package typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    package let responder: HTTPChannelHandler.Responder
    private let limits: ConnectionLimits
    private let decoderLimits: NIOHTTPDecoderLimitConfiguration
    private let tls: TLSFiles?

    /// - Parameters:
    ///   - headerFields: most fields of a header block.
    ///   - tls: `nil` for plain HTTP.
    package init(
        limits: ConnectionLimits, headerFields: Int, tls: TLSFiles? = nil,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.limits = limits
        self.tls = tls
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        // The guard in front of the decoder cuts at the limit, with the right status; this is for what comes at once.
        decoderLimits.maxHeaderFieldSize = 4 * limits.headerBytes
        decoderLimits.maxHeaderListSize = 4 * limits.headerBytes
        decoderLimits.maxHeaderFieldCount = headerFields
        self.decoderLimits = decoderLimits
        self.responder = responder
    }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // A connection that is idle or sends little costs little; one that sends much wakes its task seldom.
            try channel.syncOptions?.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1 << 10, initial: 4 << 10, maximum: 256 << 10))
            let progress = ConnectionProgress()
            let pipeline = channel.pipeline.syncOperations
            if let tls {
                // The guard behind it counts what is inside; until there is anything, time is short.
                try pipeline.addHandler(NIOSSLServerHandler(context: tls.context))
                try pipeline.addHandler(HandshakeDeadline(limits.headerDeadline))
            }
            try pipeline.addHandler(SlowSenderGuard(limits: limits, progress: progress))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoderLimits)
            try pipeline.addHandler(HTTP10Handler(progress: progress))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: tls != nil))
            try pipeline.addHandler(RequestProgressObserver(progress: progress))
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: nil, logger: logger))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    package func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}
