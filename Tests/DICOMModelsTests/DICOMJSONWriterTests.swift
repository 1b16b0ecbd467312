import DICOMCore
import DICOMModels
import Testing

@Suite struct DICOMJSONWriterTests {
    static let tag = Tag(0x0009, 0x1001)

    func json(_ dataSet: DataSet, base: String? = "http://h/i") -> String {
        var writer = DICOMJSONWriter(bulkData: base.map { BulkDataPolicy(base: $0) } ?? .inlineEverything)
        var output: [UInt8] = []
        writer.write(dataSet, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    func object(
        _ vr: VR, _ bytes: [UInt8], _ characterSet: SpecificCharacterSet = .default, base: String? = "b"
    ) -> String {
        var writer = DICOMJSONWriter(bulkData: base.map { BulkDataPolicy(base: $0) } ?? .inlineEverything)
        let element = DataElement(Self.tag, vr, .bytes(bytes[...]))
        var output: [UInt8] = []
        writer.writeElement(element, of: DataSet([element], characterSet: characterSet), into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    static let texts: [(VR, String, String)] = [
        (.LO, "", ""), (.LO, "  ", ""), (.LO, " ST  ", #","Value":["ST"]"#),
        (.LO, #"A\\B"#, #","Value":["A",null,"B"]"#), (.LO, #"\"#, #","Value":[null,null]"#),
        (.LO, #" a \ b \ c"#, #","Value":["a","b","c"]"#),
        (.LO, #"say "hi"\x"#, #","Value":["say \"hi\"","x"]"#),
        (.SH, "0123456\"", #","Value":["0123456\""]"#), (.SH, "01234567\"", #","Value":["01234567\""]"#),
        (.CS, #"ORIGINAL\PRIMARY"#, #","Value":["ORIGINAL","PRIMARY"]"#),
        (.UI, "1.2.840\0", #","Value":["1.2.840"]"#), (.UI, "1.2\\1.3\0", #","Value":["1.2","1.3"]"#),
        (.LT, "  C:\\data\\x\r\nline 2 ", #","Value":["  C:\\data\\x\r\nline 2"]"#),
        (.ST, "a\\b", #","Value":["a\\b"]"#), (.UT, " x", #","Value":[" x"]"#),
        (.UC, " x\\ y ", #","Value":[" x"," y"]"#),
        (.UR, "http://x/ ", #","Value":["http://x/"]"#), (.AE, "  AET1 \\AET2", #","Value":["AET1","AET2"]"#),
        (.ST, "a\u{1}\u{1f}\tb\u{7f}", ##","Value":["a\u0001\u001F\tb\##u{7f}"]"##),
        (.ST, "a\0b", ##","Value":["a\##u{FFFD}b"]"##),
        (.LO, "Größe", #","Value":["Größe"]"#), (.DA, "2024-01-01", #","Value":["2024-01-01"]"#),
        (.PN, "Smith^John", #","Value":[{"Alphabetic":"Smith^John"}]"#),
        (.PN, "A^B=C=D", #","Value":[{"Alphabetic":"A^B","Ideographic":"C","Phonetic":"D"}]"#),
        (.PN, "=C ", #","Value":[{"Ideographic":"C"}]"#),
        (.PN, "A=B=C=D", #","Value":[{"Alphabetic":"A","Ideographic":"B","Phonetic":"C=D"}]"#),
        (.PN, "A\\\\B", #","Value":[{"Alphabetic":"A"},null,{"Alphabetic":"B"}]"#), (.PN, "==", ""),
        (.PN, "A\\==", #","Value":[{"Alphabetic":"A"},null]"#),
        (.PN, "O\"B^\u{e9}", #","Value":[{"Alphabetic":"O\"B^é"}]"#),
    ]

    @Test(arguments: texts)
    func `writes text trimmed, split and escaped`(vr: VR, text: String, value: String) {
        #expect(object(vr, Array(text.utf8)) == #"{"vr":"\#(vr.letters)"\#(value)}"#)
    }

    @Test(arguments: [
        ("42", "42"), ("-7.25", "-7.25"), ("0", "0"), ("0.12345678901234", "0.12345678901234"), ("0.0001", "0.0001"),
        ("1.0", "1.0"), ("-0.5", "-0.5"), ("100", "100"), ("123456789012345", "123456789012345"),
        ("1.50", #""1.50""#), ("+2", #""+2""#), ("1e-3", #""1e-3""#), ("abc", #""abc""#), ("-0", #""-0""#),
        ("-0.0", #""-0.0""#), ("007", #""007""#), (".5", #"".5""#), ("5.", #""5.""#), ("-", #""-""#),
        ("1,5", #""1,5""#),
        ("1e400", #""1e400""#), ("0.00001", #""0.00001""#), ("1234567890123456", #""1234567890123456""#),
        ("NaN", #""NaN""#),
        ("1.00", #""1.00""#), ("0.00", #""0.00""#), ("0.0", "0.0"), ("1 2", #""1 2""#),
        (#"1\2.5 \ 3\\x"#, #"1,2.5,3,null,"x""#),
    ])
    func `writes DS as a number only where the number prints as the text`(text: String, value: String) {
        #expect(object(.DS, Array(text.utf8)) == #"{"vr":"DS","Value":[\#(value)]}"#)
    }

    @Test(arguments: [
        ("12", "12"), ("0", "0"), ("-5", "-5"), ("2147483647", "2147483647"), ("-2147483648", "-2147483648"),
        ("2147483648", #""2147483648""#), ("-2147483649", #""-2147483649""#), ("+1", #""+1""#), ("01", #""01""#),
        ("-0", #""-0""#),
        ("1.0", #""1.0""#), ("12345678901234567890", #""12345678901234567890""#), ("-", #""-""#), ("1\\ 2", "1,2"),
    ])
    func `writes IS as a number where it has 32 bits and is canonical`(text: String, value: String) {
        #expect(object(.IS, Array(text.utf8)) == #"{"vr":"IS","Value":[\#(value)]}"#)
    }

    static func little<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
        numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
    }

    static let numbers: [(VR, [UInt8], String)] = [
        (.US, little([9 as UInt16, 40000]), "9,40000"), (.SS, little([-6 as Int16, .min]), "-6,-32768"),
        (.UL, little([0 as UInt32, .max]), "0,4294967295"), (.SL, little([-5 as Int32, .min]), "-5,-2147483648"),
        (
            .UV, little([5 as UInt64, 1 << 63, 1 << 53 - 1, 1 << 53]),
            #"5,"9223372036854775808",9007199254740991,"9007199254740992""#
        ),
        (.SV, little([-7 as Int64, -(1 << 62), .min]), #"-7,"-4611686018427387904","-9223372036854775808""#),
        (
            .FL,
            little([
                Float(1.5).bitPattern, Float(0.1).bitPattern, (-0.0 as Float).bitPattern, Float(16777216).bitPattern,
                Float(1e30).bitPattern,
            ]), "1.5,0.1,-0.0,16777216.0,1e+30"
        ),
        (
            .FD, little(([0.1, 1e300, .leastNonzeroMagnitude, -3] as [Double]).map(\.bitPattern)),
            "0.1,1e+300,5e-324,-3.0"
        ),
        (.AT, little([0x18 as UInt16, 0x1063, 0x18, 0x106A]), #""00181063","0018106A""#),
        (.US, [1, 0, 2], "1"), (.AT, [1, 0, 2, 0, 3, 0], #""00010002""#),
    ]

    @Test(arguments: numbers)
    func `writes binary numbers, whole values only`(vr: VR, bytes: [UInt8], value: String) {
        #expect(object(vr, bytes) == #"{"vr":"\#(vr.letters)","Value":[\#(value)]}"#)
    }

    @Test func `writes no value where the bytes are less than one`() {
        #expect(object(.US, [1]) == #"{"vr":"US"}"#)
        #expect(object(.FD, [1, 2, 3, 4]) == #"{"vr":"FD"}"#)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `refers to numbers that JSON cannot hold`(value: Double) {
        let bytes = Self.little([Double(1).bitPattern, value.bitPattern])
        #expect(object(.FD, bytes) == #"{"vr":"FD","BulkDataURI":"b/bulkdata/00091001"}"#)
        let name = value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
        #expect(object(.FD, bytes, base: nil) == #"{"vr":"FD","Value":[1.0,"\#(name)"]}"#)
        #expect(
            object(.FL, Self.little([Float(value).bitPattern])) == #"{"vr":"FL","BulkDataURI":"b/bulkdata/00091001"}"#)
    }

    @Test(
        arguments: [([1], "AQ=="), ([1, 2], "AQI="), ([1, 2, 3], "AQID"), ([0xFF, 0xFE, 0xFD, 0xFC], "//79/A==")]
            as [([UInt8], String)])
    func `writes bytes in base64`(bytes: [UInt8], text: String) {
        for vr in [VR.OB, .OD, .OF, .OL, .OV, .OW, .UN] {
            #expect(object(vr, bytes) == #"{"vr":"\#(vr.letters)","InlineBinary":"\#(text)"}"#)
        }
    }

    @Test func `leaves structural elements out and keeps keys ascending`() {
        let tags = [
            Tag(0x0008, 0x0000), Tag(0x0002, 0x0010), Tag(0xFFFC, 0xFFFC), Tag(0xFFFE, 0xE00D), Tag(0x0028, 0x0010),
            Tag(0x0008, 0x0018),
        ]
        let dataSet = DataSet(tags.map { DataElement($0, .UN, .empty) })
        #expect(json(dataSet) == #"{"00080018":{"vr":"UN"},"00280010":{"vr":"UN"}}"#)
        #expect(json(DataSet()) == "{}")
    }

    @Test func `keeps absent, empty and filled sequences apart`() {
        let tag = Tag(0x0008, 0x1140)
        #expect(json(DataSet([DataElement(tag, .SQ, .empty)])) == #"{"00081140":{"vr":"SQ"}}"#)
        #expect(json(DataSet([DataElement(tag, .SQ, .items([]))])) == #"{"00081140":{"vr":"SQ"}}"#)
        #expect(
            json(DataSet([DataElement(tag, .UN, .items([DataSet(), DataSet()]))]))
                == #"{"00081140":{"vr":"SQ","Value":[{},{}]}}"#)
        #expect(
            json(DataSet([DataElement(tag, .SQ, .bytes([1]))])) == #"{"00081140":{"vr":"UN","InlineBinary":"AQ=="}}"#)
    }

    @Test func `names bulk data by the path of the attribute`() {
        let icon = DataSet([DataElement(Tag(0x7FE0, 0x0010), .OW, .bulk(.range(0..<10)))])
        let outer = DataSet([DataElement(Tag(0x0088, 0x0200), .SQ, .items([DataSet(), icon]))])
        let dataSet = DataSet([
            DataElement(Tag(0x0008, 0x1115), .SQ, .items([outer])),
            DataElement(Tag(0x0042, 0x0011), .OB, .bulk(.uri("cid:\"1\""))),
            DataElement(
                Tag(0x7FE0, 0x0010), .OB, .fragments(EncapsulatedValue(basicOffsetTable: [], origin: 0, fragments: []))),
        ])
        #expect(
            json(dataSet)
                == ##"{"00081115":{"vr":"SQ","Value":[{"00880200":{"vr":"SQ","Value":[{},{"7FE00010":{"vr":"OW","BulkDataURI":"http://h/i/bulkdata/00081115/1/00880200/2/7FE00010"}}]}}]},"00420011":{"vr":"OB","BulkDataURI":"cid:\"1\""},"7FE00010":{"vr":"OB","BulkDataURI":"http://h/i/bulkdata/7FE00010"}}"##
        )
        #expect(json(icon, base: "\0") == "{\"7FE00010\":{\"vr\":\"OW\",\"BulkDataURI\":\"\0/bulkdata/7FE00010\"}}")
        #expect(json(icon, base: nil) == #"{"7FE00010":{"vr":"OW"}}"#)
    }

    @Test func `refers to values above the thresholds`() {
        let reference = #""BulkDataURI":"b/bulkdata/00091001""#
        for (vr, count) in [(VR.OB, 4096), (.UN, 4096), (.LT, 16384), (.UT, 16384), (.US, 8192), (.FD, 32768)] {
            #expect(!object(vr, Array(repeating: 0x31, count: count)).contains(reference))
            #expect(object(vr, Array(repeating: 0x31, count: count + vr.numberWidth + 1)).contains(reference))
            #expect(!object(vr, Array(repeating: 0x31, count: count + 8), base: nil).contains(reference))
        }
        #expect(object(.DS, Array(repeating: 0x5C, count: 20000)).contains(reference))
        #expect(!object(.LO, Array(repeating: 0x41, count: 20000)).contains(reference))
        let pixels = DataSet([
            DataElement(Tag(0x7FE0, 0x0010), .OW, .bytes([1, 2])), DataElement(Tag(0x7FE0, 0x0009), .OD, .empty),
        ])
        #expect(
            json(pixels, base: "b")
                == #"{"7FE00009":{"vr":"OD"},"7FE00010":{"vr":"OW","BulkDataURI":"b/bulkdata/7FE00010"}}"#)
        #expect(json(pixels, base: nil).contains(#""InlineBinary":"AQI=""#))
    }

    @Test func `appends to what is there`() {
        var writer = DICOMJSONWriter(bulkData: .inlineEverything)
        var output = Array("[".utf8)
        writer.write(DataSet(), into: &output)
        #expect(output == Array("[{}".utf8))
    }
}
