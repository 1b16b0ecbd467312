import Access
import BlobStorage
import GantryTesting
import Ingestion
import NIOCore
import Testing

struct UploadSweepTests {
    @Test
    func `an object that nobody told of is found`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.issue()
            try await harness.put(TestInstance().part10(), for: session)
            #expect(try await harness.sweep.sweep().found == 1)
            #expect(try await harness.current(session).state == .received)
            #expect(try await harness.sweep.sweep().found == 0)
        }
    }

    @Test
    func `a URL that nobody used expires, and what still comes is taken`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.issue()
            #expect(try await harness.sweep.sweep().expired == 0)
            harness.clock.advance(by: harness.configuration.lifetime + 1)
            #expect(try await harness.sweep.sweep().expired == 1)
            #expect(try await harness.current(session).state == .expired)
            // It was begun in time and ended late.
            try await harness.put(TestInstance().part10(), for: session)
            #expect(try await harness.sweep.sweep().found == 1)
            try await harness.intake.ingestSome()
            #expect(try await harness.current(session).state == .stored)
        }
    }

    @Test
    func `what a crash left behind an ended row is cleared`() async throws {
        try await UploadHarness.run { harness in
            let stored = try await harness.upload(TestInstance().part10())
            let rejected = try await harness.upload([1, 2, 3])
            try await harness.landing.delete([rejected.key], from: .quarantine)
            for session in [stored, rejected] { try await harness.put([9], for: session) }
            #expect(try await harness.sweep.sweep().cleared == 2)
            #expect(try await harness.keys(in: .incoming).isEmpty)
            #expect(try await harness.keys(in: .quarantine) == [rejected.key])
        }
    }

    @Test
    func `an object without an upload is left for two days, and then deleted`() async throws {
        try await UploadHarness.run { harness in
            let writer = try harness.landing.receive(
                UploadSignature(.object(UploadKey(milliseconds: 0)), UploadConstraints(expiresAt: 0)))
            try await writer.write(ByteBuffer(bytes: [1]))
            _ = try await writer.finish()
            #expect(try await harness.sweep.sweep() == UploadSweep.Report())
            #expect(try await harness.keys(in: .incoming).count == 1)
            harness.clock.advance(by: 100_000_000_000)
            #expect(try await harness.sweep.sweep().deleted == 1)
            #expect(try await harness.keys(in: .incoming).isEmpty)
        }
    }

    @Test
    func `parts of an upload that expired are deleted`() async throws {
        try await UploadHarness.run { harness in
            let key = UploadKey(milliseconds: harness.clock.now)
            let upload = try await harness.landing.beginMultipart(key, contentType: nil)
            let session = UploadSession(
                key: key, owner: UploadSession.Owner(client: nil, credentialID: nil, organization: nil),
                announcement: .init(contentLength: 5), parts: .init(id: upload.id, size: 16 << 20), requestID: "r",
                remoteAddress: nil, issuedAt: harness.clock.now, expiresAt: harness.clock.now + 1000)
            try await harness.table.issue(session)
            harness.clock.advance(by: 1001)
            #expect(try await harness.sweep.sweep().expired == 1)
            #expect(try await harness.landing.multipartUploads(begunBefore: .max).isEmpty)
        }
    }

    @Test
    func `what ended long ago is forgotten`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.upload(TestInstance().part10())
            harness.clock.advance(by: harness.configuration.history + 1)
            try await harness.sweep.sweep()
            #expect(try await harness.table.session(session.key) == nil)
        }
    }

    @Test
    func `a forged notification does nothing, an honest one does its work once`() async throws {
        try await UploadHarness.run { harness in
            let session = try await harness.issue()
            let notifications = UploadNotifications(
                table: harness.table, landing: harness.landing, signal: UploadSignal()
            ) { [clock = harness.clock] in clock.now }
            func message(_ key: String, event: String = "ObjectCreated:Put") -> [UInt8] {
                Array(
                    #"{"Records":[{"eventName":"\#(event)","s3":{"bucket":{"name":"b"},"object":{"key":"\#(key)","size":5}}}]}"#
                        .utf8)
            }
            let key = session.key.description
            // There is no object yet; there is no such upload; nothing was created; a key is none.
            #expect(try await notifications.receive(message(key)) == 0)
            #expect(try await notifications.receive(message(UploadKey(milliseconds: 0).description)) == 0)
            try await harness.put(TestInstance().part10(), for: session)
            #expect(try await notifications.receive(message(key, event: "ObjectRemoved:Delete")) == 0)
            #expect(try await notifications.receive(message("../../" + key)) == 0)
            #expect(try await harness.current(session).state == .issued)
            for broken in ["", "{", "[]", #"{"Records":[{}]}"#, #"{"Message":"{"}"#, #"{"Records":5}"#] {
                await #expect(throws: UploadNotifications.Malformed.self) {
                    try await notifications.receive(Array(broken.utf8))
                }
            }
            #expect(try await notifications.receive(Array(#"{"Event":"s3:TestEvent"}"#.utf8)) == 0)
            // As S3 codes the key, and wrapped by SNS.
            let inner = String(decoding: message(key.split(separator: "/").joined(separator: "%2F")), as: UTF8.self)
            let escaped = inner.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
            #expect(
                try await notifications.receive(Array(#"{"Type":"Notification","Message":"\#(escaped)"}"#.utf8)) == 1)
            #expect(try await notifications.receive(message(key, event: "s3:ObjectCreated:Put")) == 0)
            #expect(try await harness.current(session).state == .received)
        }
    }

    @Test
    func `uploads are seen by their owner, the organization's administrators, and those who may do everything`() {
        let owner = UploadSession.Owner(client: "a", credentialID: nil, organization: "clinic")
        func principal(
            _ client: String?, _ organization: String?, roles: Set<String> = [], scopes: Set<Scope> = [.upload]
        )
            -> Principal
        {
            Principal(client: client, credentialID: nil, organization: organization, scopes: scopes, roles: roles)
        }
        #expect(owner.isVisible(to: principal("a", "clinic")))
        #expect(!owner.isVisible(to: principal("b", "clinic")))
        #expect(owner.isVisible(to: principal("b", "clinic", roles: ["org-admin"])))
        #expect(!owner.isVisible(to: principal("b", "other", roles: ["org-admin"])))
        #expect(!owner.isVisible(to: principal("b", nil, roles: ["org-admin"])))
        #expect(owner.isVisible(to: principal("b", "other", scopes: [.admin])))
        #expect(!owner.isVisible(to: .anonymous))
        let nobody = UploadSession.Owner(client: nil, credentialID: nil, organization: nil)
        #expect(nobody.isVisible(to: .anonymous))
        #expect(!nobody.isVisible(to: principal("a", nil)))
    }

    @Test(arguments: UploadSession.State.allCases)
    func `every state but the first is reached from another, and only late objects leave an end`(
        state: UploadSession.State
    ) {
        #expect(state.predecessors.isEmpty == (state == .issued))
        let ends = state.predecessors.filter(\.isEnded)
        #expect(ends == (state == .received ? [.expired] : []))
    }
}
