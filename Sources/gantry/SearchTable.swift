import DICOMCore

/// Results of a search as rows and columns.
struct SearchTable {
    enum Level: String { case studies, series, instances }

    private let titles: [String]
    private let rows: [[String]]

    init(level: Level, results: [DataSet]) {
        let columns: [(title: String, tag: Tag)] =
            switch level {
            case .studies:
                [
                    ("DATE", .studyDate), ("PATIENT", .patientName), ("PATIENT ID", .patientID),
                    ("MODALITIES", .modalitiesInStudy), ("DESCRIPTION", .studyDescription),
                    ("SERIES", .numberOfStudyRelatedSeries), ("INSTANCES", .numberOfStudyRelatedInstances),
                    ("STUDY", .studyInstanceUID),
                ]
            case .series:
                [
                    ("MODALITY", .modality), ("NUMBER", .seriesNumber), ("DESCRIPTION", .seriesDescription),
                    ("INSTANCES", .numberOfSeriesRelatedInstances), ("SERIES", .seriesInstanceUID),
                    ("STUDY", .studyInstanceUID),
                ]
            case .instances:
                [
                    ("NUMBER", .instanceNumber), ("FRAMES", .numberOfFrames), ("CLASS", .sopClassUID),
                    ("INSTANCE", .sopInstanceUID), ("SERIES", .seriesInstanceUID),
                ]
            }
        titles = columns.map(\.title)
        rows = results.map { result in columns.map { Self.text(of: result, $0.tag) } }
    }

    /// For other programs: one result a line, values separated by tabs.
    func tabbed() -> String {
        ([titles] + rows).map { $0.joined(separator: "\t") + "\n" }.joined()
    }

    /// For people: columns as wide as they need; only descriptions are shortened.
    func aligned(width: Int) -> String {
        guard !rows.isEmpty else { return "Nothing was found.\n" }
        let all =
            [titles] + rows.map { row in row.map { $0.count > 40 && !$0.contains(".") ? $0.prefix(39) + "…" : $0 } }
        let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func text(of dataSet: DataSet, _ tag: Tag) -> String {
        let text = Terminal.printable(dataSet.strings(for: tag).joined(separator: "/"))
        return tag == .sopClassUID ? SOPClass(uid: text)?.name ?? text : text
    }
}
