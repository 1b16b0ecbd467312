public import DICOMCore

/// The lines that are burned into images on request (PS3.18 8.3.5.1.1). The standard leaves their contents to the server.
public enum AnnotationLines {
    /// Who it is: name, ID, birth date and sex, study date.
    public static func patient(_ dataSet: DataSet) -> [String] {
        let name = dataSet.personName(for: .patientName)
        // The font has the letters of the alphabetic group only.
        let written = name?.alphabetic?.components.filter { !$0.isEmpty }.joined(separator: ", ")
        return [
            line([written, dataSet.string(for: .patientID).map { "ID \($0)" }]),
            line([
                dataSet.string(for: .patientBirthDate).map { "born \(date($0))" }, dataSet.string(for: .patientSex),
                dataSet.string(for: .studyDate).map { "study \(date($0))" },
            ]),
        ].compactMap { $0 }
    }

    /// How the image was made, as far as the data set says: what and from where, then the numbers of X-ray, CT and MR.
    public static func technique(_ dataSet: DataSet) -> [String] {
        func number(_ tag: Tag, _ name: String, _ unit: String) -> String? {
            dataSet.string(for: tag).map { "\(name)\($0) \(unit)" }
        }
        let side = dataSet.string(for: .imageLaterality) ?? dataSet.string(for: .laterality)
        return [
            line([
                dataSet.string(for: .modality), dataSet.string(for: .bodyPartExamined), side,
                dataSet.string(for: .viewPosition), dataSet.string(for: .seriesDescription),
            ]),
            line([
                number(.kvp, "", "kV"), number(.xRayTubeCurrent, "", "mA"), number(.exposure, "", "mAs"),
                number(.sliceThickness, "slice ", "mm"), number(.magneticFieldStrength, "", "T"),
                number(.repetitionTime, "TR ", "ms"), number(.echoTime, "TE ", "ms"),
            ]),
        ].compactMap { $0 }
    }

    /// The parts that there are; `nil` when there are none.
    private static func line(_ parts: [String?]) -> String? {
        let parts = parts.compactMap { $0 }.filter { !$0.isEmpty }
        return parts.isEmpty ? nil : parts.joined(separator: "  ")
    }

    private static func date(_ text: String) -> String {
        let digits = Array(text)
        guard digits.count == 8, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return text }
        return "\(String(digits[..<4]))-\(String(digits[4..<6]))-\(String(digits[6...]))"
    }
}
