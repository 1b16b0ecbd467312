/// The pixels of one JPEG-LS scan (ITU-T T.87 A).
///
/// Ours, since the usual library takes seconds to find that a scan is cut, and refuses a zero byte behind one.
struct JPEGLSScanDecoder {
    /// Statistics of a context (A.2.1): A, B, C and N.
    private struct Context {
        var magnitude: Int32
        var bias: Int32 = 0
        var correction: Int32 = 0
        var count: Int32 = 1
    }

    /// Statistics of a run's end (A.7.2): A, N and Nn.
    private struct RunContext {
        var magnitude: Int
        var count = 1
        var negatives = 0
    }

    private let parameters: JPEGLSParameters
    private let width: Int
    private let regions: [Int8]
    private var contexts: [Context]
    private var runContexts: [RunContext]
    private var bits: JPEGLSBitReader
    /// Whether a code was found that no encoder makes.
    private(set) var isDamaged = false

    /// J (A.2.1)
    private static let runLengths: [Int] = [
        0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ]

    init(_ scan: UnsafeBufferPointer<UInt8>, width: Int, _ parameters: JPEGLSParameters) throws(CodecError) {
        self.parameters = parameters
        self.width = width
        regions = parameters.regions
        let start = max(2, (parameters.range + 32) / 64)
        contexts = [Context](repeating: Context(magnitude: Int32(start)), count: 365)
        runContexts = [RunContext](repeating: RunContext(magnitude: start), count: 2)
        bits = try JPEGLSBitReader(scan)
    }

    /// Whether the scan had fewer bits than were needed until now.
    var isBeyondEnd: Bool { bits.isBeyondEnd }

    /// One line of one component.
    ///
    /// - Parameters:
    ///   - above: the line above; element 0 is what was left of it, the last one repeats the one before it.
    ///   - line: `above` of the next line. Element 0 is set by the caller.
    mutating func decodeLine(_ above: [Int32], into line: inout [Int32], runIndex: inout Int) {
        above.withUnsafeBufferPointer { above in
            line.withUnsafeMutableBufferPointer { line in
                regions.withUnsafeBufferPointer { regions in
                    contexts.withUnsafeMutableBufferPointer { contexts in
                        Self.decodeLine(
                            above, line, regions, contexts, &runContexts, &bits, parameters, &runIndex, &isDamaged)
                    }
                }
                line[width + 1] = line[width]
            }
        }
    }

    private static func decodeLine(
        _ above: UnsafeBufferPointer<Int32>, _ line: UnsafeMutableBufferPointer<Int32>,
        _ regions: UnsafeBufferPointer<Int8>, _ contexts: UnsafeMutableBufferPointer<Context>,
        _ runContexts: inout [RunContext], _ bits: inout JPEGLSBitReader, _ parameters: JPEGLSParameters,
        _ runIndex: inout Int, _ isDamaged: inout Bool
    ) {
        let width = line.count - 2
        let highest = Int32(parameters.highest)
        let middle = parameters.highest
        var reader = bits
        var x = 1
        var left = line[0]
        var corner = above[0]
        var up = above[1]
        while x <= width {
            let upRight = above[x &+ 1]
            let first = Int(regions[Int(upRight &- up) &+ middle])
            let second = Int(regions[Int(up &- corner) &+ middle])
            let third = Int(regions[Int(corner &- left) &+ middle])
            let index = 81 &* first &+ 9 &* second &+ third
            if index != 0 {
                let value = Self.regular(
                    &reader, contexts, index, predict(left, up, corner), parameters, highest, &isDamaged)
                line[x] = value
                left = value
                corner = up
                up = upRight
                x &+= 1
                continue
            }
            let run = Self.runLength(&reader, limit: width &- x &+ 1, &runIndex, &isDamaged)
            for place in x..<x &+ run { line[place] = left }
            x &+= run
            if x <= width {
                let rising = above[x]
                let isFlat = abs(Int(left) &- Int(rising)) <= parameters.near
                let error = Self.runEnd(
                    &reader, &runContexts[isFlat ? 1 : 0], isFlat ? 1 : 0, runIndex, parameters, &isDamaged)
                let value =
                    isFlat
                    ? reconstruct(left, error, parameters)
                    : reconstruct(rising, left > rising ? -error : error, parameters)
                line[x] = value
                left = value
                corner = rising
                x &+= 1
                if runIndex > 0 { runIndex &-= 1 }
            }
            if x <= width {
                corner = above[x &- 1]
                up = above[x]
            }
        }
        bits = reader
    }

