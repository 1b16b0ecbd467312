package import Access
import Crypto
package import Hummingbird
package import NIOCore
import NIOSSL

/// What goes along with one request: its connection, its logger and the id that its answer, log lines and audit
/// records share.
package struct GantryContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The connection; the answer to `Expect: 100-continue` goes out on it.
    package let channel: any Channel
    /// Who asks.
    package var principal = Principal.anonymous
    /// The client's address without its port: the peer's, or what a proxy of ours says; `nil` for an in-process test.
    package var remoteAddress: String?

    package init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.channel = source.channel
        self.remoteAddress = source.channel.remoteAddress?.ipAddress
    }

    /// The id in problem bodies, logs and the audit trail.
    package var requestID: String { id }

    /// SHA-256 of the certificate with which the other side made the connection.
    var certificateDigest: [UInt8]? {
        get async {
            guard let certificate = try? await channel.nioSSL_peerCertificate().get(),
                let bytes = try? certificate.toDERBytes()
            else { return nil }
            return Array(SHA256.hash(data: bytes))
        }
    }

    /// The address of the other end of the connection, without its port.
    package var peerAddress: String? { channel.remoteAddress?.ipAddress }
}
