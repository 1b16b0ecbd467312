import BlobStorage
import GantryTesting
import Logging
import NIOCore
import Synchronization
import Testing

@testable import S3Storage

/// What faults between us and the store may do (REL-08, REL-09).
@Suite(.serialized) struct S3FaultTests {
    /// A store behind a proxy that does no harm until it is told to.
    private func withProxy(
        change: (inout S3Configuration) -> Void = { _ in },
        _ body: (S3BlobStore, FaultyProxy) async throws -> Void
    ) async throws {
        let server = try await S3Server.start()
        let proxy = try await FaultyProxy.start(to: server.port)
        var configuration = try server.configuration(through: proxy.port)
        configuration.retries.firstDelay = .milliseconds(10)
        configuration.retries.longestDelay = .milliseconds(200)
        change(&configuration)
        let store = try await S3BlobStore(configuration, logger: quiet, clock: systemClock)
        do {
            try await body(store, proxy)
        } catch {
            Issue.record(error)
        }
        try await store.close()
        try await proxy.stop()
        await server.stop()
    }

    /// Stores many small blobs together, and answers how many came through with the right bytes.
    private func storeMany(_ count: Int, in store: S3BlobStore) async throws -> Int {
        var staged: [StagedBlob] = []
        for number in 0..<count {
            staged.append(try await BlobStoreContract.stage(BlobStoreContract.pattern(2000, seed: number), in: store))
        }
        var stored = 0
        for (number, result) in await store.makeDurable(staged).enumerated() {
            guard let location = try? result.get(), let bytes = try? await store.read(location) else { continue }
            if Array(bytes.readableBytesView) == BlobStoreContract.pattern(2000, seed: number) { stored += 1 }
        }
        return stored
    }

    @Test(arguments: [
        (10, FaultyProxy.Fault.answer(status: 500, code: "InternalError")),
        (10, .answer(status: 502, code: "")), (30, .answer(status: 503, code: "SlowDown")),
        (10, .cutRequest(after: 1)), (10, .cutAnswer(after: 1)), (10, .cutAnswer(after: 700)),
    ])
    func `stores and reads everything although some requests fail`(percent: Int, fault: FaultyProxy.Fault) async throws
    {
        try await withProxy { store, proxy in
            // Spread evenly, and never the same place in the series of a request's attempts.
            proxy.harm { number, _ in number * 37 % 100 < percent ? fault : .none }
            let stored = try await storeMany(300, in: store)
            // A request has four attempts, and which of them go wrong depends on what else is under way: REL-08 allows one of a
            // thousand to fail.
            #expect(stored >= 299)
            #expect(proxy.faults > 300 * percent / 100)
        }
    }

