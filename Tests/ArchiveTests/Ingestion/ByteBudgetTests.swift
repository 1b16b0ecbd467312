import Ingestion
import Testing

@Suite struct ByteBudgetTests {
    @Test func `gives out shares until it is short, and takes them back`() {
        let budget = ByteBudget(limit: 10 << 20)
        var held = (0..<2).compactMap { _ in budget.reserve(expectedLength: 1 << 40) }
        #expect(held.count == 2)
        #expect(budget.inUse == 8 << 20)
        #expect(budget.reserve(expectedLength: 1 << 40) == nil)
        #expect(budget.reserve(expectedLength: 100_000) != nil)
        #expect(budget.reserve(expectedLength: nil) != nil)
        held = []
        #expect(budget.inUse == 0)
    }

    @Test func `a length that is no length takes the least share`() {
        let budget = ByteBudget(limit: 1 << 20)
        let held = budget.reserve(expectedLength: -5)
        #expect(budget.inUse == 4096)
        withExtendedLifetime(held) {}
    }
}
