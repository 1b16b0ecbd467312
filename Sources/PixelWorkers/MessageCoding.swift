/// Puts values one behind the other, little endian.
struct MessageWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: Int) {
        withUnsafeBytes(of: Int64(value).littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ value: UInt64) { put(Int(bitPattern: UInt(value))) }
    mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }
    mutating func put(_ value: Double) { put(value.bitPattern) }

    mutating func put(_ value: Double?) {
        put(value != nil)
        if let value { put(value) }
    }

    mutating func put(_ value: String) {
        let text = Array(value.utf8)
        put(text.count)
        bytes += text
    }
}

/// Takes values in the order in which they were put. What is not there ends in `MessageError`, never in a trap: a worker
/// may be what a broken codestream has made of it.
struct MessageReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func int() throws(MessageError) -> Int {
        guard rest.count >= 8 else { throw MessageError() }
        let value = rest.prefix(8).withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
        rest = rest.dropFirst(8)
        return Int(value)
    }

    mutating func unsigned() throws(MessageError) -> UInt64 { UInt64(bitPattern: Int64(try int())) }

    mutating func bool() throws(MessageError) -> Bool {
        guard let byte = rest.popFirst() else { throw MessageError() }
        return byte != 0
    }

    mutating func double() throws(MessageError) -> Double { Double(bitPattern: try unsigned()) }

    mutating func optionalDouble() throws(MessageError) -> Double? { try bool() ? try double() : nil }

    mutating func string() throws(MessageError) -> String {
        let count = try int()
        guard count >= 0, count <= rest.count else { throw MessageError() }
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }
}

/// A message that is none.
struct MessageError: Error {}
