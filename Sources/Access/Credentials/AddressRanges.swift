import Glibc

/// IP addresses and networks, as `10.0.0.0/8`: what may use a key, which peers are proxies of ours.
package struct AddressRanges: Hashable, Sendable {
    private struct Network: Hashable, Sendable {
        var bytes: [UInt8]
        var bits: Int
    }

    private let networks: [Network]

    /// Takes addresses and `address/bits`; texts that are neither match nothing.
    package init(_ texts: [String]) {
        networks = texts.compactMap(Self.network)
    }

    package var isEmpty: Bool { networks.isEmpty }

    /// Whether the text is an address or a network.
    package static func isRange(_ text: String) -> Bool { network(text) != nil }

    package func contains(_ address: String?) -> Bool {
        guard !networks.isEmpty, let address, let bytes = Self.bytes(of: address) else { return false }
        return networks.contains { network in
            guard network.bytes.count == bytes.count else { return false }
            return (0..<network.bits).allSatisfy { bit in
                let mask = UInt8(0x80) >> UInt8(bit & 7)
                return network.bytes[bit >> 3] & mask == bytes[bit >> 3] & mask
            }
        }
    }

    private static func network(_ text: String) -> Network? {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let first = parts.first, let bytes = Self.bytes(of: String(first)) else { return nil }
        let bits = parts.count == 2 ? Int(parts[1]) ?? -1 : bytes.count * 8
        return (0...bytes.count * 8).contains(bits) ? Network(bytes: bytes, bits: bits) : nil
    }

    /// The address as 4 or 16 bytes; one of IPv4 inside IPv6 counts as what it is.
    static func bytes(of address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        guard inet_pton(AF_INET6, address, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }
}