    /// One line whose samples take turns: a run is one of whole pixels (A.7, B.3).
    mutating func decodePixelLine(_ above: [[Int32]], into lines: inout [[Int32]], runIndex: inout Int) {
        let middle = parameters.highest
        let highest = Int32(parameters.highest)
        var x = 1
        var indices = [Int](repeating: 0, count: lines.count)
        while x <= width {
            var isRun = true
            for place in lines.indices {
                let row = above[place]
                let first = Int(regions[Int(row[x + 1] - row[x]) + middle])
                let second = Int(regions[Int(row[x] - row[x - 1]) + middle])
                let third = Int(regions[Int(row[x - 1] - lines[place][x - 1]) + middle])
                indices[place] = 81 * first + 9 * second + third
                isRun = isRun && indices[place] == 0
            }
            guard isRun else {
                for place in lines.indices {
                    let prediction = Self.predict(lines[place][x - 1], above[place][x], above[place][x - 1])
                    lines[place][x] = contexts.withUnsafeMutableBufferPointer {
                        Self.regular(&bits, $0, indices[place], prediction, parameters, highest, &isDamaged)
                    }
                }
                x += 1
                continue
            }
            let run = Self.runLength(&bits, limit: width - x + 1, &runIndex, &isDamaged)
            for place in lines.indices {
                let left = lines[place][x - 1]
                for column in x..<x + run { lines[place][column] = left }
            }
            x += run
            guard x <= width else { break }
            for place in lines.indices {
                let error = Self.runEnd(&bits, &runContexts[0], 0, runIndex, parameters, &isDamaged)
                let left = lines[place][x - 1]
                let rising = above[place][x]
                lines[place][x] = Self.reconstruct(rising, left > rising ? -error : error, parameters)
            }
            x += 1
            if runIndex > 0 { runIndex -= 1 }
        }
        for place in lines.indices { lines[place][width + 1] = lines[place][width] }
    }

    /// The median of the neighbours and their plane (A.4.1).
    @inline(__always)
    private static func predict(_ left: Int32, _ up: Int32, _ corner: Int32) -> Int32 {
        let lower = min(left, up)
        let higher = max(left, up)
        return corner >= higher ? lower : corner <= lower ? higher : left &+ up &- corner
    }

    /// A sample in the regular mode (A.4 to A.6).
    @inline(__always)
    private static func regular(
        _ bits: inout JPEGLSBitReader, _ contexts: UnsafeMutableBufferPointer<Context>, _ signedIndex: Int,
        _ prediction: Int32, _ parameters: JPEGLSParameters, _ highest: Int32, _ isDamaged: inout Bool
    ) -> Int32 {
        // 1. The context, whose sign is that of its first region that is not flat.
        let isNegative = signedIndex < 0
        let index = isNegative ? -signedIndex : signedIndex
        var context = contexts[index]
        let correction = isNegative ? -context.correction : context.correction
        let predicted = min(max(prediction &+ correction, 0), highest)
        // 2. The error.
        let length = golombBits(context.count, context.magnitude)
        let code = golomb(&bits, length, parameters.limit, parameters.escapeBits, &isDamaged)
        var error = Int32(truncatingIfNeeded: code &>> 1) ^ -Int32(truncatingIfNeeded: code & 1)
        if length == 0, parameters.near == 0, 2 &* context.bias <= -context.count { error = -error &- 1 }
        // 3. The statistics.
        let step = Int32(2 * parameters.near + 1)
        context.bias &+= error &* step
        context.magnitude &+= abs(error)
        if context.count == Int32(truncatingIfNeeded: parameters.reset) {
            context.magnitude >>= 1
            context.bias >>= 1
            context.count >>= 1
        }
        context.count &+= 1
        if context.bias <= -context.count {
            context.bias = max(context.bias &+ context.count, 1 &- context.count)
            if context.correction > -128 { context.correction &-= 1 }
        } else if context.bias > 0 {
            context.bias = min(context.bias &- context.count, 0)
            if context.correction < 127 { context.correction &+= 1 }
        }
        contexts[index] = context
        // 4. The sample.
        return reconstruct(predicted, Int(isNegative ? -error : error), parameters)
    }

