/// Follows the code extensions of ISO 2022 through one value field (PS3.5 6.1.2.5, PS3.3 C.12.1.1.2).
struct ISO2022Decoder {
    /// Which sets bytes are in at the start of the value, of a line, and of a component.
    struct State: Hashable, Sendable {
        /// Bytes 21 to 7E.
        var g0 = CodeSet.ascii
        /// Bytes above A0.
        var g1: CodeSet?
        /// Meant by bytes above A0 when no set was designated.
        var assumedG1: CodeSet?
    }

    let initial: State
    let vr: VR
    private var g0: CodeSet
    private var g1: CodeSet?

    init(initial: State, vr: VR) {
        self.initial = initial
        self.vr = vr
        self.g0 = initial.g0
        self.g1 = initial.g1
    }

    mutating func decode(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case 0x1B: escape(bytes, &position, &output)
            case 0x00:
                output.append(replacement: ())
                position += 1
            case 0x01...0x20, 0x7F:
                if byte == 0x09 || byte == 0x0A || byte == 0x0C || byte == 0x0D { reset() }
                output.append(byte)
                position += 1
            case 0x21...0x7E: lower(bytes, &position, &output)
            default: upper(bytes, &position, &output)
            }
        }
    }

    /// A set that was designated to G1 stays when there is none to go back to: some writers escape once a value.
    private mutating func reset() {
        g0 = initial.g0
        g1 = initial.g1 ?? g1
    }

    private func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\\"): vr.isBackslashDelimited
        case UInt8(ascii: "^"), UInt8(ascii: "="): vr == .PN
        default: false
        }
    }

    private mutating func lower(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ output: inout [UInt8]
    ) {
        let byte = bytes[position]
        guard g0.isDoubleByte else {
            position += 1
            switch (g0, byte) {
            case (_, _) where isDelimiter(byte):
                reset()
                output.append(byte)
            case (.romaji, 0x5C): output.append(scalar: 0xA5)
            case (.romaji, 0x7E): output.append(scalar: 0x203E)
            case (.katakana, 0x21...0x5F): output.append(scalar: 0xFF40 + UInt32(byte))
            default: output.append(byte)
            }
            return
        }
        var end = position
        while end + 1 < bytes.count, isGraphic(bytes[end]), isGraphic(bytes[end + 1]) { end += 2 }
        if end > position {
            decodePairs(bytes[position..<end], of: g0, into: &output)
            position = end
        } else {
            // Half a character; a delimiter where the return to ASCII was forgotten.
            if isDelimiter(byte) {
                reset()
                output.append(byte)
            } else {
                output.append(replacement: ())
            }
            position += 1
        }
    }

    private mutating func upper(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ output: inout [UInt8]
    ) {
        var end = position
        while end < bytes.count, bytes[end] >= 0x80 { end += 1 }
        let run = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
        position = end
        guard let set = g1 ?? initial.assumedG1 else {
            if let text = String(validating: run, as: UTF8.self) {
                output.append(contentsOf: text.utf8)
            } else {
                CharacterConverter.decode(run, from: .windows1252, into: &output)
            }
            return
        }
        switch set {
        case .latin1: for byte in run { output.append(scalar: UInt32(byte)) }
        case .katakana:
            for byte in run {
                if (0xA1...0xDF).contains(byte) {
                    output.append(scalar: 0xFEC0 + UInt32(byte))
                } else {
                    output.append(replacement: ())
                }
            }
        default:
            if set.isDoubleByte {
                decodePairs(run[...], of: set, into: &output)
            } else if let encoding = set.encoding {
                CharacterConverter.decode(run, from: encoding, into: &output)
            }
        }
    }

    private func decodePairs(
        _ pairs: Slice<UnsafeRawBufferPointer>, of set: CodeSet, into output: inout [UInt8]
    ) {
        guard let encoding = set.encoding else { return }
        var converted: [UInt8] = []
        converted.reserveCapacity(pairs.count * 3 / 2)
        for (index, byte) in pairs.enumerated() {
            if set == .jisX0212, index % 2 == 0 { converted.append(0x8F) }
            converted.append(byte | 0x80)
        }
        let start = output.count
        converted.withUnsafeBytes { CharacterConverter.decode($0, from: encoding, into: &output) }
        // A fullwidth reverse solidus must not become a delimiter.
        for index in start..<output.count where output[index] == UInt8(ascii: "\\") {
            output.replaceSubrange(start..<output.count, with: fullwidth(output[start...]))
            break
        }
    }

    private func fullwidth(_ text: ArraySlice<UInt8>) -> [UInt8] {
        text.flatMap { $0 == UInt8(ascii: "\\") ? [0xEF, 0xBC, 0xBC] : [$0] }
    }

    private func isGraphic(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }

    private mutating func escape(
        _ bytes: UnsafeRawBufferPointer, _ position: inout Int, _ output: inout [UInt8]
    ) {
        position += 1
        var final = position
        while final < bytes.count, final < position + 3, (0x20...0x2F).contains(bytes[final]) { final += 1 }
        guard final < bytes.count else {
            output.append(replacement: ())
            return
        }
        let letter = Unicode.Scalar(bytes[final])
        switch String(decoding: bytes[position..<final], as: UTF8.self) {
        case "(":
            switch letter {
            case "B": g0 = .ascii
            case "J": g0 = .romaji
            case "I": g0 = .katakana
            default: return output.append(replacement: ())
            }
        case ")":
            guard letter == "I" else { return output.append(replacement: ()) }
            g1 = .katakana
        case "-":
            guard let set = CodeSet.allCases.first(where: { $0.escape == "-\(letter)" }) else {
                return output.append(replacement: ())
            }
            g1 = set
        case "$", "$(":
            switch letter {
            case "@", "B": g0 = .jisX0208
            case "D": g0 = .jisX0212
            case "A": g0 = .gb2312
            case "C": g0 = .ksX1001
            default: return output.append(replacement: ())
            }
        case "$)":
            switch letter {
            case "A": g1 = .gb2312
            case "B": g1 = .jisX0208
            case "C": g1 = .ksX1001
            case "D": g1 = .jisX0212
            default: return output.append(replacement: ())
            }
        default: return output.append(replacement: ())
        }
        position = final + 1
    }
}

