import Testing

@testable import Workflows

@Suite struct OrderedJSONTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-1", "9223372036854775807", "1.5", "-2.5e-10", #""""#, #""a\"b\\c""#, "[]", "{}",
        #"[1,[2,{"a":null}]]"#, #"{"b":1,"a":[true,"x"]}"#,
    ])
    func `what is read is written again`(text: String) throws {
        let value = try OrderedJSON(parsing: Array(text.utf8))
        #expect(try OrderedJSON(parsing: value.bytes) == value)
    }

    @Test func `escapes are read`() throws {
        let text = #""\u00e4\ud83d\ude00\n\t\/\b\f\r""#
        #expect(try OrderedJSON(parsing: Array(text.utf8)) == .string("ä😀\n\t/\u{8}\u{C}\r"))
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "01", "1.", ".5", "+1", "1e", "NaN", "1e999", "[1,]", "[1 2]", "{,}", #"{"a"}"#,
        #"{"a":1,}"#, #"{a:1}"#, "'a'", #""a"#, #""\x""#, #""\ud800""#, #""\ud800\u0041""#, #""\u12""#, "[] []",
        "\"\n\"",
        "{\"a\":1", "[",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try OrderedJSON(parsing: Array(text.utf8)) }
    }

    @Test func `a name comes once, nesting has an end, and bytes are UTF-8`() {
        func code(_ bytes: [UInt8]) -> JSONError.Code? {
            do {
                _ = try OrderedJSON(parsing: bytes)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(Array(#"{"a":1,"\u0061":2}"#.utf8)) == .duplicateName)
        #expect(code(Array(String(repeating: "[", count: 100_000).utf8)) == .tooDeep)
        #expect(code([0x22, 0xFF, 0x22]) == .notUTF8)
    }
}
