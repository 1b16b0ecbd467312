import DICOMCore
import DICOMPixels
import Testing

@Suite struct AnnotationLinesTests {
    @Test func `the lines say what the data set says, and no more`() {
        let dataSet = DataSet([
            RenderingInput.text(.patientName, .PN, "Doe^Jane^^Dr=X"), RenderingInput.text(.patientID, .LO, "4711"),
            RenderingInput.text(.patientBirthDate, .DA, "19700131"), RenderingInput.text(.studyDate, .DA, "x"),
            RenderingInput.text(.modality, .CS, "CT"), RenderingInput.text(.seriesDescription, .LO, "Thorax"),
            RenderingInput.text(.kvp, .DS, "120"), RenderingInput.text(.sliceThickness, .DS, "1.25"),
        ])
        #expect(AnnotationLines.patient(dataSet) == ["Doe, Jane, Dr  ID 4711", "born 1970-01-31  study x"])
        #expect(AnnotationLines.technique(dataSet) == ["CT  Thorax", "120 kV  slice 1.25 mm"])
        #expect(AnnotationLines.patient(DataSet()).isEmpty && AnnotationLines.technique(DataSet()).isEmpty)
    }
}
