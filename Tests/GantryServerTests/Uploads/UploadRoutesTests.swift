import Access
import Audit
import BlobStorage
import Crypto
import FoundationEssentials
import GantryTesting
import HTTPTypes
import Ingestion
import SQLStorage
import Testing

@testable import GantryServer

struct UploadRoutesTests {
    private static let instance = TestInstance().part10()

    @Test(arguments: ["/upload", "/upload/"])
    func `a sender asks for a URL, puts an instance, and sees it stored`(path: String) async throws {
        try await ServerHarness.run { server in
            let answer = try await server.send(.get, path)
            let issued = try JSONDecoder().decode(ServerHarness.Issued.self, from: Data(answer.bytes))
            #expect(issued.method == "PUT" && issued.order_id == nil)
            #expect(issued.url.contains("/uploads/" + issued.key + "?"))
            #expect(try await server.state(issued.key).state == "issued")
            let put = try await server.put(Self.instance, to: issued.target)
            #expect(put.status == 200 && put.headers[.eTag] != nil)
            let received = try await server.state(issued.key)
            #expect(received.state == "received" && received.bytes == Self.instance.count)
            try await server.ingest()
            let stored = try await server.state(issued.key + "/")
            #expect(stored.state == "stored" && stored.instances == 1 && stored.study_uids == ["2.25.10001"])
            #expect(Set(stored.times.keys) == ["issued", "expires", "received", "ended"])
            let found = try await server.send(.get, "studies?StudyInstanceUID=2.25.10001")
            #expect(found.status == 200)
        }
    }

