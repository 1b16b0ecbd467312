import Glibc

/// The two kinds of IP address, as text.
enum IPAddressKind: Sendable {
    case four, six

    /// `nil` when the text is not an address.
    init?(_ text: some StringProtocol) {
        var bytes: (UInt64, UInt64) = (0, 0)
        if inet_pton(AF_INET, String(text), &bytes) == 1 {
            self = .four
        } else if inet_pton(AF_INET6, String(text), &bytes) == 1 {
            self = .six
        } else {
            return nil
        }
    }

    var bits: Int {
        switch self {
        case .four: 32
        case .six: 128
        }
    }

    /// Whether only this machine can reach a listener on the host.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        return IPAddressKind(host) == .four && host.hasPrefix("127.")
    }
}