    @Test func `waits for a slow store`() async throws {
        try await withProxy { store, proxy in
            proxy.harm { _, _ in .latency(.seconds(2)) }
            let start = ContinuousClock.now
            let stored = try await storeMany(4, in: store)
            #expect(stored == 4)
            // One wait for the puts together, then one for each read.
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test func `a large blob comes through although parts break off and the end fails behind 200`() async throws {
        try await withProxy { store, proxy in
            proxy.harm { number, line in
                if line.contains("partNumber"), number % 3 == 1 { return .cutRequest(after: 1 << 20) }
                if line.hasPrefix("POST"), line.contains("uploadId"), number % 2 == 0 {
                    return .answer(status: 200, code: "InternalError")
                }
                return .none
            }
            let bytes = BlobStoreContract.pattern(16 << 20)
            let staged = try await BlobStoreContract.stage(bytes, in: store)
            let location = try #require(await store.makeDurable([staged]).first).get()
            let digest = try await store.verify(location)
            #expect(digest == staged.digest)
        }
    }

    @Test func `an upload that was completed counts although the answer said otherwise`() async throws {
        try await withProxy { store, proxy in
            let isFirst = Mutex(true)
            proxy.harm { _, line in
                guard line.hasPrefix("POST"), line.contains("uploadId") else { return .none }
                return isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst ? .failureBehind200(code: "InternalError") : .none
                }
            }
            let staged = try await BlobStoreContract.stage(BlobStoreContract.pattern(11 << 20), in: store)
            proxy.harm { _, _ in .none }
            let location = try #require(await store.makeDurable([staged]).first).get()
            let digest = try await store.verify(location)
            #expect(digest == staged.digest)
        }
    }

    @Test func `reads again what came in part, and finds what came wrong`() async throws {
        try await withProxy { store, proxy in
            let bytes = BlobStoreContract.pattern(900_000)
            let location = try await BlobStoreContract.store(bytes, in: store)
            proxy.harm { number, _ in number < 2 ? .cutAnswer(after: 200_000) : .none }
            let read = try await store.read(location)
            #expect(Array(read.readableBytesView) == bytes)
            #expect(proxy.faults == 2)
            proxy.harm { number, line in line.hasPrefix("GET") ? .changedAnswer : .none }
            await #expect(throws: BlobError(.corrupt, in: "verify")) { try await store.verify(location) }
        }
    }

    @Test func `opens at a black hole within ten seconds, fails at once then, and recovers by itself`() async throws {
        try await withProxy { store, proxy in
            let location = try await BlobStoreContract.store([1, 2, 3], in: store)
            proxy.harm { _, _ in .blackHole }
            let start = ContinuousClock.now
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        await #expect(throws: BlobError(.unavailable, in: "read")) {
                            try await store.read(location)
                        }
                    }
                }
            }
            #expect(ContinuousClock.now - start < .seconds(60))
            let refused = ContinuousClock.now
            await #expect(throws: BlobError(.unavailable, in: "read")) { try await store.read(location) }
            #expect(ContinuousClock.now - refused < .seconds(6))
            proxy.harm { _, _ in .none }
            let back = ContinuousClock.now
            while (try? await store.read(location)) == nil, ContinuousClock.now - back < .seconds(20) {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(ContinuousClock.now - back < .seconds(15))
        }
    }

    @Test func `a store that is gone is told within the patience, and found again`() async throws {
        let limits: CircuitBreaker.Limits = {
            var limits = CircuitBreaker.Limits()
            limits.patience = .milliseconds(300)
            limits.pause = .milliseconds(300)
            return limits
        }()
        try await withProxy {
            $0.breaker = limits
        } _: { store, proxy in
            let location = try await BlobStoreContract.store([1], in: store)
            proxy.harm { _, _ in .cutRequest(after: 1) }
            let start = ContinuousClock.now
            var fastest = Duration.seconds(100)
            while ContinuousClock.now - start < .seconds(3) {
                let began = ContinuousClock.now
                await #expect(throws: BlobError(.unavailable, in: "read")) { try await store.read(location) }
                fastest = min(fastest, ContinuousClock.now - began)
            }
            let before = proxy.requests
            #expect(before < 60)
            #expect(fastest < .milliseconds(50))
            proxy.harm { _, _ in .none }
            try await Task.sleep(for: .milliseconds(400))
            _ = try await store.read(location)
        }
    }

    @Test func `learns the store's clock and goes on`() async throws {
        let server = try await S3Server.start()
        let ahead: @Sendable () -> Int64 = { systemClock() + 3 * 3_600_000 }
        let store = try await S3BlobStore(server.configuration(), logger: quiet, clock: ahead)
        #expect(abs(store.client.storeTime - systemClock()) < 5000)
        let location = try await BlobStoreContract.store([1], in: store)
        #expect(location.length == 1)
        try await store.close()
        await server.stop()
    }

    @Test func `says what is wrong when it is set up wrongly`() async throws {
        let server = try await S3Server.start()
        func code(_ change: (inout S3Configuration) throws -> Void) async throws -> S3Error.Code? {
            var configuration = try server.configuration()
            configuration.retries.failures = 1
            try change(&configuration)
            do {
                let store = try await S3BlobStore(configuration, logger: quiet, clock: systemClock)
                try await store.close()
                return nil
            } catch let error as S3Error {
                #expect(!"\(error)".contains("TESTKEY"))
                return error.code
            }
        }
        #expect(try await code { $0.bucket = "no-such-bucket" } == .noSuchBucket)
        #expect(
            try await code {
                $0.credentials = .fixed(S3Credentials(accessKeyID: S3Server.accessKeyID, secretAccessKey: "wrong"))
            } == .denied)
        #expect(
            try await code {
                $0.credentials = .fixed(S3Credentials(accessKeyID: "UNKNOWNTESTKEY", secretAccessKey: "wrong"))
            } == .denied)
        #expect(try await code { $0.endpoint = try #require(S3Endpoint("http://127.0.0.1:1")) } == .unavailable)
        await server.stop()
    }
}

@Suite struct CircuitBreakerTests {
    private let start = ContinuousClock.now

    @Test func `opens after its patience, lets one through, and closes with the first answer`() {
        let breaker = CircuitBreaker(CircuitBreaker.Limits())
        for second in 0..<4 {
            #expect(!breaker.noteFailure(began: start, wasSilent: false, at: start + .seconds(second)))
            #expect(breaker.ask(at: start + .seconds(second)) == .pass)
        }
        #expect(breaker.noteFailure(began: start, wasSilent: false, at: start + .seconds(6)))
        #expect(breaker.ask(at: start + .seconds(7)) == .refuse)
        #expect(breaker.ask(at: start + .seconds(8)) == .trial)
        #expect(breaker.ask(at: start + .seconds(8)) == .refuse)
        #expect(!breaker.noteFailure(began: start, wasSilent: true, at: start + .seconds(9)))
        #expect(breaker.ask(at: start + .seconds(10)) == .refuse)
        #expect(breaker.ask(at: start + .seconds(11)) == .trial)
        #expect(breaker.noteAnswer(at: start + .seconds(12)))
        #expect(breaker.ask(at: start + .seconds(12)) == .pass)
    }

    @Test func `one long silence is enough, but not where others got answers meanwhile`() {
        let breaker = CircuitBreaker(CircuitBreaker.Limits())
        breaker.noteAnswer(at: start + .seconds(7))
        #expect(!breaker.noteFailure(began: start, wasSilent: true, at: start + .seconds(8)))
        #expect(breaker.noteFailure(began: start + .seconds(7), wasSilent: true, at: start + .seconds(15)))
    }
}
