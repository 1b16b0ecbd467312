package import Metrics
import Synchronization

/// The route of a request as a metric label and in the log: a closed set, never a path (security.md SEC-56).
package enum RouteName: String, CaseIterable, Sendable {
    case unknown
    case store, search
    case retrieve, metadata, frames, bulkData = "bulkdata", pixelData = "pixeldata", rendered, thumbnail
    case delete
    case capabilities
    case wadoURI = "wado-uri"
    case newOrder = "new-order", addMetadata = "add-metadata", orderMetadata = "order-metadata"
    case orderStatus = "order-status", listOrders = "list-orders", cancelOrder = "cancel-order"
    case results, orderTimeline = "order-timeline", orderReceipt = "order-receipt"
    case uploadIssue = "upload-issue", uploadMultipart = "upload-multipart", upload
    case uploadEvents = "upload-events", uploadNotifications = "upload-notifications"
    case health, metrics, changes, page
    case token, discovery, admin
    case events, query
}

/// Counters and times of requests, by route and class of status.
package final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        var route: RouteName
        var statusClass: Int
    }

    private struct Series {
        var count: Counter
        var time: Metrics.Timer
    }

    private let series = Mutex<[Key: Series]>([:])
    private let factory: any MetricsFactory

    package init(factory: any MetricsFactory) { self.factory = factory }

    /// Counts one answered request.
    func record(route: RouteName, status: Int, duration: Duration) {
        let key = Key(route: route, statusClass: status / 100)
        let found = series.withLock { series in
            if let found = series[key] { return found }
            let dimensions = [("route", route.rawValue), ("status", "\(key.statusClass)xx")]
            let made = Series(
                count: Counter(label: "gantry_requests_total", dimensions: dimensions, factory: factory),
                time: Metrics.Timer(label: "gantry_request_seconds", dimensions: dimensions, factory: factory))
            series[key] = made
            return made
        }
        found.count.increment()
        found.time.recordNanoseconds(Int64(duration.milliseconds * 1_000_000))
    }
}
