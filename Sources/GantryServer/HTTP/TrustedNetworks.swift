import Glibc

/// Addresses and networks whose `X-Forwarded-…` fields are believed (`server.trustedProxies`).
struct TrustedNetworks: Sendable {
    private struct Network: Sendable {
        var bytes: [UInt8]
        var bits: Int
    }

    private let networks: [Network]

    /// Takes addresses and `address/bits`; texts that are neither match nothing.
    init(_ texts: [String]) {
        networks = texts.compactMap { text in
            let parts = text.split(separator: "/", maxSplits: 1)
            guard let first = parts.first, let bytes = Self.bytes(of: String(first)) else { return nil }
            let bits = parts.count == 2 ? Int(parts[1]) ?? -1 : bytes.count * 8
            return (0...bytes.count * 8).contains(bits) ? Network(bytes: bytes, bits: bits) : nil
        }
    }

    func contains(_ address: String?) -> Bool {
        guard !networks.isEmpty, let address, let bytes = Self.bytes(of: address) else { return false }
        return networks.contains { network in
            guard network.bytes.count == bytes.count else { return false }
            return (0..<network.bits).allSatisfy { bit in
                let mask = UInt8(0x80) >> UInt8(bit & 7)
                return network.bytes[bit >> 3] & mask == bytes[bit >> 3] & mask
            }
        }
    }

    private static func bytes(of address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, address, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }
}
