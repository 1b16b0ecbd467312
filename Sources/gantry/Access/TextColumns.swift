/// Rows under a head, in columns; what files and senders said is shown without control characters.
struct TextColumns {
    let text: String

    init(_ head: [String], _ rows: [[String]]) {
        let lines = [head] + rows.map { $0.map(Terminal.printable) }
        let widths = head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        text = lines.map { line in
            var text = ""
            for (column, cell) in line.enumerated() {
                text += cell
                if column < line.count - 1 { text += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return String(text.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }
}
