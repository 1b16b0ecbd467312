import Testing

@testable import Access

@Suite struct StrictJSONTests {
    @Test func `reads what JSON has`() {
        let text = #" {"a":[1,-2.5e1,true,false,null],"b":{"c":"x\n\"\u00e4\ud83d\ude00\/"}} "#
        #expect(
            StrictJSON(text.utf8)
                == .object([
                    "a": .array([.number(1), .number(-25), .bool(true), .bool(false), .null]),
                    "b": .object(["c": .string("x\n\"ä😀/")]),
                ]))
    }

    @Test(arguments: [
        "", "{", "}", #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, "[1,]", "{,}", #"{"a"}"#, "01x", "nul", "+1", "NaN",
        "1e999", "\"\u{01}\"", #""\x""#, #""\ud800""#, #""\ud800\u0041""#, #""\u12""#, "[1] 2", "'a'", ".5", "-",
        "0x10",
        String(repeating: "[", count: 17) + String(repeating: "]", count: 17),
    ])
    func `refuses what it has not, and what could be read in two ways`(text: String) {
        #expect(StrictJSON(text.utf8) == nil)
    }

    @Test func `bytes that are no UTF-8 are no text`() {
        #expect(StrictJSON([0x22, 0xFF, 0x22]) == nil)
    }

    @Test func `what is written is read again`() {
        var object = JSONObjectText()
        object.add("a\"b", "x\u{01}\\ä")
        object.add("n", Int64(-7))
        object.add("none", String?.none)
        object.add("l", ["1", "2"])
        #expect(
            StrictJSON(object.text.utf8)
                == .object([
                    "a\"b": .string("x\u{01}\\ä"), "n": .number(-7), "l": .array([.string("1"), .string("2")]),
                ]))
    }

    @Test func `base 64 for URLs has one text for each byte string`() {
        for length in 0..<40 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
        #expect(Base64URL.decode("AB".utf8) == nil, "bits that are left over")
        for text in ["A", "AA==", "A+", "A/", "A A", "ä"] { #expect(Base64URL.decode(text.utf8) == nil) }
    }
}
