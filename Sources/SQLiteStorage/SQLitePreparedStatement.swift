import GRDBSQLite
import SQLStorage

/// A compiled statement, and the row it stands at.
final class SQLitePreparedStatement {
    let handle: OpaquePointer
    /// For each of SQLite's parameters in turn, which value it takes: `$2` takes number 1. SQLite numbers them as they first occur.
    let placeholders: [Int]
    /// Whether its rows are being read; a nested use needs another one.
    private(set) var isBusy = true

    /// Makes SQLite copy what is bound.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ handle: OpaquePointer) {
        self.handle = handle
        placeholders = (0..<sqlite3_bind_parameter_count(handle)).map { index in
            guard let name = sqlite3_bind_parameter_name(handle, index + 1), let number = Int(String(cString: name + 1))
            else { return .max }
            return number - 1
        }
    }

    deinit {
        sqlite3_finalize(handle)
    }

    func taken() -> Self {
        isBusy = true
        return self
    }

    func reset() {
        sqlite3_reset(handle)
        if !placeholders.isEmpty { sqlite3_clear_bindings(handle) }
        isBusy = false
    }

    func bind(_ value: SQLValue, at index: CInt) -> CInt {
        switch value {
        case .null:
            sqlite3_bind_null(handle, index)
        case .int(let value):
            sqlite3_bind_int64(handle, index, value)
        case .double(let value):
            sqlite3_bind_double(handle, index, value)
        case .text(var value):
            value.withUTF8 { text in
                text.withMemoryRebound(to: CChar.self) { text in
                    // An empty text has no address, which would bind NULL.
                    guard let start = text.baseAddress else {
                        return sqlite3_bind_text(handle, index, "", 0, Self.copied)
                    }
                    return sqlite3_bind_text64(
                        handle, index, start, sqlite3_uint64(text.count), Self.copied, UInt8(SQLITE_UTF8))
                }
            }
        case .bytes(let value):
            value.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, !bytes.isEmpty else {
                    return sqlite3_bind_zeroblob(handle, index, 0)
                }
                return sqlite3_bind_blob64(handle, index, start, sqlite3_uint64(bytes.count), Self.copied)
            }
        }
    }
}

extension SQLitePreparedStatement: SQLRow {
    func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(handle, CInt(column)) == SQLITE_NULL
    }

    func int(_ column: Int) -> Int64 {
        sqlite3_column_int64(handle, CInt(column))
    }

    func double(_ column: Int) -> Double {
        sqlite3_column_double(handle, CInt(column))
    }

    func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(handle, CInt(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, CInt(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int) -> [UInt8] {
        withBytes(column) { [UInt8]($0) }
    }

    func withBytes<T>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
        let start = sqlite3_column_blob(handle, CInt(column))
        let count = Int(sqlite3_column_bytes(handle, CInt(column)))
        return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }
}
