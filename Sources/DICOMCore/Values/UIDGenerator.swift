/// Makes UIDs from random UUIDs, below 2.25 (PS3.5 B.2).
public struct UIDGenerator<Source: RandomNumberGenerator> {
    private var source: Source

    public init(source: Source) { self.source = source }

    public mutating func next() -> UID {
        let high = source.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = source.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        guard let uid = UID("2.25." + UInt128(high: high, low: low).description) else {
            preconditionFailure("digits of a 128-bit number behind a root are a UID")
        }
        return uid
    }
}

extension UIDGenerator: Sendable where Source: Sendable {}

extension UInt128 {
    fileprivate init(high: UInt64, low: UInt64) { self = UInt128(high) << 64 | UInt128(low) }
}