    /// k: the smallest number of bits with which the count comes up to the magnitude (A.5.1).
    @inline(__always)
    private static func golombBits(_ count: Int32, _ magnitude: Int32) -> Int {
        let length = max(0, count.leadingZeroBitCount &- magnitude.leadingZeroBitCount)
        return count &<< Int32(truncatingIfNeeded: length) < magnitude ? length &+ 1 : length
    }

    /// A code of limited length (A.5.3); 64 bits at the most.
    @inline(__always)
    private static func golomb(
        _ bits: inout JPEGLSBitReader, _ length: Int, _ limit: Int, _ escapeBits: Int, _ isDamaged: inout Bool
    ) -> Int {
        bits.refill()
        let zeros = bits.leadingZeros
        let escape = limit &- escapeBits &- 1
        if zeros < escape {
            bits.consume(zeros &+ 1)
            if zeros &+ length > 54 { bits.refill() }
            return zeros &<< length | bits.take(length)
        }
        guard zeros == escape else {
            isDamaged = true
            bits.consume(8)
            return 0
        }
        bits.consume(zeros &+ 1)
        bits.refill()
        return bits.take(escapeBits) &+ 1
    }

    /// How many pixels are like the one to the left (A.7.1.2).
    private static func runLength(
        _ bits: inout JPEGLSBitReader, limit: Int, _ runIndex: inout Int, _ isDamaged: inout Bool
    ) -> Int {
        var length = 0
        while true {
            bits.refill()
            guard bits.take(1) == 1 else { break }
            let block = 1 << runLengths[runIndex]
            if length + block <= limit {
                length += block
                if runIndex < 31 { runIndex += 1 }
            } else {
                length = limit
            }
            if length == limit { return length }
        }
        length += bits.take(runLengths[runIndex])
        if length > limit {
            isDamaged = true
            length = limit
        }
        return length
    }

    /// The error of the sample that ends a run (A.7.2).
    private static func runEnd(
        _ bits: inout JPEGLSBitReader, _ context: inout RunContext, _ type: Int, _ runIndex: Int,
        _ parameters: JPEGLSParameters, _ isDamaged: inout Bool
    ) -> Int {
        let magnitude = context.magnitude + (type == 1 ? context.count >> 1 : 0)
        let length = golombBits(Int32(context.count), Int32(truncatingIfNeeded: magnitude))
        let code = golomb(
            &bits, length, parameters.limit - runLengths[runIndex] - 1, parameters.escapeBits, &isDamaged)
        let mapped = code + type
        let isOdd = mapped & 1 == 1
        let size = (mapped + mapped & 1) / 2
        let error = (length != 0 || 2 * context.negatives >= context.count) == isOdd ? -size : size
        if error < 0 { context.negatives += 1 }
        context.magnitude += (code + 1 - type) >> 1
        if context.count == parameters.reset {
            context.magnitude >>= 1
            context.count >>= 1
            context.negatives >>= 1
        }
        context.count += 1
        return error
    }

    /// The sample of a prediction and its error, modulo the range (A.4.4, A.4.5).
    @inline(__always)
    private static func reconstruct(_ prediction: Int32, _ error: Int, _ parameters: JPEGLSParameters) -> Int32 {
        let step = 2 &* parameters.near &+ 1
        var value = Int(prediction) &+ error &* step
        if value < -parameters.near {
            value &+= parameters.range &* step
        } else if value > parameters.highest &+ parameters.near {
            value &-= parameters.range &* step
        }
        return Int32(truncatingIfNeeded: min(max(value, 0), parameters.highest))
    }
}
