import Glibc
import Synchronization

/// Converts between UTF-8 and other encodings with the C library's `iconv`, which has the tables.
enum CharacterConverter {
    enum Encoding: Hashable, Sendable {
        case iso8859(Int)
        case windows1252, gb18030, gbk, shiftJIS, eucJP, eucKR, eucCN

        var name: String {
            switch self {
            case .iso8859(let part): "ISO-8859-\(part)"
            case .windows1252: "CP1252"
            case .gb18030: "GB18030"
            case .gbk: "GBK"
            case .shiftJIS: "CP932"
            case .eucJP: "EUC-JP"
            case .eucKR: "EUC-KR"
            case .eucCN: "EUC-CN"
            }
        }
    }

    /// Appends the text as UTF-8; each byte that means nothing becomes U+FFFD.
    static func decode(_ bytes: UnsafeRawBufferPointer, from encoding: Encoding, into output: inout [UInt8]) {
        // GBK's own table is older; GB 18030 contains it.
        let source = encoding == .gbk ? .gb18030 : encoding
        withDescriptor(Direction(encoding: source, toUTF8: true)) { descriptor in
            guard let descriptor else {
                for byte in bytes {
                    if byte < 0x80 { output.append(byte) } else { output.append(replacement: ()) }
                }
                return
            }
            _ = convert(bytes, descriptor, into: &output, replacing: true)
        }
    }

    /// The text in another encoding; `nil` when that lacks a character.
    static func encode(_ text: String.UTF8View, to encoding: Encoding) -> [UInt8]? {
        var output: [UInt8] = []
        let isComplete = withDescriptor(Direction(encoding: encoding, toUTF8: false)) { descriptor in
            guard let descriptor else { return false }
            return Array(text).withUnsafeBytes { convert($0, descriptor, into: &output, replacing: false) }
        }
        return isComplete ? output : nil
    }

    private static func convert(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: Descriptor, into output: inout [UInt8], replacing: Bool
    ) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        // iconv takes a mutable pointer for historical reasons and does not write through it.
        var input: UnsafeMutablePointer<CChar>? = UnsafeMutableRawPointer(mutating: start)
            .assumingMemoryBound(to: CChar.self)
        var inputLeft = bytes.count
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
            while inputLeft > 0 {
                var target = buffer.baseAddress
                var targetLeft = buffer.count
                let result = iconv(descriptor.raw, &input, &inputLeft, &target, &targetLeft)
                let code = errno
                output.append(contentsOf: UnsafeRawBufferPointer(buffer).prefix(buffer.count - targetLeft))
                guard result == -1 else { continue }
                switch code {
                case E2BIG: continue
                default:
                    // EILSEQ: no such character; EINVAL: the last one is cut off.
                    guard replacing else { return false }
                    output.append(replacement: ())
                    input = input?.advanced(by: 1)
                    inputLeft -= 1
                    iconv(descriptor.raw, nil, nil, nil, nil)
                }
            }
            return true
        }
    }

    // MARK: - Open descriptors

    private struct Direction: Hashable, Sendable {
        var encoding: Encoding
        var toUTF8: Bool
    }

    /// Belongs to one caller between being taken out of the pool and put back.
    private struct Descriptor: @unchecked Sendable {
        let raw: iconv_t
    }

    /// Opening a descriptor loads a table; a few of each are kept.
    private static let idle = Mutex<[Direction: [Descriptor]]>([:])

    private static func withDescriptor<Result>(
        _ direction: Direction, _ body: (Descriptor?) -> Result
    ) -> Result {
        guard let descriptor = idle.withLock({ $0[direction]?.popLast() }) ?? open(direction) else { return body(nil) }
        defer {
            let isKept = idle.withLock { pool in
                guard pool[direction, default: []].count < 8 else { return false }
                pool[direction, default: []].append(descriptor)
                return true
            }
            if !isKept { iconv_close(descriptor.raw) }
        }
        iconv(descriptor.raw, nil, nil, nil, nil)
        return body(descriptor)
    }

    private static func open(_ direction: Direction) -> Descriptor? {
        let name = direction.encoding.name
        let raw = direction.toUTF8 ? iconv_open("UTF-8", name) : iconv_open(name, "UTF-8")
        // (iconv_t)-1 tells of failure.
        guard let raw, Int(bitPattern: raw) != -1 else { return nil }
        return Descriptor(raw: raw)
    }
}
