import DICOMWebClient
import Testing

struct RetryPolicyTests {
    private let policy = RetryPolicy(attempts: 5, firstDelay: .seconds(1), longestDelay: .seconds(4))

    @Test func `waits double up to the longest, spread over their upper half`() {
        #expect(policy.delay(afterAttempt: 1, requested: nil, random: 1) == .seconds(1))
        #expect(policy.delay(afterAttempt: 2, requested: nil, random: 1) == .seconds(2))
        #expect(policy.delay(afterAttempt: 3, requested: nil, random: 1) == .seconds(4))
        #expect(policy.delay(afterAttempt: 4, requested: nil, random: 1) == .seconds(4))
        #expect(policy.delay(afterAttempt: 3, requested: nil, random: 0) == .seconds(2))
    }

    @Test func `after the last attempt there is no other`() {
        #expect(policy.delay(afterAttempt: 5, requested: .seconds(1), random: 1) == nil)
        #expect(RetryPolicy.never.delay(afterAttempt: 1, requested: nil, random: 0) == nil)
    }

    @Test func `what the server asks for is kept, within reason`() {
        #expect(policy.delay(afterAttempt: 1, requested: .seconds(9), random: 0) == .milliseconds(9_250))
        #expect(policy.delay(afterAttempt: 1, requested: .seconds(86_400), random: 0) == .milliseconds(120_250))
    }
}
