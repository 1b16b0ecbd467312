/// A JSON value whose members keep their order and whose whole numbers stay whole (RFC 8259): what senders write is kept as
/// they wrote it.
package enum OrderedJSON: Hashable, Sendable {
    /// A name and its value.
    package struct Member: Hashable, Sendable {
        package var name: String
        package var value: OrderedJSON

        package init(_ name: String, _ value: OrderedJSON) {
            self.name = name
            self.value = value
        }
    }

    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([OrderedJSON])
    case object([Member])

    /// The members; `nil` when this is no object.
    package var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// The elements; `nil` when this is no array.
    package var elements: [OrderedJSON]? { if case .array(let elements) = self { elements } else { nil } }

    /// The text; `nil` when this is no string.
    package var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The whole number; `nil` when this is none.
    package var wholeNumber: Int64? { if case .integer(let number) = self { number } else { nil } }

    /// The value of an object's member.
    package subscript(name: String) -> OrderedJSON? { members?.first { $0.name == name }?.value }

    /// What kind of value it is, in a word for people.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension OrderedJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: OrderedJSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, OrderedJSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}

extension OrderedJSON {
    /// Text, or null for none.
    package init(_ text: String?) { self = text.map { .string($0) } ?? .null }

    /// A whole number, or null for none.
    package init(_ number: Int?) { self = number.map { .integer(Int64($0)) } ?? .null }

    /// A whole number, or null for none.
    package init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
}
