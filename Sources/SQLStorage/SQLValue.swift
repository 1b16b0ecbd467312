/// A value bound to a placeholder.
package enum SQLValue: Hashable, Sendable {
    case null
    case int(Int64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
}

/// What can be bound to a placeholder.
package protocol SQLValueConvertible {
    /// The value as the database gets it.
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLValueConvertible {
    package var sqlValue: SQLValue { self }
}

extension Int64: SQLValueConvertible {
    package var sqlValue: SQLValue { .int(self) }
}

extension Int: SQLValueConvertible {
    package var sqlValue: SQLValue { .int(Int64(self)) }
}

extension Int32: SQLValueConvertible {
    package var sqlValue: SQLValue { .int(Int64(self)) }
}

extension UInt32: SQLValueConvertible {
    package var sqlValue: SQLValue { .int(Int64(self)) }
}

extension UInt16: SQLValueConvertible {
    package var sqlValue: SQLValue { .int(Int64(self)) }
}

extension Bool: SQLValueConvertible {
    /// 1 or 0: both databases keep truth values as integers here.
    package var sqlValue: SQLValue { .int(self ? 1 : 0) }
}

extension Double: SQLValueConvertible {
    package var sqlValue: SQLValue { .double(self) }
}

extension String: SQLValueConvertible {
    package var sqlValue: SQLValue { .text(self) }
}

extension Substring: SQLValueConvertible {
    package var sqlValue: SQLValue { .text(String(self)) }
}

extension [UInt8]: SQLValueConvertible {
    package var sqlValue: SQLValue { .bytes(self) }
}

extension Optional: SQLValueConvertible where Wrapped: SQLValueConvertible {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

extension SQLValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(nilLiteral: ()) { self = .null }
}
