import DICOMCore
import DICOMPixels

extension RenderingSources.Source {
    /// The lines that are burned in: who it is, and how the image was made (PS3.18 8.3.5.1.4).
    func annotation(ofFrame frame: Int, patient: Bool, technique: Bool) -> [String] {
        var lines: [String] = []
        if patient {
            let name = dataSet.string(for: .patientName) ?? ""
            lines.append(name.split(separator: "=").first.map { String($0).replacing("^", with: " ") } ?? "")
            lines.append(joined([(nil, .patientID), (nil, .patientBirthDate), (nil, .patientSex)]))
        }
        if technique {
            lines.append(joined([(nil, .modality), (nil, .studyDate), (nil, .seriesDescription)]))
            lines.append(joined([("Se", .seriesNumber), ("Im", .instanceNumber)]))
            lines.append(
                joined([
                    ("kVp", .kvp), ("mA", .xRayTubeCurrent), ("mm", .sliceThickness), ("TR", .repetitionTime),
                    ("TE", .echoTime),
                ]))
            if let count = image?.numberOfFrames, count > 1 { lines.append("Frame \(frame) of \(count)") }
        }
        return lines.filter { !$0.isEmpty }
    }

    private func joined(_ parts: [(label: String?, tag: Tag)]) -> String {
        parts.compactMap { part in
            guard let text = dataSet.string(for: part.tag), !text.isEmpty else { return nil }
            return part.label.map { "\($0) \(text)" } ?? text
        }.joined(separator: "  ")
    }
}
