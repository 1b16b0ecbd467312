import DICOMCore
import DICOMModels
import Foundation
import FoundationXML
import Testing

@Suite struct SRDocumentTests {
    private func text(_ tag: Tag, _ vr: VR, _ text: String) -> DataElement {
        DataElement(tag, vr, .bytes(Array(text.utf8)[...]))
    }

    private func code(_ tag: Tag, _ value: String, _ meaning: String) -> DataElement {
        sequence(
            tag,
            [
                [
                    text(.codeValue, .SH, value), text(.codingSchemeDesignator, .SH, "99X"),
                    text(.codeMeaning, .LO, meaning),
                ]
            ])
    }

    private func sequence(_ tag: Tag, _ items: [[DataElement]]) -> DataElement {
        DataElement(tag, .SQ, .items(items.map { DataSet($0, characterSet: .utf8) }))
    }

    private func item(_ type: String, _ name: String, _ elements: [DataElement]) -> [DataElement] {
        [
            text(.valueType, .CS, type), text(.relationshipType, .CS, "CONTAINS"),
            code(.conceptNameCodeSequence, "1", name),
        ]
            + elements
    }

    private func report(_ content: [[DataElement]]) -> DataSet {
        DataSet(
            [
                text(.sopClassUID, .UI, "1.2.840.10008.5.1.4.1.1.88.33"), text(.patientName, .PN, "Müller^Anna=山田^花"),
                text(.patientID, .LO, "<7>"), text(.patientBirthDate, .DA, "19700131"),
                text(.contentDate, .DA, "20240201"),
                text(.contentTime, .TM, "101112.5"), text(.verificationFlag, .CS, "VERIFIED"),
                text(.valueType, .CS, "CONTAINER"), code(.conceptNameCodeSequence, "121", "Chest <CT> Report"),
                sequence(.contentSequence, content),
            ], characterSet: .utf8)
    }

    private var measured: [DataElement] {
        let unit = code(.measurementUnitsCodeSequence, "mm", "millimeter")
        return item(
            "NUM", "Diameter", [sequence(.measuredValueSequence, [[text(.numericValue, .DS, "12.5"), unit]])])
    }

    private var content: [[DataElement]] {
        [
            item(
                "CONTAINER", "Findings",
                [
                    sequence(
                        .contentSequence,
                        [
                            item("CODE", "Finding", [code(.conceptCodeSequence, "9", "Nodule & scar")]) + [
                                sequence(.contentSequence, [measured])
                            ],
                            item("TEXT", "Comment", [text(.textValue, .UT, "one\r\n<script>alert('x')</script>")]),
                        ])
                ]),
            item("PNAME", "Observer", [text(.personName, .PN, "Doe^Jane^^Dr")]),
            item("DATETIME", "Seen", [text(.dateTime, .DT, "20240131093000.25+0100")]),
            item("UIDREF", "Study", [text(.uid, .UI, "1.2.3")]),
            item(
                "IMAGE", "Source",
                [
                    sequence(
                        .referencedSOPSequence,
                        [
                            [
                                text(.referencedSOPClassUID, .UI, "1.2.840.10008.5.1.4.1.1.2"),
                                text(.referencedSOPInstanceUID, .UI, "2.25.9"),
                                text(.referencedFrameNumber, .IS, "2\\3"),
                            ]
                        ])
                ]),
            item("SCOORD", "Outline", [text(.graphicType, .CS, "POLYLINE")]),
            [DataElement(.referencedContentItemIdentifier, .UL, .bytes([1, 0, 0, 0, 2, 0, 0, 0]))],
        ]
    }

    @Test func `the tree is written as text`() throws {
        let document = try #require(SRDocument(report(content)))
        #expect(
            document.plainText() == """
                Chest <CT> Report
                Patient: Müller, Anna (山田, 花)
                Patient ID: <7>
                Born: 1970-01-31
                Content made: 2024-02-01 10:11:12
                Verification: VERIFIED

                Findings
                  Finding: Nodule & scar
                    Diameter: 12.5 mm
                  Comment: one
                  <script>alert('x')</script>
                Observer: Doe, Jane, Dr
                Seen: 2024-01-31 09:30:00 +0100
                Study: 1.2.3
                Source: CT Image Storage 2.25.9, frames 2, 3
                Outline: [SCOORD POLYLINE]
                see item 1.2

                """)
    }

    @Test func `the page has headings, and nothing of the data set is markup`() throws {
        let page = try #require(SRDocument(report(content))).html()
        #expect(page.hasPrefix("<!DOCTYPE html>\n") && page.contains("<meta charset=\"utf-8\" />"))
        #expect(page.contains("<h1>Chest &lt;CT&gt; Report</h1>"))
        #expect(page.contains("<dt>Patient ID</dt><dd>&lt;7&gt;</dd>"))
        #expect(
            page.contains("<section>\n<h2>Findings</h2>\n<p><span class=\"name\">Finding:</span> Nodule &amp; scar</p>")
        )
        #expect(page.contains("<div>\n<p><span class=\"name\">Diameter:</span> 12.5 mm</p>\n</div>"))
        #expect(page.contains("one\n&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"))
        #expect(!page.contains("<script"))
        for tag in ["section", "div", "p", "main", "dl", "header"] {
            #expect(page.split(separator: "<\(tag)>").count == page.split(separator: "</\(tag)>").count)
        }
    }

    @Test func `the page is well-formed XML as well`() throws {
        var hostile = content
        hostile.append(item("TEXT", "Comment", [text(.textValue, .UT, "a\u{1}]]>\u{FFFE}&amp;<b>")]))
        let page = try #require(SRDocument(report(hostile))).xhtml()
        #expect(page.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<html xmlns="))
        let parser = XMLParser(data: Data(page.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
    }

    @Test func `a number without a unit says so, one without a value why`() throws {
        let unit = code(.measurementUnitsCodeSequence, "1", "no units")
        let counted = item(
            "NUM", "Count", [sequence(.measuredValueSequence, [[text(.numericValue, .DS, "3"), unit]])])
        let failed = item(
            "NUM", "Size",
            [
                sequence(.measuredValueSequence, []),
                code(.numericValueQualifierCodeSequence, "114006", "Measurement failure"),
            ]
        )
        let document = try #require(SRDocument(report([counted, failed])))
        #expect(document.content.map(\.value) == [.text("3"), .text("Measurement failure")])
    }

    @Test func `what is no report is none`() {
        #expect(SRDocument(DataSet()) == nil)
        #expect(SRDocument(DataSet([text(.valueType, .CS, "TEXT")])) == nil)
    }

    @Test func `deep nesting ends somewhere`() throws {
        var items = [item("TEXT", "Leaf", [text(.textValue, .UT, "x")])]
        for _ in 0..<500 { items = [item("CONTAINER", "Level", [sequence(.contentSequence, items)])] }
        let page = try #require(SRDocument(report(items))).html()
        #expect(page.split(separator: "<section>").count == 65)
        #expect(try #require(SRDocument(report([]))).html().contains("<main>\n</main>"))
    }
}
