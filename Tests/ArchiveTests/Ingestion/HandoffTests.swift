import Testing

@testable import Ingestion

@Suite struct HandoffTests {
    @Test func `hands over in order, as many as are asked for, and ends when it is closed`() async {
        let handoff = Handoff<Int>(capacity: 4)
        let taken = await withTaskGroup(of: [[Int]].self) { group in
            group.addTask {
                var batches: [[Int]] = []
                while true {
                    let batch = await handoff.take(upTo: 3)
                    guard !batch.isEmpty else { return batches }
                    batches.append(batch)
                }
            }
            for number in 0..<1000 {
                await handoff.room()
                #expect(handoff.put(number))
            }
            handoff.close()
            #expect(!handoff.put(-1))
            return await group.next() ?? []
        }
        #expect(taken.flatMap { $0 } == Array(0..<1000))
        #expect(taken.allSatisfy { $0.count <= 3 })
    }

    @Test func `closing wakes those who wait for room`() async {
        let handoff = Handoff<Int>(capacity: 1)
        _ = handoff.put(1)
        async let waiting: Void = handoff.room()
        handoff.close()
        await waiting
        #expect(await handoff.take(upTo: 5) == [1])
        #expect(await handoff.take(upTo: 5).isEmpty)
    }
}
