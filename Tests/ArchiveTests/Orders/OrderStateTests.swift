import GantryTesting
import Testing

@testable import Workflows

@Suite struct OrderStateTests {
    private func order(_ state: OrderState) -> Order {
        var order = Order(id: OrderID(), owner: OrderOwner(client: nil, organization: nil), missing: [], time: 0)
        order.state = state
        return order
    }

    /// The table of uploads.md 3, and that a study that gets more instances is received again.
    private static let allowed: [(OrderState, OrderState)] = [
        (.created, .receiving), (.receiving, .complete), (.complete, .processing), (.processing, .completed),
        (.complete, .receiving),
        (.created, .failed), (.receiving, .failed), (.complete, .failed), (.processing, .failed),
        (.created, .cancelled), (.receiving, .cancelled), (.complete, .cancelled), (.processing, .cancelled),
    ]

    @Test(arguments: OrderState.allCases, OrderState.allCases)
    func `only the transitions of the table are taken`(from: OrderState, to: OrderState) throws {
        var order = order(from)
        if Self.allowed.contains(where: { $0 == (from, to) }) {
            #expect(try order.move(to: to, at: 7) == .changed(from: from, to: to))
            #expect(order.state == to)
        } else {
            #expect(throws: OrderStateError(from: from, to: to)) { try order.move(to: to, at: 7) }
            #expect(order.state == from)
        }
    }

    @Test func `ended is what nothing follows`() {
        #expect(OrderState.allCases.filter(\.isEnded) == [.completed, .failed, .cancelled])
    }

    @Test func `a random order id is a version 4 UUID`() throws {
        for _ in 0..<100 {
            let text = Array(OrderID().rawValue)
            #expect(text.count == 36 && text[14] == "4" && "89ab".contains(text[19]))
            #expect(OrderID(rawValue: String(text)) != nil)
        }
    }

    @Test(arguments: [
        "", "x", "123e4567-e89b-42d3-a456-42661417400", "123e4567e89b42d3a456426614174000",
        "123e4567-e89b-42d3-a456-42661417400g", "../../../../etc/passwd/xxxxxxxxxxxxxxx",
    ])
    func `what is no UUID is no order id`(text: String) { #expect(OrderID(rawValue: text) == nil) }

    @Test func `an order id is read in either case`() {
        #expect(
            OrderID(rawValue: "123E4567-E89B-42D3-A456-426614174000")?.rawValue
                == "123e4567-e89b-42d3-a456-426614174000")
    }
}
