/// Expands the segments of a segmented palette (PS3.3 C.7.9.2).
enum SegmentedLookupTable {
    /// The entries that the segments stand for, no more than `limit`. Ends at a segment that makes no sense, with what
    /// there is so far.
    ///
    /// - Parameter isWide: whether codes are of 16 bits; then the offset of an indirect segment takes two codes instead
    ///   of four.
    static func expand(_ codes: [UInt16], isWide: Bool, limit: Int) -> [UInt16] {
        var expansion = Expansion(codes: codes, offsetCodes: isWide ? 2 : 4, bits: isWide ? 16 : 8, limit: limit)
        expansion.run()
        return expansion.entries
    }

    private struct Expansion {
        let codes: [UInt16]
        let offsetCodes: Int
        let bits: Int
        let limit: Int
        var entries: [UInt16] = []
        /// Segments without entries must not go on for ever.
        private var segmentsLeft = 1 << 18

        init(codes: [UInt16], offsetCodes: Int, bits: Int, limit: Int) {
            self.codes = codes
            self.offsetCodes = offsetCodes
            self.bits = bits
            self.limit = limit
        }

        mutating func run() {
            var at = 0
            while entries.count < limit, let next = segment(at: at, mayRefer: true) { at = next }
        }

        /// Expands the segment at an index of the codes. Returns where the next one starts.
        private mutating func segment(at start: Int, mayRefer: Bool) -> Int? {
            guard start >= 0, start + 1 < codes.count, segmentsLeft > 0 else { return nil }
            segmentsLeft -= 1
            let length = Int(codes[start + 1])
            let body = start + 2
            switch codes[start] {
            case 0:
                // Discrete: the entries themselves.
                let end = min(body + length, codes.count)
                entries += codes[body..<end].prefix(limit - entries.count)
                return body + length <= codes.count ? end : nil
            case 1:
                // Linear: up to the end value, the entry before it being the start.
                guard body < codes.count, let first = entries.last else { return nil }
                let from = Double(first)
                let step = length > 0 ? (Double(codes[body]) - from) / Double(length) : 0
                for index in 0..<min(length, limit - entries.count) {
                    entries.append(UInt16((from + step * Double(index + 1)).rounded()))
                }
                return body + 1
            case 2:
                // Indirect: segments that stand earlier, by the offset of the first in bytes of codes.
                guard mayRefer, body + offsetCodes <= codes.count else { return nil }
                var offset = 0
                for index in 0..<offsetCodes { offset |= Int(codes[body + index]) << (index * bits) }
                var at = bits == 16 ? offset / 2 : offset
                for _ in 0..<length {
                    guard at < start, entries.count < limit, let next = segment(at: at, mayRefer: false) else {
                        return nil
                    }
                    at = next
                }
                return body + offsetCodes
            default: return nil
            }
        }
    }
}
