import Archive
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// `GET /changes?after=&limit=&wait=`: every change of the archive in the order of the commits, without gaps.
///
/// The cursor is opaque. A reader that has read all may wait for the next change up to `wait` seconds.
struct ChangeFeed: Sendable {
    let archive: Archive
    private static let cursorPrefix = "c1-"
    private static let mostAtOnce = 1000

    func answer(_ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        let after = try cursor(query["after"])
        let limit = try number(query["limit"], "limit", in: 1...Self.mostAtOnce, default: 100)
        let wait = try number(query["wait"], "wait", in: 0...30, default: 0)
        let deadline = ContinuousClock.now + .seconds(wait)
        var page = try await archive.changes(after: after, limit: limit)
        while page.changes.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(200))
            page = try await archive.changes(after: after, limit: limit)
        }
        return OperationsRoutes.json(.ok, Array(json(page, after: after).utf8))
    }

    private func json(_ page: ChangePage, after: Int64) -> String {
        var text = #"{"changes":["#
        for (index, change) in page.changes.enumerated() {
            if index > 0 { text += "," }
            text += #"{"cursor":"\#(Self.cursorPrefix)\#(String(change.sequence, radix: 36))","type":"\#(change.kind)""#
            text += #","time":\#(change.time),"study":"\#(change.study)""#
            if let series = change.series { text += #","series":"\#(series)""# }
            if let instance = change.instance { text += #","instance":"\#(instance)""# }
            text += "}"
        }
        let last = page.changes.last?.sequence ?? after
        text += #"],"next":"\#(Self.cursorPrefix)\#(String(last, radix: 36))","more":\#(last < page.latest)}"#
        return text + "\n"
    }

    private func cursor(_ text: Substring?) throws -> Int64 {
        guard let text, !text.isEmpty else { return 0 }
        guard text.hasPrefix(Self.cursorPrefix),
            let sequence = Int64(text.dropFirst(Self.cursorPrefix.count), radix: 36), sequence >= 0
        else { throw Problem(.invalidQuery, "The parameter after is not a cursor of this feed.") }
        return sequence
    }

    private func number(
        _ text: Substring?, _ name: String, in range: ClosedRange<Int>, default standard: Int
    ) throws -> Int {
        guard let text else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(
                .invalidQuery, "The parameter \(name) is a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }
}
