import CPostgreSQL
import SQLStorage

/// The values of one statement as libpq takes them: numbers as text, whose type the server knows, text and bytes as they are.
struct BoundValues {
    private var bytes: [UInt8] = []
    /// Where each value begins; -1 for NULL.
    private var starts: [Int] = []
    private var lengths: [CInt] = []
    private var formats: [CInt] = []
    private var pointers: [UnsafePointer<CChar>?] = []

    /// Takes the values in place of the ones before. Says no when they are too long for the protocol.
    mutating func bind(_ values: [SQLValue]) -> Bool {
        bytes.removeAll(keepingCapacity: bytes.capacity < 1 << 20)
        starts.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        guard values.count <= Int(UInt16.max) else { return false }
        for value in values {
            let start = bytes.count
            var isText = false
            switch value {
            case .null:
                append(start: -1, length: 0, isText: true)
                continue
            case .int(let number):
                append(number)
                isText = true
            case .double(let number):
                bytes.append(contentsOf: "\(number)".utf8)
                isText = true
            // Not as text of the protocol, which would end at a NUL unnoticed.
            case .text(let text): bytes.append(contentsOf: text.utf8)
            case .bytes(let given): bytes.append(contentsOf: given)
            }
            let length = bytes.count - start
            guard let length = CInt(exactly: length), length < 1 << 30 else { return false }
            append(start: start, length: length, isText: isText)
            // Where text of the protocol ends; an empty value needs an address, too.
            bytes.append(0)
        }
        return true
    }

    private mutating func append(start: Int, length: CInt, isText: Bool) {
        starts.append(start)
        lengths.append(length)
        formats.append(isText ? 0 : 1)
    }

    private mutating func append(_ number: Int64) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = number.magnitude
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Calls `send` with count, addresses, lengths and formats; they are valid inside the call.
    mutating func withPointers(
        _ send: (CInt, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<CInt>?, UnsafePointer<CInt>?) -> CInt
    ) -> CInt {
        bytes.withUnsafeBufferPointer { bytes in
            pointers.removeAll(keepingCapacity: true)
            for start in starts {
                pointers.append(
                    start < 0
                        ? nil
                        : bytes.baseAddress.map {
                            UnsafeRawPointer($0 + start).assumingMemoryBound(to: CChar.self)
                        })
            }
            return pointers.withUnsafeBufferPointer { pointers in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        send(CInt(pointers.count), pointers.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }
}
