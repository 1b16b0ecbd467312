import FoundationEssentials
import Logging
import Observability
import Synchronization
import Testing

struct ObservabilityLogTests {
    /// Collects lines.
    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        var output: LogOutput {
            LogOutput { line in self.kept.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        }
    }

    private let noon = LogTime(secondsSince1970: 1_795_262_400, milliseconds: 7)

    @Test func `a line is one JSON object with the metadata under its keys`() throws {
        let lines = Lines()
        var logger = Logger(label: "gantry") { [noon] label in
            LineLogHandler(label: label, format: .json, output: lines.output, clock: { noon })
        }
        logger[.requestID] = "abc"
        logger.info("Stored.", metadata: .keys([.count: .stringConvertible(3), .reason: "a \"b\"\n\u{1}"]))
        logger.debug("Below the level.")
        #expect(
            lines.all == [
                #"{"time":"2026-11-21T12:00:00.007Z","level":"info","logger":"gantry","message":"Stored.","count":3,"#
                    + #""reason":"a \"b\"\n\u0001","requestID":"abc"}"# + "\n"
            ])
    }

    @Test func `metadata cannot take the place of our own fields`() {
        let lines = Lines()
        let logger = Logger(label: "gantry") { [noon] label in
            LineLogHandler(label: label, format: .json, output: lines.output, clock: { noon })
        }
        logger.warning("Real.", metadata: ["message": "forged"])
        #expect(lines.all.first?.contains(#""message":"Real.","message_":"forged""#) == true)
    }

    @Test func `a value cannot forge a line of text`() {
        let lines = Lines()
        let logger = Logger(label: "gantry") { [noon] label in
            LineLogHandler(label: label, format: .text, output: lines.output, clock: { noon })
        }
        logger.error("Failed.", metadata: .keys([.reason: "x\n2026 info Fine.\u{1B}[2J"]))
        #expect(lines.all == ["2026-11-21T12:00:00.007Z error    Failed. reason=x?2026 info Fine.?[2J\n"])
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399, "2100-02-28T23:59:59.000Z"), (-1, "1969-12-31T23:59:59.000Z"),
    ])
    func `times are written in UTC`(seconds: Int, text: String) {
        var bytes: [UInt8] = []
        LogTime(secondsSince1970: seconds, milliseconds: 0).write(into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test func `a redacted value does not show`() {
        struct Holder { let secret = Redacted("s3cret") }
        #expect("\(Redacted("s3cret"))" == "<redacted>")
        #expect(!String(reflecting: Holder()).contains("s3cret"))
        var dumped = ""
        dump(Holder(), to: &dumped)
        #expect(!dumped.contains("s3cret"))
        #expect(Redacted("s3cret").exposed == "s3cret")
    }
}