/// Writes text with code extensions, always back in the initial state at delimiters and at the end (PS3.5 6.1.2.5.3).
struct ISO2022Encoder {
    let initial: ISO2022Decoder.State
    /// In the order of preference.
    let sets: [CodeSet]

    func encode(_ text: String) -> [UInt8]? {
        var output: [UInt8] = []
        var (g0, g1) = (initial.g0, initial.g1)
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                if g0.isDoubleByte {
                    designate(initial.g0, in: &output)
                    g0 = initial.g0
                }
                output.append(UInt8(scalar.value))
                if "\\^=\t\n\u{C}\r".unicodeScalars.contains(scalar) { g1 = initial.g1 }
                continue
            }
            guard let (set, code) = code(of: scalar, preferring: g1) else { return nil }
            if set.isUpperHalf, set != g1 {
                designate(set, in: &output)
                g1 = set
            } else if !set.isUpperHalf, set != g0 {
                designate(set, in: &output)
                g0 = set
            }
            output.append(contentsOf: code)
        }
        if g0 != initial.g0 { designate(initial.g0, in: &output) }
        return output
    }

    private func designate(_ set: CodeSet, in output: inout [UInt8]) {
        output.append(0x1B)
        output.append(contentsOf: set.escape.utf8)
    }

    private func code(of scalar: Unicode.Scalar, preferring current: CodeSet?) -> (CodeSet, [UInt8])? {
        for set in (current.map { [$0] } ?? []) + sets {
            if let code = code(of: scalar, in: set) { return (set, code) }
        }
        return nil
    }

    private func code(of scalar: Unicode.Scalar, in set: CodeSet) -> [UInt8]? {
        switch set {
        case .ascii, .romaji: return nil
        case .katakana:
            guard (0xFF61...0xFF9F).contains(scalar.value) else { return nil }
            return [UInt8(scalar.value - 0xFEC0)]
        case .latin1:
            guard (0xA0...0xFF).contains(scalar.value) else { return nil }
            return [UInt8(scalar.value)]
        default:
            guard let encoding = set.encoding,
                let code = CharacterConverter.encode(String(scalar).utf8, to: encoding)
            else { return nil }
            switch (set, code.count) {
            case (.jisX0208, 2) where code[0] >= 0xA1: return code.map { $0 & 0x7F }
            case (.jisX0212, 3) where code[0] == 0x8F: return code.dropFirst().map { $0 & 0x7F }
            case (.ksX1001, 2), (.gb2312, 2): return code
            case (_, 1) where !set.isDoubleByte && code[0] >= 0xA0: return code
            default: return nil
            }
        }
    }
}

extension [UInt8] {
    /// U+FFFD.
    mutating func append(replacement: Void) { append(contentsOf: [0xEF, 0xBF, 0xBD]) }

    /// A character of the Basic Multilingual Plane above 7F.
    mutating func append(scalar: UInt32) {
        if scalar < 0x800 {
            append(UInt8(0xC0 | scalar >> 6))
        } else {
            append(UInt8(0xE0 | scalar >> 12))
            append(UInt8(0x80 | scalar >> 6 & 0x3F))
        }
        append(UInt8(0x80 | scalar & 0x3F))
    }
}
