import Glibc
import NIOSSL
import Synchronization

/// The certificate with which the server shows who it is, read anew when its files change. Connections that are open go on
/// with the one that they began with.
package final class TLSFiles: Sendable {
    /// What tells one state of the files from another.
    struct Version: Hashable, Sendable {
        fileprivate var files: [[Int64]]
    }

    private let settings: GantryConfiguration.TLS
    private let current: Mutex<(context: NIOSSLContext, version: Version)>

    /// Reads the files. Throws ``StartRefusal`` in words for whoever configured them. Blocks for a moment.
    package init(_ settings: GantryConfiguration.TLS) throws {
        self.settings = settings
        let version = try Self.version(settings)
        current = Mutex((try Self.makeContext(settings), version))
    }

    /// What new connections get.
    var context: NIOSSLContext { current.withLock { $0.context } }

    /// Reads the files again if they are others than those in use; tells whether they were. When they cannot be used the
    /// old ones stay in use, and the error says why. Blocks for a moment.
    func reload() throws -> Bool {
        let version = try Self.version(settings)
        guard version != current.withLock({ $0.version }) else { return false }
        let context = try Self.makeContext(settings)
        current.withLock { $0 = (context, version) }
        return true
    }

    /// Versions 1.2 with authenticated encryption and forward secrecy, and 1.3 (security.md SEC-70).
    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]

    private static func makeContext(_ settings: GantryConfiguration.TLS) throws -> NIOSSLContext {
        guard let certificate = settings.certificate, let key = settings.key else {
            throw StartRefusal("server.tls.certificate and server.tls.key go together")
        }
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificate) } catch {
            throw StartRefusal("\(certificate) holds no certificate in PEM form that can be read")
        }
        guard !chain.isEmpty else { throw StartRefusal("\(certificate) holds no certificate in PEM form") }
        let privateKey: NIOSSLPrivateKey
        do { privateKey = try NIOSSLPrivateKey(file: key, format: .pem) } catch {
            throw StartRefusal("\(key) holds no private key in PEM form that can be read without a passphrase")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuites = ciphers.joined(separator: ":")
        configuration.applicationProtocols = ["http/1.1"]
        if settings.clientCertificates != .off {
            guard let authority = settings.clientCA else {
                throw StartRefusal("server.tls.clientCertificates needs server.tls.clientCA")
            }
            let roots: [NIOSSLCertificate]
            do { roots = try NIOSSLCertificate.fromPEMFile(authority) } catch {
                throw StartRefusal("\(authority) holds no certificate in PEM form that can be read")
            }
            configuration.trustRoots = .certificates(roots)
            configuration.certificateVerification =
                settings.clientCertificates == .required ? .noHostnameVerification : .optionalVerification
        }
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw StartRefusal("\(certificate) and \(key) do not belong together, or are of a kind that is not taken")
        }
    }

    /// Changes when any of the files does. Refuses a key that everybody on the machine can read (security.md SEC-16).
    private static func version(_ settings: GantryConfiguration.TLS) throws -> Version {
        let paths = [settings.certificate, settings.key, settings.clientCA].compactMap(\.self)
        return Version(
            files: try paths.map { path in
                var status = stat()
                guard stat(path, &status) == 0 else {
                    throw StartRefusal("cannot read \(path): \(String(cString: strerror(errno)))")
                }
                if path == settings.key, status.st_mode & mode_t(S_IROTH | S_IWOTH) != 0 {
                    throw StartRefusal("\(path) is a private key that everybody can read; chmod o-rwx it")
                }
                return [
                    Int64(status.st_ino), Int64(status.st_size), Int64(status.st_mtim.tv_sec),
                    Int64(status.st_mtim.tv_nsec), Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec),
                ]
            })
    }
}
