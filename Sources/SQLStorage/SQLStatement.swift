/// A statement: text with placeholders `$1`, `$2` …, and the values for them.
///
/// Hot statements are written with their placeholders, which builds no text:
/// `SQLStatement("SELECT blob FROM instance WHERE uid = $1", [.text(uid)])`. Others are interpolated: `"… WHERE uid = \(uid)"`, where every
/// value becomes a placeholder; `\(list:)` gives a comma-separated row of them for IN, `\(raw:)` takes fixed text, and a statement inside
/// a statement keeps its values. Fixed text must not hold a `$` in a quoted string.
package struct SQLStatement: Sendable {
    /// The text, fixed at compile time or put together.
    package enum Text: Sendable {
        case fixed(StaticString)
        case built(String)
    }

    /// The text with placeholders `$1` to `$n`.
    package private(set) var text: Text
    /// The values, the first one for `$1`.
    package private(set) var values: [SQLValue]

    /// A statement with its placeholders written out.
    package init(_ text: StaticString, _ values: [SQLValue] = []) {
        self.text = .fixed(text)
        self.values = values
    }

    /// The text as a string.
    package var sql: String {
        switch text {
        case .fixed(let text): text.description
        case .built(let text): text
        }
    }

    /// Adds another statement's text and values behind this one's; its placeholders are numbered on.
    package mutating func append(_ other: SQLStatement) {
        var sql = self.sql
        other.write(into: &sql, numberedFrom: values.count)
        text = .built(sql)
        values.append(contentsOf: other.values)
    }

    /// This statement followed by another.
    package static func + (first: SQLStatement, second: SQLStatement) -> SQLStatement {
        var statement = first
        statement.append(second)
        return statement
    }

    /// Writes the text with `offset` added to each placeholder's number.
    fileprivate func write(into sql: inout String, numberedFrom offset: Int) {
        let own = self.sql
        guard offset > 0, !values.isEmpty else { return sql.append(own) }
        var rest = own[...]
        while let mark = rest.utf8.firstIndex(of: UInt8(ascii: "$")) {
            let afterMark = rest.utf8.index(after: mark)
            sql.append(contentsOf: rest[..<afterMark])
            rest = rest[afterMark...]
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int(digits) else { continue }
            sql.append(String(number + offset))
            rest = rest[digits.endIndex...]
        }
        sql.append(contentsOf: rest)
    }
}

extension [SQLStatement] {
    /// The statements as one, with fixed text between them, such as `" AND "`.
    package func joined(by separator: StaticString) -> SQLStatement {
        guard var joined = first else { return SQLStatement("") }
        for statement in dropFirst() {
            joined.append(SQLStatement(separator))
            joined.append(statement)
        }
        return joined
    }
}

extension SQLStatement: ExpressibleByStringInterpolation {
    package init(stringLiteral value: StaticString) {
        self.init(value)
    }

    package init(stringInterpolation: Interpolation) {
        text = .built(stringInterpolation.text)
        values = stringInterpolation.values
    }

    /// Collects text and values. Only literals, ``StaticString`` and plain names become text.
    package struct Interpolation: StringInterpolationProtocol, Sendable {
        fileprivate var text = ""
        fileprivate var values: [SQLValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 3 * interpolationCount)
            values.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: StaticString) {
            text.append(literal.description)
        }

        /// A value: becomes the next placeholder.
        package mutating func appendInterpolation(_ value: some SQLValueConvertible) {
            values.append(value.sqlValue)
            text.append("$")
            text.append(String(values.count))
        }

        /// A value or NULL: becomes the next placeholder.
        package mutating func appendInterpolation<Value: SQLValueConvertible>(_ value: Value?) {
            appendInterpolation(value?.sqlValue ?? .null)
        }

        /// Fixed text, such as a column's name chosen among several.
        package mutating func appendInterpolation(raw: StaticString) {
            text.append(raw.description)
        }

        /// The name of a table or column.
        package mutating func appendInterpolation(name: SQLIdentifier) {
            text.append(name.name)
        }

        /// Names of columns with commas between them.
        package mutating func appendInterpolation(names: [SQLIdentifier]) {
            text.append(names.map(\.name).joined(separator: ", "))
        }

        /// Values for `IN (…)`; `NULL`, which nothing equals, when there are none.
        package mutating func appendInterpolation(list: some Sequence<some SQLValueConvertible>) {
            var isFirst = true
            for value in list {
                if !isFirst { text.append(", ") }
                appendInterpolation(value)
                isFirst = false
            }
            if isFirst { text.append("NULL") }
        }

        /// A part made elsewhere, with its values.
        package mutating func appendInterpolation(_ part: SQLStatement) {
            part.write(into: &text, numberedFrom: values.count)
            values.append(contentsOf: part.values)
        }
    }
}
