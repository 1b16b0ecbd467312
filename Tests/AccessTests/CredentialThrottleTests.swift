import Testing

@testable import Access

@Suite struct CredentialThrottleTests {
    @Test func `ten bad tries a minute are looked at`() {
        let throttle = CredentialThrottle()
        for round in 0..<5 {
            let now = Int64(round) * 61_000
            for _ in 0..<10 { #expect(throttle.noteBad(client: "a", address: "10.0.0.1", now: now) == nil) }
        }
        #expect(throttle.noteBad(client: "a", address: "10.0.0.1", now: 4 * 61_000) == 30_000)
        #expect(throttle.wait(client: "a", address: "10.0.0.1", now: 4 * 61_000 + 1) == 29_999)
        #expect(throttle.wait(client: "b", address: "10.0.0.1", now: 4 * 61_000 + 1) == nil)
        #expect(throttle.wait(client: "a", address: "10.0.0.2", now: 4 * 61_000 + 1) == nil)
    }

    @Test func `the delay doubles, up to a quarter of an hour, and is forgotten after an hour of peace`() {
        let throttle = CredentialThrottle()
        var now: Int64 = 0
        var delays: [Int64] = []
        for _ in 0..<8 {
            var delay: Int64?
            while delay == nil { delay = throttle.noteBad(client: "a", address: "::1", now: now) }
            delays.append((delay ?? 0) / 1000)
            now += delay ?? 0
        }
        #expect(delays == [30, 60, 120, 240, 480, 900, 900, 900])
        now += 3_600_001
        var delay: Int64?
        while delay == nil { delay = throttle.noteBad(client: "a", address: "::1", now: now) }
        #expect(delay == 30_000)
    }

    @Test func `addresses of one IPv6 network count as one, those of IPv4 in IPv6 as what they are`() {
        let throttle = CredentialThrottle(limit: 1)
        _ = throttle.noteBad(client: "a", address: "fd00::1", now: 0)
        #expect(throttle.noteBad(client: "a", address: "fd00::ffff:2", now: 0) != nil)
        _ = throttle.noteBad(client: "a", address: "10.0.0.1", now: 0)
        #expect(throttle.noteBad(client: "a", address: "::ffff:10.0.0.1", now: 0) != nil)
        #expect(throttle.wait(client: "a", address: "10.0.0.2", now: 0) == nil)
    }

    @Test func `however many guess, what is remembered is bounded`() {
        var values = RecentValues<Int, Int>(limit: 100)
        for number in 0..<100_000 {
            values[number] = number
            #expect(values.count <= 100)
        }
        #expect(values[99_999] == 99_999 && values[0] == nil)
    }
}
