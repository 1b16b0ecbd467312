import Glibc

/// One segment: runs of a byte, and bytes as they are (PS3.5 G.3).
enum RLESegment {
    /// Fills `output`. What is left of the segment after that is padding.
    static func decode(
        _ segment: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        guard let source = segment.baseAddress, let target = output.baseAddress else { throw .truncated }
        var input = 0
        var filled = 0
        while filled < output.count {
            guard input < segment.count else { throw .truncated }
            let code = Int(segment[input])
            input += 1
            if code < 128 {
                // A run that is longer than what is missing is cut: some encoders end so.
                let length = min(code + 1, output.count - filled)
                guard length <= segment.count - input else { throw .truncated }
                memcpy(target + filled, source + input, length)
                input += code + 1
                filled += length
            } else if code > 128 {
                guard input < segment.count else { throw .truncated }
                let length = min(257 - code, output.count - filled)
                memset(target + filled, Int32(segment[input]), length)
                input += 1
                filled += length
            }
        }
    }

    /// Appends one row.
    static func encode(_ row: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]) {
        var index = 0
        var literals = 0
        func flush(_ end: Int, _ bytes: inout [UInt8]) {
            while literals < end {
                let length = min(128, end - literals)
                bytes.append(UInt8(length - 1))
                bytes.append(contentsOf: row[literals..<literals + length])
                literals += length
            }
        }
        while index < row.count {
            var end = index + 1
            while end < row.count, row[end] == row[index], end - index < 128 { end += 1 }
            let length = end - index
            // A run of two saves nothing between bytes as they are.
            if length >= 3 || length == 2 && literals == index {
                flush(index, &bytes)
                bytes.append(UInt8(257 - length))
                bytes.append(row[index])
                literals = end
            }
            index = end
        }
        flush(row.count, &bytes)
    }
}
