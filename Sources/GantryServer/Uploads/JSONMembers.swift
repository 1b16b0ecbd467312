import NIOCore

/// The members of a JSON object as they are added, without spaces.
struct JSONMembers {
    private var bytes = ByteBuffer(string: "{")
    private var isEmpty = true

    /// The object.
    var object: ByteBuffer {
        var object = bytes
        object.writeInteger(UInt8(ascii: "}"))
        return object
    }

    /// Adds text; nothing for `nil`.
    mutating func add(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        addName(name)
        bytes.writeJSONString(value)
    }

    /// Adds a number; nothing for `nil`.
    mutating func add(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        addName(name)
        bytes.writeString(String(value))
    }

    /// Adds an object.
    mutating func add(_ name: StaticString, _ value: JSONMembers) {
        addName(name)
        bytes.writeImmutableBuffer(value.object)
    }

    /// Adds an array of texts.
    mutating func add(_ name: StaticString, _ values: [String]) {
        addArray(name, values) { $0.writeJSONString($1) }
    }

    /// Adds an array of objects.
    mutating func add(_ name: StaticString, _ values: [JSONMembers]) {
        addArray(name, values) { $0.writeImmutableBuffer($1.object) }
    }

    /// Adds a member whose name is not known when compiling.
    mutating func add(named name: String, _ value: String) {
        addComma()
        bytes.writeJSONString(name)
        bytes.writeString(":")
        bytes.writeJSONString(value)
    }

    private mutating func addArray<Value>(
        _ name: StaticString, _ values: [Value], _ write: (inout ByteBuffer, Value) -> Void
    ) {
        addName(name)
        bytes.writeString("[")
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.writeString(",") }
            write(&bytes, value)
        }
        bytes.writeString("]")
    }

    private mutating func addName(_ name: StaticString) {
        addComma()
        bytes.writeString("\"")
        bytes.writeStaticString(name)
        bytes.writeString("\":")
    }

    private mutating func addComma() {
        if !isEmpty { bytes.writeString(",") }
        isEmpty = false
    }
}