    @Test
    func `what is announced is signed, told again, and checked`() async throws {
        try await ServerHarness.run { server in
            let digest = SHA256.hash(data: Self.instance).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
            let query =
                "?filename=a%20b.dcm&content_type=application/dicom&content_length=\(Self.instance.count)&sha256=\(digest)&expires=60"
            let issued = try await server.issue(query)
            #expect(
                issued.headers == ["Content-Type": "application/dicom", "Content-Length": "\(Self.instance.count)"])
            #expect(try await server.state(issued.key).filename == "a b.dcm")

            var other = Self.instance
            other[other.count - 1] ^= 1
            let refusals: [(ServerHarness.Answer, Int, String)] = [
                (try await server.put(other, to: issued.target), 400, "checksum-mismatch"),
                (try await server.put(Self.instance + [0], to: issued.target), 413, "too-large"),
                (try await server.put(Array(Self.instance.dropLast()), to: issued.target), 400, "invalid-body"),
                (
                    try await server.put(Self.instance, to: issued.target, type: "application/zip"), 415,
                    "unsupported-media-type"
                ),
                (try await server.put(Self.instance, to: issued.target, type: nil), 415, "unsupported-media-type"),
                (
                    try await server.put(Self.instance, to: issued.target, fields: [.contentEncoding: "gzip"]), 415,
                    "unsupported-media-type"
                ),
            ]
            for (answer, status, kind) in refusals {
                #expect(answer.status == status, "\(answer.body)")
                #expect(answer.problem?.type == "urn:gantry:problem:\(kind)", "\(answer.body)")
                #expect(try await server.landed() == 0)
            }
            #expect(try await server.put(Self.instance, to: issued.target).status == 200)
        }
    }

    @Test
    func `a PUT without a length is 411`() async throws {
        try await ServerHarness.run { server in
            let issued = try await server.issue()
            let answer = try await server.send(.put, issued.target, [.contentType: "application/dicom"])
            #expect(answer.status == 411)
        }
    }

    @Test
    func `an altered URL is refused with one and the same text`() async throws {
        try await ServerHarness.run { server in
            let issued = try await server.issue("?content_length=\(Self.instance.count)")
            let halves = issued.target.split(separator: "?").map(String.init)
            let (path, query) = (halves[0], halves[1])
            let last = path.hasSuffix("0") ? "1" : "0"
            var texts: Set<String> = []
            for target in [
                path.dropLast() + last + "?" + query, path + "?" + query + "&x=1", path + "?" + query + "0",
                path, path + "?signature=", path + "?" + query.split(separator: "&").dropFirst().joined(separator: "&"),
                path + "?"
                    + query.split(separator: "&").map { $0.hasPrefix("expires=") ? $0 + "0" : $0 }.joined(
                        separator: "&"),
                path + "?"
                    + query.split(separator: "&").map { $0.hasPrefix("length=") ? $0 + "0" : $0 }.joined(
                        separator: "&"),
                path + "?%zz=1&" + query, "/uploads/incoming/../../etc/passwd?" + query,
                "/uploads/" + UploadKey(milliseconds: 0).description + "?" + query,
            ] {
                let answer = try await server.put(Self.instance, to: target)
                #expect(answer.status == 403, "\(target)")
                texts.insert(answer.problem?.detail ?? "")
            }
            #expect(texts.count == 1)
            #expect(try await server.landed() == 0)
            // The honest one still works: none of that used it up.
            #expect(try await server.put(Self.instance, to: issued.target).status == 200)
        }
    }

    @Test(arguments: [HTTPRequest.Method.get, .head, .delete, .post, .patch])
    func `the URL allows a PUT and nothing else`(method: HTTPRequest.Method) async throws {
        try await ServerHarness.run { server in
            let issued = try await server.issue()
            #expect(try await server.put(Self.instance, to: issued.target).status == 200)
            #expect(try await server.send(method, issued.target).status == 403)
            #expect(try await server.landed() == 1)
        }
    }

    @Test
    func `a URL is good to its last moment, and not one millisecond longer`() async throws {
        let clock = ManualClock(1_800_000_000_000)
        try await ServerHarness.run(uploadClock: { clock.now }) { server in
            let first = try await server.issue("?expires=60")
            let second = try await server.issue("?expires=60")
            #expect(first.expires_at == "2027-01-15T08:01:00.000Z")
            clock.advance(by: 60_000)
            #expect(try await server.put(Self.instance, to: first.target).status == 200)
            clock.advance(by: 1)
            let late = try await server.put(Self.instance, to: second.target)
            #expect(late.status == 403)
            #expect(late.problem?.detail.contains("expired") == true)
            try await server.uploads.sweep.sweep()
            #expect(try await server.state(second.key).state == "expired")
        }
    }

    @Test
    func `a second PUT is 412, while the first waits and after it was ingested`() async throws {
        try await ServerHarness.run { server in
            let issued = try await server.issue()
            #expect(try await server.put(Self.instance, to: issued.target).status == 200)
            #expect(try await server.put([1, 2, 3], to: issued.target).status == 412)
            try await server.ingest()
            #expect(try await server.put([1, 2, 3], to: issued.target).status == 412)
            #expect(try await server.landed() == 0)
            #expect(try await server.state(issued.key).state == "stored")
        }
    }

    @Test
    func `what is not DICOM is rejected with its reason`() async throws {
        try await ServerHarness.run { server in
            let issued = try await server.issue()
            #expect(try await server.put(Array("hello".utf8), to: issued.target).status == 200)
            try await server.ingest()
            let state = try await server.state(issued.key)
            #expect(state.state == "rejected" && state.failures.map(\.code) == ["not-dicom"])
        }
    }

    @Test(arguments: [
        ("?content_length=0", 400), ("?content_length=x", 400), ("?content_length=-1", 400), ("?expires=0", 400),
        ("?expires=43201", 400), ("?sha256=abc", 400), ("?content_type=text/html", 415), ("?ordre_id=1", 400),
        ("?order_id=1", 404), ("?filename=a%00b", 400), ("?filename=a&filename=b", 400), ("?filename=%zz", 400),
        ("?content_length=99999999999999", 413),
    ])
    func `a URL is not issued for what is asked wrongly`(query: String, status: Int) async throws {
        try await ServerHarness.run { server in
            let answer = try await server.send(.get, "/upload" + query)
            #expect(answer.status == status, "\(answer.body)")
            #expect(answer.problem != nil)
        }
    }

    @Test
    func `a client has no more URLs out than allowed`() async throws {
        var configuration = GantryConfiguration()
        configuration.uploads.outstanding = 20
        try await ServerHarness.run(configuration) { server in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 { group.addTask { try await server.send(.get, "/upload").status } }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 20, 429: 30])
            let refused = try await server.send(.get, "/upload")
            #expect(refused.headers[.retryAfter] == "60")
        }
    }

    @Test
    func `a client asks for no more URLs a second than allowed`() async throws {
        var configuration = GantryConfiguration()
        configuration.uploads.issueRate = 5
        let clock = ManualClock()
        try await ServerHarness.run(configuration, uploadClock: { clock.now }) { server async throws in
            for _ in 0..<5 { #expect(try await server.send(.get, "/upload").status == 200) }
            #expect(try await server.send(.get, "/upload").status == 429)
            clock.advance(by: 200)
            #expect(try await server.send(.get, "/upload").status == 200)
            #expect(try await server.send(.get, "/upload").status == 429)
        }
    }

    @Test
    func `another client's upload is not there, and neither is what never was`() async throws {
        try await ServerHarness.run { server in
            let now = Gantry.systemClock()
            let session = UploadSession(
                key: UploadKey(milliseconds: now),
                owner: UploadSession.Owner(client: "another", credentialID: nil, organization: nil),
                announcement: .init(), parts: .init(id: "0123456789abcdef0123456789abcdef", size: 16 << 20),
                requestID: "r", remoteAddress: nil, issuedAt: now, expiresAt: now + 60_000)
            try await UploadTable(database: server.database).issue(session)
            let others = try await server.send(.get, "/uploads/\(session.key)")
            let nobodys = try await server.send(.get, "/uploads/\(UploadKey(milliseconds: now))")
            #expect(others.status == 404 && nobodys.status == 404)
            #expect(others.problem?.detail == nobodys.problem?.detail)
            let aborted = try await server.post(
                "/upload/multipart/abort",
                #"{"upload_id":"0123456789abcdef0123456789abcdef","key":"\#(session.key)"}"#)
            #expect(aborted.status == 404)
            #expect(try await server.send(.get, "/uploads/not-a-key").status == 404)
        }
    }

    @Test
    func `every issue, use and refusal is on the audit trail, and no signature anywhere`() async throws {
        try await ServerHarness.run { server in
            let issued = try await server.issue("?filename=Smith%5EJohn.dcm")
            #expect(try await server.put(Self.instance, to: issued.target, type: "text/html").status == 415)
            #expect(try await server.put(Self.instance, to: issued.target).status == 200)
            #expect(try await server.put(Self.instance, to: issued.target).status == 412)
            for _ in 0..<50 {
                #expect(try await server.put(Self.instance, to: issued.target + "0").status == 403)
            }
            try await server.ingest()
            let audit = try await server.audit()
            func count(_ kind: AuditEvent.Kind) -> Int { audit.count { $0.kind == kind } }
            #expect(count(.urlIssued) == 2 && count(.instancesTransferred) == 1)
            let refusals = audit.filter { $0.kind == .requestRefused }
            #expect(refusals.count == 3)
            #expect(refusals.contains { $0.details["requests"] == "50" && $0.details["upload"] == nil })
            #expect(refusals.contains { $0.details["upload"] == issued.key })
            let signature = try #require(issued.target.split(separator: "=").last)
            let text = audit.map { String(decoding: $0.canonicalJSON, as: UTF8.self) } + server.logs.lines
            #expect(!text.contains { $0.contains(signature) || $0.contains("Smith") })
        }
    }

    @Test
    func `an upload in parts is begun, put, completed, and stored`() async throws {
        try await ServerHarness.run { server in
            var instance = TestInstance()
            (instance.rows, instance.columns) = (5000, 4000)
            let bytes = instance.part10()
            let begun = try await server.begin(size: bytes.count)
            #expect(begun.parts == 2 && begun.part_size == 16 << 20)
            let urls = try await server.urls(begun, [1, 2])
            var parts: [(Int, String)] = []
            for url in urls {
                let start = (url.part - 1) * begun.part_size
                let piece = Array(bytes[start..<min(start + begun.part_size, bytes.count)])
                let put = try await server.put(piece, to: url.target)
                #expect(put.status == 200, "\(put.body)")
                // A part may come again until the upload is complete.
                let again = try await server.put(piece, to: url.target)
                parts.append((url.part, try #require(again.headers[.eTag])))
            }
            #expect(try await server.complete(begun, [parts[1], parts[0]]).status == 400)
            #expect(try await server.complete(begun, [parts[0]]).status == 400)
            #expect(try await server.complete(begun, [parts[0], (2, "other")]).status == 400)
            #expect(try await server.complete(begun, parts).status == 200)
            #expect(try await server.complete(begun, parts).status == 200)
            #expect(try await server.put([1], to: urls[1].target, length: "1").status == 400)
            try await server.ingest()
            #expect(try await server.state(begun.key).state == "stored")
            let abort = try await server.post(
                "/upload/multipart/abort", #"{"upload_id":"\#(begun.upload_id)","key":"\#(begun.key)"}"#)
            #expect(abort.status == 409)
        }
    }

    @Test
    func `an upload in parts that is given up takes no more`() async throws {
        try await ServerHarness.run { server in
            let begun = try await server.begin(size: 20 << 20)
            let url = try #require(try await server.urls(begun, [2]).first)
            let ids = #"{"upload_id":"\#(begun.upload_id)","key":"\#(begun.key)"}"#
            #expect(try await server.post("/upload/multipart/abort", ids).status == 204)
            #expect(try await server.post("/upload/multipart/abort/", ids).status == 204)
            let put = try await server.put([UInt8](repeating: 0, count: 4 << 20), to: url.target)
            #expect(put.status == 404, "\(put.body)")
            #expect(try await server.complete(begun, [(1, "a"), (2, "b")]).status == 409)
            #expect(try await server.state(begun.key).state == "expired")
        }
    }

    @Test(arguments: [
        ("initiate", "{}"), ("initiate", #"{"size":0}"#), ("initiate", #"{"size":"5"}"#), ("initiate", "["),
        ("initiate", #"{"size":5,"content_type":"text/html"}"#), ("presigned-urls", #"{"upload_id":"a","key":"b"}"#),
        ("complete", "null"), ("abort", #"{"upload_id":7,"key":"b"}"#), ("abort", #"{"upload_id":"7","key":"b"}"#),
        ("initiate", #"{"size":999999999999999}"#), ("initiate", #"{"size":5,"order_id":"o"}"#),
    ])
    func `malformed requests about parts have a problem for an answer`(step: String, body: String) async throws {
        try await ServerHarness.run { server in
            let answer = try await server.post("/upload/multipart/" + step, body)
            #expect((400..<500).contains(answer.status))
            #expect(answer.problem != nil)
        }
    }

    @Test
    func `more than 100 parts at a time, and parts that there are not, are refused`() async throws {
        try await ServerHarness.run { server in
            let begun = try await server.begin(size: 20 << 20)
            for parts in [[], [0], [3], Array(repeating: 1, count: 101)] {
                let text = parts.map(String.init).joined(separator: ",")
                let answer = try await server.post(
                    "/upload/multipart/presigned-urls",
                    #"{"upload_id":"\#(begun.upload_id)","key":"\#(begun.key)","parts":[\#(text)]}"#)
                #expect(answer.status == 400)
            }
        }
    }

    @Test(arguments: [(1, 16 << 20, 1), (17 << 20, 16 << 20, 2), (1 << 40, 105 << 20, 9987)])
    func `parts are as large as their number demands`(total: Int, size: Int, count: Int) {
        let found = MultipartUploadRoute.partSize(of: total, .s3)
        #expect(found == size && (total + found - 1) / found == count)
    }

    @Test
    func `notifications are taken, and forged ones ignored`() async throws {
        try await ServerHarness.run { server in
            let issued = try await server.issue()
            let message =
                #"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"\#(issued.key)"}}}]}"#
            #expect(try await server.post("/upload/notifications", message).status == 204)
            #expect(try await server.state(issued.key).state == "issued")
            #expect(try await server.post("/upload/notifications/", "{").status == 400)
            #expect(try await server.send(.get, "/upload/notifications").status == 405)
        }
    }

    @Test
    func `a full disk issues no URLs`() async throws {
        let room = StorageRoom(StorageWatermarks(high: 0.5, low: 0.4)) { BlobSpace(total: 100, available: 10) }
        await room.refresh()
        try await ServerHarness.run(room: room) { server in
            let answer = try await server.send(.get, "/upload")
            #expect(answer.status == 507 && answer.headers[.retryAfter] != nil)
        }
    }

    @Test
    func `a guess among a thousand keys finds nothing`() async throws {
        try await ServerHarness.run { server in
            _ = try await server.issue()
            let now = Gantry.systemClock()
            for _ in 0..<1000 {
                let target = "/uploads/\(UploadKey(milliseconds: now))"
                #expect(try await server.send(.get, target).status == 404)
            }
        }
    }
}

extension ServerHarness {
    fileprivate struct Begun: Decodable {
        var upload_id: String
        var key: String
        var part_size: Int
        var parts: Int
    }

    fileprivate struct PartURL: Decodable {
        var part: Int
        var url: String

        var target: String {
            "/" + url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)[3]
        }
    }

    fileprivate func begin(size: Int) async throws -> Begun {
        let answer = try await post("/upload/multipart/initiate", #"{"size":\#(size),"filename":"a.dcm"}"#)
        #expect(answer.status == 200, "\(answer.body)")
        return try JSONDecoder().decode(Begun.self, from: Data(answer.bytes))
    }

    fileprivate func urls(_ begun: Begun, _ parts: [Int]) async throws -> [PartURL] {
        struct URLs: Decodable { var urls: [PartURL] }
        let text = parts.map(String.init).joined(separator: ",")
        let answer = try await post(
            "/upload/multipart/presigned-urls",
            #"{"upload_id":"\#(begun.upload_id)","key":"\#(begun.key)","parts":[\#(text)]}"#)
        #expect(answer.status == 200, "\(answer.body)")
        return try JSONDecoder().decode(URLs.self, from: Data(answer.bytes)).urls
    }

    fileprivate func complete(_ begun: Begun, _ parts: [(Int, String)]) async throws -> Answer {
        let text = parts.map { part, etag in
            #"{"part":\#(part),"etag":"\#(etag.filter { $0 != "\"" })"}"#
        }.joined(separator: ",")
        return try await post(
            "/upload/multipart/complete",
            #"{"upload_id":"\#(begun.upload_id)","key":"\#(begun.key)","parts":[\#(text)]}"#)
    }
}
