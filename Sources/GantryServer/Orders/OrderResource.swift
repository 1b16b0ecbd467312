import HTTPTypes
import Workflows

/// A path of the orders (uploads.md 3), with what may be done there.
enum OrderResource: Hashable, Sendable {
    case newOrder, addMetadata, metadata, status, list, cancel, results
    case timeline(OrderID)
    case receipt(OrderID)

    /// Reads a path; `nil` when it is none of these. A slash at its end changes nothing.
    init?(path: String) {
        var path = path[...]
        if path.count > 1, path.hasSuffix("/") { path.removeLast() }
        switch path {
        case "/new-order": self = .newOrder
        case "/add-metadata": self = .addMetadata
        case "/metadata": self = .metadata
        case "/status": self = .status
        case "/list-orders": self = .list
        case "/cancel-order": self = .cancel
        case "/results": self = .results
        default:
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[1] == "orders", let id = OrderID(rawValue: String(parts[2])) else {
                return nil
            }
            switch parts[3] {
            case "timeline": self = .timeline(id)
            case "receipt": self = .receipt(id)
            default: return nil
            }
        }
    }

    var methods: [HTTPRequest.Method] {
        switch self {
        case .newOrder: [.post]
        case .addMetadata, .cancel: [.patch]
        case .metadata, .status, .list, .timeline, .receipt: [.get, .head]
        case .results: [.get, .head, .put]
        }
    }

    var route: RouteName {
        switch self {
        case .newOrder: .newOrder
        case .addMetadata: .addMetadata
        case .metadata: .orderMetadata
        case .status: .orderStatus
        case .list: .listOrders
        case .cancel: .cancelOrder
        case .results: .results
        case .timeline: .orderTimeline
        case .receipt: .orderReceipt
        }
    }
}
