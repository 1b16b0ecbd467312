/// A Huffman table of JPEG, ready to be looked up (ITU-T T.81 C, F.2.2.3, H.2.2).
struct HuffmanTable {
    /// Bits that one look-up sees.
    static let lookupBits = 12

    /// By the next 12 bits: length in the low byte, symbol above; 0 where a code is longer or does not exist.
    private(set) var symbols: [UInt16]
    /// By the next 12 bits, of categories of differences: bits of code and difference together in the low byte, the
    /// difference above; 0 where they have more bits than are seen.
    private(set) var differences: [Int32]
    /// The first code of each length that is longer than any, left aligned to 16 bits; index is the length.
    private let limits: [Int]
    /// What has to be added to a code to have its place among the values.
    private let offsets: [Int]
    private let values: [UInt8]

    /// - Parameter segment: 16 counts, then as many values as they sum up to.
    init(_ segment: inout CodestreamReader) throws(CodecError) {
        var counts: [Int] = []
        for _ in 0..<16 { counts.append(try segment.byte()) }
        let total = counts.reduce(0, +)
        guard total <= 256 else { throw .corrupt("a Huffman table of more than 256 codes") }
        var values: [UInt8] = []
        for _ in 0..<total { values.append(UInt8(truncatingIfNeeded: try segment.byte())) }
        try self.init(counts: counts, values: values)
    }

    init(counts: [Int], values: [UInt8]) throws(CodecError) {
        symbols = [UInt16](repeating: 0, count: 1 << Self.lookupBits)
        differences = [Int32](repeating: 0, count: 1 << Self.lookupBits)
        var limits = [0]
        var offsets = [0]
        var code = 0
        var place = 0
        for length in 1...16 {
            let count = counts[length - 1]
            guard code + count <= 1 << length else { throw .corrupt("Huffman codes that are not distinct") }
            offsets.append(place - code)
            if length <= Self.lookupBits {
                for index in 0..<count {
                    let shift = Self.lookupBits - length
                    let first = (code + index) << shift
                    let entry = UInt16(values[place + index]) << 8 | UInt16(length)
                    for slot in first..<first + 1 << shift { symbols[slot] = entry }
                }
            }
            code += count
            place += count
            limits.append(code << (16 - length))
            code <<= 1
        }
        self.limits = limits
        self.offsets = offsets
        self.values = values
        for slot in symbols.indices {
            let length = Int(symbols[slot] & 0xFF)
            let category = Int(symbols[slot] >> 8)
            let extra = category == 16 ? 0 : category
            guard length > 0, category <= 16, length + extra <= Self.lookupBits else { continue }
            let bits = slot >> (Self.lookupBits - length - extra) & (1 << extra - 1)
            let difference = Self.difference(category, bits: bits)
            differences[slot] = Int32(truncatingIfNeeded: difference << 8 | (length + extra))
        }
    }

    /// The difference of a category from the bits that follow its code (H.1.2.2, table H.2).
    @inline(__always)
    static func difference(_ category: Int, bits: Int) -> Int {
        if category == 0 { return 0 }
        if category == 16 { return 32768 }
        return bits < 1 << (category &- 1) ? bits &- (1 << category) &+ 1 : bits
    }

    /// Of a code that is longer than a look-up sees. A code that does not exist is as long as any, and a symbol that
    /// nobody uses.
    func longSymbol(_ bits16: Int) -> (symbol: Int, length: Int) {
        var length = Self.lookupBits + 1
        while length <= 16 {
            if bits16 < limits[length] {
                let place = bits16 >> (16 - length) + offsets[length]
                guard values.indices.contains(place) else { break }
                return (Int(values[place]), length)
            }
            length += 1
        }
        return (0xFF, 16)
    }
}
