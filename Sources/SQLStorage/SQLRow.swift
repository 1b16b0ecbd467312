/// One row of a result. Columns are numbered from 0; nothing is made of a column that is not asked for.
///
/// The accessors without `optional` answer 0, "" or no bytes for NULL.
package protocol SQLRow {
    /// Whether the column is NULL.
    func isNull(_ column: Int) -> Bool
    /// The column as an integer.
    func int(_ column: Int) -> Int64
    /// The column as a floating point number.
    func double(_ column: Int) -> Double
    /// The column as text.
    func text(_ column: Int) -> String
    /// The column's bytes, copied once.
    func bytes(_ column: Int) -> [UInt8]
    /// The column's bytes where they are, or the UTF-8 of its text. Valid inside `body` only.
    func withBytes<T>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T
}

extension SQLRow {
    /// The column as an integer, `nil` for NULL.
    package func optionalInt(_ column: Int) -> Int64? { isNull(column) ? nil : int(column) }

    /// The column as a floating point number, `nil` for NULL.
    package func optionalDouble(_ column: Int) -> Double? { isNull(column) ? nil : double(column) }

    /// The column as text, `nil` for NULL.
    package func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

    /// The column's bytes, `nil` for NULL.
    package func optionalBytes(_ column: Int) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    /// The column as a truth value: any number but 0.
    package func bool(_ column: Int) -> Bool { int(column) != 0 }
}
