import DICOMCore
import DICOMModels
import Testing

@Suite struct NativeModelTests {
    static let prolog =
        #"<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">"#

    func xml(_ dataSet: DataSet, base: String? = "http://h/i?a&b") -> String {
        var writer = NativeModelWriter(bulkData: base.map { BulkDataPolicy(base: $0) } ?? .inlineEverything)
        var output: [UInt8] = []
        writer.write(dataSet, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// What is written between the root's tags.
    func content(_ elements: [DataElement], _ characterSet: SpecificCharacterSet = .utf8, base: String? = nil) -> String
    {
        let text = xml(DataSet(elements, characterSet: characterSet), base: base)
        return String(
            text.dropFirst(#"<?xml version="1.0" encoding="UTF-8"?>"#.count + 1 + Self.prolog.count).dropLast(
                "</NativeDicomModel>\n".count))
    }

    func text(_ tag: Tag, _ vr: VR, _ text: String) -> DataElement {
        DataElement(tag, vr, .bytes(Array(text.utf8)[...]))
    }

    func failure(_ bytes: [UInt8], limits: ModelLimits = .standard) -> ModelError.Code? {
        do throws(ModelError) {
            _ = try NativeModelReader.dataSet(from: bytes, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    func read(_ content: String) throws -> DataSet {
        try NativeModelReader.dataSet(from: Array((Self.prolog + content + "</NativeDicomModel>").utf8))
    }

    @Test func `writes values by their VR`() {
        let tag = Tag(0x0011, 0x2001)
        func value(_ vr: VR, _ bytes: [UInt8]) -> String {
            let all = content([DataElement(tag, vr, .bytes(bytes[...]))])
            return String(
                all.dropFirst(#"<DicomAttribute tag="00112001" vr="LO">"#.count).dropLast("</DicomAttribute>".count))
        }
        #expect(
            value(.LO, Array(#"A\\<B>&""#.utf8))
                == #"<Value number="1">A</Value><Value number="2"></Value><Value number="3">&lt;B&gt;&amp;&quot;</Value>"#
        )
        #expect(value(.ST, Array("a\r\n\tb\u{1}\\c".utf8)) == "<Value number=\"1\">a&#13;&#10;&#9;b\u{FFFD}\\c</Value>")
        #expect(value(.LO, []) == "")
        #expect(value(.US, [1, 0, 0x40, 0x9C]) == #"<Value number="1">1</Value><Value number="2">40000</Value>"#)
        #expect(
            value(.FL, [0, 0, 0x80, 0x7F, 0, 0, 0x80, 0xFF, 0, 0, 0xC0, 0x7F])
                == #"<Value number="1">INF</Value><Value number="2">-INF</Value><Value number="3">NaN</Value>"#)
        #expect(value(.AT, [0x18, 0, 0x63, 0x10]) == #"<Value number="1">00181063</Value>"#)
        #expect(value(.OB, [1, 2]) == "<InlineBinary>AQI=</InlineBinary>")
        #expect(
            value(.PN, Array("A^B^C^D^E^F=G".utf8))
                == #"<PersonName number="1"><Alphabetic><FamilyName>A</FamilyName><GivenName>B</GivenName><MiddleName>C</MiddleName><NamePrefix>D</NamePrefix><NameSuffix>E^F</NameSuffix></Alphabetic><Ideographic><FamilyName>G</FamilyName></Ideographic></PersonName>"#
        )
    }

    @Test func `writes the parts of an attribute`() {
        #expect(
            content([text(Tag(0x0008, 0x0060), .CS, "CT")])
                == #"<DicomAttribute tag="00080060" vr="CS" keyword="Modality"><Value number="1">CT</Value></DicomAttribute>"#
        )
        #expect(
            content([text(Tag(0x0009, 0x0042), .LO, "ACME X"), text(Tag(0x0009, 0x4205), .LO, "hello")])
                == #"<DicomAttribute tag="00090005" vr="LO" privateCreator="ACME X"><Value number="1">hello</Value></DicomAttribute>"#
        )
        let pixels = DataElement(Tag(0x7FE0, 0x0010), .OW, .bulk(.range(0..<4)))
        #expect(
            content([DataElement(Tag(0x0088, 0x0200), .SQ, .items([DataSet([pixels])]))], base: "u?a&b")
                == #"<DicomAttribute tag="00880200" vr="SQ" keyword="IconImageSequence"><Item number="1"><DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData"><BulkData uri="u?a&amp;b/bulkdata/00880200/1/7FE00010"/></DicomAttribute></Item></DicomAttribute>"#
        )
        #expect(content([DataElement(Tag(0x0008, 0x0000), .UL, .bytes([0, 0, 0, 0]))]) == "")
    }

    @Test func `round trips`() throws {
        let item = DataSet([text(Tag(0x0008, 0x1150), .UI, "1.2.3\0")])
        let elements = [
            text(Tag(0x0008, 0x0005), .CS, "ISO_IR 192"), text(Tag(0x0008, 0x1090), .LO, ""),
            DataElement(Tag(0x0008, 0x1140), .SQ, .items([item, DataSet()])),
            text(Tag(0x0009, 0x0010), .LO, "ACME"), DataElement(Tag(0x0009, 0x1001), .OB, .bytes([1, 2, 3, 4])),
            DataElement(Tag(0x0009, 0x1002), .UV, .bytes(ArraySlice(repeating: 0xFF, count: 8))),
            text(Tag(0x0010, 0x0010), .PN, #"Müller^Jürg=山田^太郎\\A^^B  "#), text(Tag(0x0018, 0x0050), .DS, #"1.50\+2"#),
            text(Tag(0x0018, 0x1020), .LO, #"A\\B"#),
            DataElement(Tag(0x0018, 0x9073), .FD, .bytes([0, 0, 0, 0, 0, 0, 0xF8, 0x7F])),
            text(Tag(0x0020, 0x4000), .LT, "  back\\slash <&>\r\n\t."),
            DataElement(Tag(0x0028, 0x0009), .AT, .bytes([0x18, 0, 0x63, 0x10])),
            DataElement(Tag(0x7FE0, 0x0010), .OW, .bulk(.uri("cid:1&2"))),
        ]
        let dataSet = DataSet(elements, characterSet: .utf8)
        let first = xml(dataSet, base: nil)
        let back = try NativeModelReader.dataSet(from: Array(first.utf8))
        #expect(
            back[Tag(0x0020, 0x4000)] == dataSet[Tag(0x0020, 0x4000)]
                || back[Tag(0x0020, 0x4000)]?.bytes?.starts(with: Array("  back\\slash <&>\r\n\t.".utf8)) == true)
        #expect(back[Tag(0x0009, 0x1001)] == dataSet[Tag(0x0009, 0x1001)])
        #expect(back.elements.map(\.tag) == dataSet.elements.map(\.tag))
        #expect(back.characterSet == .utf8)
        #expect(xml(back, base: nil) == first)
    }

    @Test func `reads documents without a namespace, with a prefix, and with a byte order mark`() throws {
        let inner = #"<DicomAttribute tag="00080060" vr="CS"><Value>CT</Value></DicomAttribute>"#
        let expected = DataSet([text(Tag(0x0008, 0x0060), .CS, "CT")])
        #expect(
            try NativeModelReader.dataSet(from: Array("<NativeDicomModel>\(inner)</NativeDicomModel>".utf8)) == expected
        )
        #expect(
            try NativeModelReader.dataSet(
                from: [0xEF, 0xBB, 0xBF]
                    + Array("<?xml version='1.0' encoding='utf-8'?><NativeDicomModel>\(inner)</NativeDicomModel>".utf8))
                == expected)
        #expect(
            try NativeModelReader.dataSet(
                from: Array(
                    #"<d:NativeDicomModel xmlns:d="http://dicom.nema.org/PS3.19/models/NativeDICOM"><d:DicomAttribute tag="00080060"/></d:NativeDicomModel>"#
                        .utf8))[Tag(0x0008, 0x0060)]?.vr == .CS)
    }

    @Test func `gives private elements blocks`() throws {
        func attribute(_ tag: String, _ creator: String?, _ value: String) -> String {
            let creator = creator.map { #" privateCreator="\#($0)""# } ?? ""
            return
                #"<DicomAttribute tag="\#(tag)" vr="LO"\#(creator)><Value number="1">\#(value)</Value></DicomAttribute>"#
        }
        let dataSet = try read(
            attribute("00090005", "ACME", "a1") + attribute("00090005", "OTHER", "b1")
                + attribute("00090006", "ACME", "a2") + attribute("00090005", "ACME", "c1")
                + attribute("000B1105", nil, "or") + attribute("000B0001", "ACME", "d1")
                + attribute("000D0012", nil, "ACME") + attribute("000D4201", "ACME", "e1"))
        let values = dataSet.elements.map { "\($0.tag.hexadecimal)=" + String(decoding: $0.bytes ?? [], as: UTF8.self) }
        #expect(
            values == [
                "00090010=ACME", "00090011=OTHER ", "00090012=ACME", "00091005=a1", "00091006=a2", "00091105=b1",
                "00091205=c1", "000B0010=ACME", "000B1001=d1",
                "000B1105=or", "000D0012=ACME", "000D1201=e1",
            ])
    }

    @Test func `fills values that are left out`() throws {
        let dataSet = try read(
            #"<DicomAttribute tag="00181020" vr="LO"><Value number="2">B</Value><Value number="4">D</Value></DicomAttribute>"#
        )
        #expect(dataSet[Tag(0x0018, 0x1020)]?.bytes == ArraySlice(#"\B\\D "#.utf8))
    }

    static let failures: [(String, ModelError.Code)] = [
        ("", .truncated), ("<NativeDicomModel>", .truncated), ("<NativeDicomModel/>x", .trailingBytes),
        ("<Other/>", .unexpected), ("{}", .malformed),
        ("<!DOCTYPE x><NativeDicomModel/>", .documentType),
        (#"<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><NativeDicomModel/>"#, .documentType),
        (
            #"<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><NativeDicomModel>&a;</NativeDicomModel>"#,
            .documentType
        ),
        (#"<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/"> %p;]><NativeDicomModel/>"#, .documentType),
        ("<NativeDicomModel>&a;</NativeDicomModel>", .malformed),
        (
            #"<NativeDicomModel xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></NativeDicomModel>"#,
            .unexpected
        ),
        ("<?xml version='1.0' encoding='UTF-16'?><NativeDicomModel/>", .notUTF8),
        ("<?xml version='1.0' encoding='UTF-7'?><NativeDicomModel/>", .notUTF8),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><NativeDicomModel/>", .notUTF8),
        ("<NativeDicomModel>text</NativeDicomModel>", .unexpected),
        (#"<NativeDicomModel><DicomAttribute/></NativeDicomModel>"#, .invalidTag),
        (#"<NativeDicomModel><DicomAttribute tag="00080060" vr="XX"/></NativeDicomModel>"#, .invalidVR),
        (
            #"<NativeDicomModel><DicomAttribute tag="00080060"/><DicomAttribute tag="00080060"/></NativeDicomModel>"#,
            .duplicate
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00080060" vr="CS"><Item/></DicomAttribute></NativeDicomModel>"#,
            .unexpected
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00280010" vr="US"><Value>65536</Value></DicomAttribute></NativeDicomModel>"#,
            .invalidValue
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00280010" vr="US"><Value number="0">1</Value></DicomAttribute></NativeDicomModel>"#,
            .invalidValue
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00181020" vr="LO"><Value number="2">1</Value><Value number="2">1</Value></DicomAttribute></NativeDicomModel>"#,
            .invalidValue
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00181020" vr="LO"><Value number="99999999">1</Value></DicomAttribute></NativeDicomModel>"#,
            .tooManyElements(limit: 1_000_000)
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00091001" vr="OB"><InlineBinary>A</InlineBinary></DicomAttribute></NativeDicomModel>"#,
            .invalidBase64
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00091001" vr="OB"><InlineBinary>AQI=</InlineBinary><BulkData uri="x"/></DicomAttribute></NativeDicomModel>"#,
            .conflictingValues
        ),
        (
            #"<NativeDicomModel><DicomAttribute tag="00091001" vr="OB"><BulkData/></DicomAttribute></NativeDicomModel>"#,
            .invalidValue
        ),
    ]

    @Test(arguments: failures)
    func `refuses what is not the model`(text: String, code: ModelError.Code) {
        #expect(failure(Array(text.utf8)) == code)
    }

    @Test func `refuses other encodings`() {
        let text = "<NativeDicomModel/>"
        #expect(failure([0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0), 0] }) == .notUTF8)
        #expect(failure(text.utf16.flatMap { [0, UInt8($0)] }) == .notUTF8)
        #expect(
            failure(Array("<NativeDicomModel><!--".utf8) + [0xE9] + Array("--></NativeDicomModel>".utf8)) == .notUTF8)
    }

    @Test func `bounds depth, elements, items and bytes`() {
        func nested(_ depth: Int) -> [UInt8] {
            let open = #"<DicomAttribute tag="00081140" vr="SQ"><Item number="1">"#
            return Array(
                ("<NativeDicomModel>" + String(repeating: open, count: depth)
                    + String(repeating: "</Item></DicomAttribute>", count: depth) + "</NativeDicomModel>").utf8)
        }
        #expect(failure(nested(64)) == nil)
        #expect(failure(nested(65)) == .nestingTooDeep(limit: 64))
        #expect(failure(nested(100_000)) == .nestingTooDeep(limit: 64))
        var limits = ModelLimits()
        limits.elements = 3
        #expect(failure(nested(4), limits: limits) == .tooManyElements(limit: 3))
        limits = ModelLimits()
        limits.items = 3
        #expect(failure(nested(4), limits: limits) == .tooManyItems(limit: 3))
        limits.bytes = 10
        #expect(failure(nested(1), limits: limits) == .tooLarge(limit: 10))
    }

    @Test func `every prefix of a document is refused without a trap`() {
        let text =
            Self.prolog
            + #"<DicomAttribute tag="00100010" vr="PN"><PersonName number="1"><Alphabetic><FamilyName>é</FamilyName></Alphabetic></PersonName></DicomAttribute><DicomAttribute tag="00081140" vr="SQ"><Item number="1"/></DicomAttribute></NativeDicomModel>"#
        let bytes = Array(text.utf8)
        #expect(failure(bytes) == nil)
        for length in bytes.indices { #expect(failure(Array(bytes[..<length])) != nil) }
    }
}
