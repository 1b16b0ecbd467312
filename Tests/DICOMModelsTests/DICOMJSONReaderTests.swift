import DICOMCore
import DICOMModels
import Testing

@Suite struct DICOMJSONReaderTests {
    static let tag = Tag(0x0009, 0x1001)

    func read(_ text: String) throws(ModelError) -> DataSet {
        let dataSets = try DICOMJSONReader.dataSets(from: Array(text.utf8))
        return dataSets.first ?? DataSet()
    }

    func element(_ object: String) throws -> DataElement? { try read(#"[{"00091001":\#(object)}]"#)[Self.tag] }

    func failure(_ text: String) -> ModelError.Code? { failure(Array(text.utf8)) }

    func failure(_ bytes: [UInt8]) -> ModelError.Code? {
        do throws(ModelError) {
            _ = try DICOMJSONReader.dataSets(from: bytes)
            return nil
        } catch {
            return error.code
        }
    }

    static let values: [(String, VR, [UInt8])] = [
        (#""LO","Value":["A",null,"B"]"#, .LO, Array(#"A\\B"#.utf8)), (#""LO""#, .LO, []),
        (#""LO","Value":[]"#, .LO, []),
        (#""LO","Value":null"#, .LO, []), (#""LO","Value":[null]"#, .LO, []),
        (#""SH","Value":[12.50]"#, .SH, Array("12.50 ".utf8)),
        (#""UI","Value":["1.2.3"]"#, .UI, Array("1.2.3\0".utf8)),
        (#""UI","Value":["1.2.3\u0000"]"#, .UI, Array("1.2.3\0".utf8)),
        (#""LT","Value":["back\\slash"]"#, .LT, Array(#"back\slash"#.utf8)),
        (#""ST","Value":["\u00e9\ud83d\ude00\"\/\b\f\n\r\t"]"#, .ST, Array("é😀\"/\u{8}\u{c}\n\r\t ".utf8)),
        (#""DS","Value":[1.5,"1.50",-7,1e-3]"#, .DS, Array(#"1.5\1.50\-7\1e-3"#.utf8)),
        (#""DS","Value":[0.30000000000000004]"#, .DS, Array("0.3 ".utf8)),
        (#""DS","Value":[-1.2345678901234567e-105]"#, .DS, Array("-1.23456789e-105".utf8)),
        (#""IS","Value":[12,"7",3.0,1e3]"#, .IS, Array(#"12\7\3\1000 "#.utf8)),
        (#""US","Value":[1,"40000",2.0]"#, .US, [1, 0, 0x40, 0x9C, 2, 0]), (#""SS","Value":[-2]"#, .SS, [0xFE, 0xFF]),
        (#""UL","Value":[4294967295]"#, .UL, [255, 255, 255, 255]),
        (#""SL","Value":["-1"]"#, .SL, [255, 255, 255, 255]),
        (#""UV","Value":["18446744073709551615"]"#, .UV, Array(repeating: 255, count: 8)),
        (#""SV","Value":[-9223372036854775808]"#, .SV, [0, 0, 0, 0, 0, 0, 0, 0x80]),
        (#""FL","Value":[1.5]"#, .FL, [0, 0, 0xC0, 0x3F]), (#""FL","Value":["Infinity"]"#, .FL, [0, 0, 0x80, 0x7F]),
        (#""FD","Value":["-INF"]"#, .FD, [0, 0, 0, 0, 0, 0, 0xF0, 0xFF]),
        (#""FD","Value":["1.5"]"#, .FD, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F]),
        (#""AT","Value":["00181063","0018106a"]"#, .AT, [0x18, 0, 0x63, 0x10, 0x18, 0, 0x6A, 0x10]),
        (#""AT","Value":[1577059]"#, .AT, [0x18, 0, 0x63, 0x10]),
        (#""OB","Value":[1,255,-1]"#, .OB, [1, 255, 255, 0]), (#""OW","Value":[1,65535]"#, .OW, [1, 0, 255, 255]),
        (#""OB","InlineBinary":"AQI=""#, .OB, [1, 2]), (#""OB","InlineBinary":"AQ==""#, .OB, [1, 0]),
        (#""OB","InlineBinary":"""#, .OB, []),
        (#""US","InlineBinary":"AQI=""#, .US, [1, 2]), (#""ZZ","InlineBinary":"AQI=""#, .UN, [1, 2]),
        (
            #""PN","Value":[{"Alphabetic":"A^B","Ideographic":"C"},null,"D=E",{},{"Phonetic":"F"}]"#, .PN,
            Array(#"A^B=C\\D=E\\==F "#.utf8)
        ),
        (#""PN","Value":[{"Ideographic":null,"Other":[1],"Alphabetic":"A"}]"#, .PN, Array("A ".utf8)),
        (#""LO","DataFragment":[{"a":[true,false,null,1.5e+3]}],"Value":["x"]"#, .LO, Array("x ".utf8)),
    ]

    @Test(arguments: values)
    func `reads values as their VR encodes them`(members: String, vr: VR, bytes: [UInt8]) throws {
        let element = try element(#"{"vr":\#(members)}"#)
        #expect(element == DataElement(Self.tag, vr, .bytes(bytes[...])))
    }

    @Test func `reads a value in front of its VR`() throws {
        #expect(try element(#"{"Value":["A"],"vr":"LO"}"#) == DataElement(Self.tag, .LO, .bytes([0x41, 0x20])))
        #expect(try element(#"{"Value":[{}, {"00080100":{"Value":["B"],"vr":"SH"}}],"vr":"SQ"}"#)?.items?.count == 2)
    }

    @Test func `infers a missing VR`() throws {
        #expect(try element(#"{"InlineBinary":"AQI="}"#)?.vr == .UN)
    }

    @Test func `reads sequences, bulk data and any order of keys`() throws {
        let dataSet = try read(
            #" {"7fe00010":{"vr":"OW","BulkDataURI":"cid:1"},"00081140":{"vr":"SQ","Value":[{},null,{"00081155":{"vr":"UI","Value":["1.2"]}}]},"00081110":{"vr":"SQ"},"00020010":{"vr":"UI"},"00080000":{"vr":"UL","Value":[1]},"FFFCFFFC":{"vr":"OB"}} "#
        )
        #expect(dataSet.elements.map(\.tag.hexadecimal) == ["00081110", "00081140", "7FE00010"])
        #expect(dataSet[Tag(0x7FE0, 0x0010)]?.value == .bulk(.uri("cid:1")))
        #expect(dataSet[Tag(0x0008, 0x1140)]?.items?.map(\.count) == [0, 0, 1])
        #expect(dataSet[Tag(0x0008, 0x1110)]?.value == .items([]))
        #expect(dataSet.characterSet == .utf8)
        #expect(try DICOMJSONReader.dataSets(from: Array("[]".utf8)).isEmpty)
        #expect(try DICOMJSONReader.dataSets(from: Array("[{},{}]".utf8)).count == 2)
    }

    @Test func `names UTF-8 where it is needed and nothing else is named`() throws {
        let tag = Tag(0x0008, 0x0005)
        #expect(try read(#"{"00100010":{"vr":"PN","Value":["M"]}}"#)[tag] == nil)
        #expect(
            try read(#"{"00100010":{"vr":"PN","Value":[{"Alphabetic":"\u00fc"}]}}"#)[tag]?.bytes
                == ArraySlice("ISO_IR 192".utf8))
        #expect(try read(#"{"00081140":{"vr":"SQ","Value":[{"00081030":{"vr":"LO","Value":["ü"]}}]}}"#)[tag] != nil)
        #expect(
            try read(#"{"00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00100010":{"vr":"PN","Value":["ü"]}}"#)[tag]?
                .bytes == ArraySlice("ISO_IR 100".utf8))
    }

    static let failures: [(String, ModelError.Code)] = [
        ("", .truncated), ("[", .truncated), ("[{}", .truncated), ("[{}]x", .trailingBytes), ("{}{}", .trailingBytes),
        ("[1]", .unexpected),
        ("\u{feff}[]", .notUTF8), (#"{"00091001":{"vr":"LO"},"00091001":{"vr":"LO"}}"#, .duplicate),
        (#"{"0009100a":{"vr":"LO"},"00080018":{"vr":"UI"},"0009100A":{"vr":"LO"}}"#, .duplicate),
        (#"{"00091001":{"vr":"LO","vr":"LO"}}"#, .duplicate),
        (#"{"00091001":{"vr":"LO","Value":[],"Value":[]}}"#, .duplicate),
        (#"{"00091001":{"vr":"OB","Value":[],"InlineBinary":""}}"#, .conflictingValues),
        (#"{"PatientID":{"vr":"LO"}}"#, .invalidTag),
        (#"{"0009100":{"vr":"LO"}}"#, .invalidTag), (#"{"FFFEE000":{"vr":"UN"}}"#, .invalidTag),
        (#"{"00091001":{"vr":"ZZ","Value":["a"]}}"#, .invalidVR),
        (#"{"00091001":{"vr":5}}"#, .unexpected), (#"{"00091001":[]}"#, .unexpected),
        (#"{"00091001":{"vr":"LO","Value":"a"}}"#, .unexpected),
        (#"{"00091001":{"vr":"LO","Value":[true]}}"#, .unexpected),
        (#"{"00091001":{"vr":"LO","Value":[{}]}}"#, .unexpected),
        (#"{"00091001":{"vr":"SQ","Value":[1]}}"#, .unexpected),
        (#"{"00091001":{"vr":"LO","Value":["\ud800"]}}"#, .loneSurrogate),
        (#"{"00091001":{"vr":"LO","Value":["\udc00\ud800"]}}"#, .loneSurrogate),
        (#"{"00091001":{"vr":"LO","Value":["\ud800\u0041"]}}"#, .loneSurrogate),
        (#"{"00091001":{"vr":"LO","Value":["a\u0000b"]}}"#, .invalidValue),
        ("{\"00091001\":{\"vr\":\"LO\",\"Value\":[\"a\nb\"]}}", .malformed),
        (#"{"00091001":{"vr":"LO","Value":["\x"]}}"#, .malformed),
        (#"{"00091001":{"vr":"FD","Value":[NaN]}}"#, .unexpected),
        (#"{"00091001":{"vr":"FD","Value":[-Infinity]}}"#, .malformed),
        (#"{"00091001":{"vr":"FD","Value":[1e400]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"FL","Value":[1e39]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"FD","Value":["x"]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"FD","Value":[1,null]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"US","Value":[65536]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"US","Value":[-1]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"US","Value":[1.5]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"US","Value":[01]}}"#, .malformed),
        (#"{"00091001":{"vr":"US","Value":[1.]}}"#, .malformed),
        (#"{"00091001":{"vr":"US","Value":[+1]}}"#, .unexpected),
        (#"{"00091001":{"vr":"IS","Value":[1.5]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"AT","Value":["0018"]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"LT","Value":["a","b"]}}"#, .invalidValue),
        (#"{"00091001":{"vr":"OB","InlineBinary":"AQ"}}"#, .invalidBase64),
        (#"{"00091001":{"vr":"OB","InlineBinary":"AQ= "}}"#, .invalidBase64),
        (#"{"00091001":{"vr":"OB","InlineBinary":"AR=="}}"#, .invalidBase64),
        (#"{"00091001":{"vr":"OB","InlineBinary":"A==="}}"#, .invalidBase64),
        (#"{"00091001":{"vr":"OB","InlineBinary":"AQ=="AQI="}}"#, .malformed),
        (#"{"00091001":{"vr":"OB","InlineBinary":"A-_="}}"#, .invalidBase64),
        (#"{"00091001":{"vr":"LO","InlineBinary":"AQI="}}"#, .invalidValue),
        (#"{"00091001":{"vr":"US","InlineBinary":"AQID"}}"#, .invalidValue),
        (#"{"00091001":{"vr":"UI","BulkDataURI":"x"}}"#, .invalidValue),
        (#"{"00091001":{"vr":"OB","BulkDataURI":""}}"#, .invalidValue),
        (#"{"00091001":{"vr":"LO",}}"#, .malformed), (#"{"00091001":{"vr":"LO"},}"#, .malformed),
        (#"{'00091001':{}}"#, .malformed),
    ]

    @Test(arguments: failures)
    func `refuses what is not DICOM JSON`(text: String, code: ModelError.Code) {
        #expect(failure(text) == code)
    }

    @Test func `refuses what is not UTF-8`() {
        #expect(failure([0x7B, 0xFF, 0x7D]) == .notUTF8)
        #expect(failure([0xC0, 0x80]) == .notUTF8)
        #expect(failure([0xED, 0xA0, 0x80]) == .notUTF8)
        #expect(failure([0x7B, 0, 0x7D, 0]) != nil)
        #expect(failure([0xFE, 0xFF, 0, 0x7B]) == .notUTF8)
    }

    @Test func `bounds depth, elements, items and bytes`() {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"00081140":{"vr":"SQ","Value":["#, count: depth) + "{}"
                + String(repeating: "]}}", count: depth)
        }
        #expect(failure(nested(64)) == nil)
        #expect(failure(nested(65)) == .nestingTooDeep(limit: 64))
        #expect(failure(nested(100_000)) == .nestingTooDeep(limit: 64))
        #expect(failure(#"{"00091001":{"x":"# + String(repeating: "[", count: 100_000)) == .nestingTooDeep(limit: 208))
        var limits = ModelLimits()
        limits.items = 3
        #expect(throws: ModelError.self) {
            try DICOMJSONReader.dataSets(from: Array("[{},{},{},{}]".utf8), limits: limits)
        }
        limits.bytes = 5
        #expect(throws: ModelError(.tooLarge(limit: 5), at: 5)) {
            try DICOMJSONReader.dataSets(from: Array("[{},{}]".utf8), limits: limits)
        }
        limits = ModelLimits()
        limits.elements = 1
        #expect(throws: ModelError.self) {
            try DICOMJSONReader.dataSets(
                from: Array(#"{"00080018":{"vr":"UI"},"00080016":{"vr":"UI"}}"#.utf8), limits: limits)
        }
    }

    @Test func `every prefix of a document is refused without a trap`() {
        let text =
            #"[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"\u00fc\ud83d\ude00"}]},"00081140":{"Value":[{"00091001":{"vr":"FD","Value":[-1.5e+3,"NaN"]}}],"vr":"SQ"},"7FE00010":{"vr":"OB","InlineBinary":"AQI="}}]"#
        let bytes = Array(text.utf8)
        #expect(failure(bytes) == nil)
        for length in bytes.indices { #expect(failure(Array(bytes[..<length])) != nil) }
        for index in bytes.indices {
            for byte in [0x00, 0x22, 0x5C, 0x7B, 0x7D, 0x80, 0xFF] as [UInt8] {
                var changed = bytes
                changed[index] = byte
                _ = failure(changed)
            }
        }
    }

    @Test(arguments: [
        #"{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Jürg","Ideographic":"山田^太郎"}]}}"#,
        #"{"00081090":{"vr":"LO"},"00081140":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["1.2"]}},{}]},"00082112":{"vr":"SQ"}}"#,
        #"{"00181020":{"vr":"LO","Value":["A",null,"B"]},"00189073":{"vr":"FD","Value":[0.1,1e+300,-0.0]},"00280009":{"vr":"AT","Value":["00181063"]}}"#,
        #"{"00090010":{"vr":"LO","Value":["SUITE"]},"00091001":{"vr":"OB","InlineBinary":"AQIDBA=="},"00204000":{"vr":"LT","Value":["back\\slash\r\n"]}}"#,
        #"{"00091002":{"vr":"UV","Value":[5,"18446744073709551615"]},"00091003":{"vr":"SV","Value":["-9223372036854775808"]}}"#,
        #"{"00180050":{"vr":"DS","Value":["1.50",2,-0.5,"+2"]},"00200013":{"vr":"IS","Value":[7,"07"]},"7FE00010":{"vr":"OW","BulkDataURI":"cid:a"}}"#,
    ])
    func `round trips`(text: String) throws {
        var writer = DICOMJSONWriter(bulkData: .inlineEverything)
        var output: [UInt8] = []
        writer.write(try read(text), into: &output)
        #expect(String(decoding: output, as: UTF8.self) == text)
    }
}
