import CPostgreSQL
import SQLStorage

/// The rows of one statement while they are gone through.
final class RowScan {
    /// The row that the scan stands at.
    let row = PostgreSQLRow()
    /// Why the rows end where they do.
    var failure: SQLError?
    /// Results whose rows nobody has read yet, each with one row or several; the first is the one that is being read.
    private var kept: [OpaquePointer] = []
    private var current = 0

    deinit { clear() }

    /// Takes a result over.
    func keep(_ result: OpaquePointer) { kept.append(result) }

    /// Goes to the next row that is here; `false` when there is none.
    func advance() -> Bool {
        if row.result != nil { row.row += 1 }
        while current < kept.count {
            let result = kept[current]
            if row.result == nil {
                row.result = result
                row.row = 0
            }
            if row.row < PQntuples(result) { return true }
            PQclear(result)
            row.result = nil
            current += 1
        }
        kept.removeAll(keepingCapacity: true)
        current = 0
        return false
    }

    /// Lets go of what nobody has read.
    func clear() {
        for result in kept[current...] { PQclear(result) }
        kept = []
        current = 0
        row.result = nil
    }
}
