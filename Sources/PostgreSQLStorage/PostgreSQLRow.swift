import CPostgreSQL
import Glibc
import SQLStorage

/// A row of a result in binary format.
final class PostgreSQLRow: SQLRow {
    /// Set before each use; the caller owns it.
    var result: OpaquePointer?
    var row: CInt = 0

    func isNull(_ column: Int) -> Bool { PQgetisnull(result, row, CInt(column)) != 0 }

    func int(_ column: Int) -> Int64 {
        withColumn(column) { type, bytes in
            switch type {
            case Self.int8: return Int64(bitPattern: Self.load(bytes, as: UInt64.self))
            case Self.int4: return Int64(Int32(bitPattern: Self.load(bytes, as: UInt32.self)))
            case Self.int2: return Int64(Int16(bitPattern: Self.load(bytes, as: UInt16.self)))
            case Self.bool: return bytes.first == 1 ? 1 : 0
            case Self.numeric: return Self.integer(bytes) ?? Self.whole(Self.decimal(bytes))
            case Self.float8, Self.float4: return Self.whole(Self.number(type, bytes))
            default: return Self.number(String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    func double(_ column: Int) -> Double {
        withColumn(column) { type, bytes in
            switch type {
            case Self.float8, Self.float4, Self.numeric: Self.number(type, bytes)
            case Self.int8, Self.int4, Self.int2, Self.bool: Double(int(column))
            default: Double(String(decoding: bytes, as: UTF8.self)) ?? 0
            }
        }
    }

    func text(_ column: Int) -> String {
        withColumn(column) { type, bytes in
            switch type {
            case Self.int8, Self.int4, Self.int2, Self.bool: return String(int(column))
            case Self.float8, Self.float4: return String(Self.number(type, bytes))
            case Self.numeric: return Self.integer(bytes).map { String($0) } ?? String(Self.decimal(bytes))
            default: return String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    func bytes(_ column: Int) -> [UInt8] { withBytes(column) { [UInt8]($0) } }

    func withBytes<T>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
        let column = CInt(column)
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
            return try body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return try body(UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column))))
    }

    // MARK: - Types

    // Object ids of built-in types; they are part of the protocol (catalog/pg_type.dat).
    private static let bool: Oid = 16
    private static let int8: Oid = 20
    private static let int2: Oid = 21
    private static let int4: Oid = 23
    private static let float4: Oid = 700
    private static let float8: Oid = 701
    private static let numeric: Oid = 1700

    /// NULL has no bytes, which every reading takes for 0 or nothing.
    private func withColumn<T>(_ column: Int, _ body: (Oid, UnsafeRawBufferPointer) -> T) -> T {
        withBytes(column) { body(PQftype(result, CInt(column)), $0) }
    }

    private static func load<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as type: T.Type) -> T {
        guard bytes.count >= MemoryLayout<T>.size else { return 0 }
        return T(bigEndian: bytes.loadUnaligned(as: type))
    }

    private static func number(_ type: Oid, _ bytes: UnsafeRawBufferPointer) -> Double {
        switch type {
        case float8: Double(bitPattern: load(bytes, as: UInt64.self))
        case float4: Double(Float(bitPattern: load(bytes, as: UInt32.self)))
        default: decimal(bytes)
        }
    }

    /// The fields of a `numeric`, such as the sum of a column of integers: how many digits to the base 10,000, the power of the
    /// first one, the sign, what is shown, then the digits.
    private static func field(_ index: Int, _ bytes: UnsafeRawBufferPointer) -> Int16 {
        guard 2 * index + 2 <= bytes.count else { return 0 }
        return Int16(bitPattern: load(UnsafeRawBufferPointer(rebasing: bytes[(2 * index)...]), as: UInt16.self))
    }

    /// A `numeric` that is an integer of 64 bits.
    private static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        let (count, power, sign) = (Int(field(0, bytes)), Int(field(1, bytes)), field(2, bytes))
        guard count > 0 else { return sign == 0 ? 0 : nil }
        guard power >= count - 1, power < 5, sign == 0 || sign == 0x4000 else { return nil }
        var value: Int64 = 0
        for index in 0...power {
            let digit = index < count ? Int64(field(4 + index, bytes)) : 0
            let (shifted, isTooBig) = value.multipliedReportingOverflow(by: 10_000)
            let (sum, isBeyond) = shifted.addingReportingOverflow(digit)
            guard !isTooBig, !isBeyond else { return nil }
            value = sum
        }
        return sign == 0 ? value : -value
    }

    /// Any `numeric`, as near as can be.
    private static func decimal(_ bytes: UnsafeRawBufferPointer) -> Double {
        func field(_ index: Int) -> Int16 { Self.field(index, bytes) }
        let sign = UInt16(bitPattern: field(2))
        guard sign == 0 || sign == 0x4000 else { return .nan }
        var value = 0.0
        for digit in 0..<max(0, Int(field(0))) { value = value * 10_000 + Double(field(4 + digit)) }
        let exponent = Int(field(1)) - Int(field(0)) + 1
        if exponent > 0 { for _ in 0..<exponent { value *= 10_000 } }
        if exponent < 0 { for _ in 0..<(-exponent) { value /= 10_000 } }
        return sign == 0 ? value : -value
    }

    /// Towards zero, and to the nearest end where there are no such integers.
    private static func whole(_ number: Double) -> Int64 {
        if let whole = Int64(exactly: number.rounded(.towardZero)) { return whole }
        return number.isNaN ? 0 : number < 0 ? .min : .max
    }

    /// The number that text begins with, as SQLite reads it.
    private static func number(_ text: String) -> Int64 { Int64(text) ?? Double(text).map(whole) ?? 0 }
}
