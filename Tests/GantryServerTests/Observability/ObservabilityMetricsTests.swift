import CoreMetrics
import Metrics
import Observability
import Testing

struct ObservabilityMetricsTests {
    private let registry = MetricRegistry()

    private func text() -> [Substring] { PrometheusText.render(registry).split(separator: "\n") }

    @Test func `counters are counted per label and shown in order`() {
        registry.describe("requests_total", "Requests\nanswered.")
        let two = Counter(label: "requests_total", dimensions: [("status", "2xx")], factory: registry)
        let five = Counter(label: "requests_total", dimensions: [("status", "5\"xx\\")], factory: registry)
        two.increment(by: 3)
        five.increment()
        Counter(label: "requests_total", dimensions: [("status", "2xx")], factory: registry).increment()
        #expect(
            text().prefix(4) == [
                #"# HELP requests_total Requests\nanswered."#, "# TYPE requests_total counter",
                #"requests_total{status="2xx"} 4"#, #"requests_total{status="5\"xx\\"} 1"#,
            ])
    }

    @Test func `the order of labels does not make another series`() {
        Counter(label: "a", dimensions: [("x", "1"), ("y", "2")], factory: registry).increment()
        Counter(label: "a", dimensions: [("y", "2"), ("x", "1")], factory: registry).increment()
        #expect(text().contains(#"a{x="1",y="2"} 2"#))
    }

    @Test func `a timer fills cumulative buckets of seconds`() {
        registry.describe("wait_seconds", "Waiting.", bounds: [0.1, 1])
        let timer = Timer(label: "wait_seconds", dimensions: [], factory: registry)
        timer.recordMilliseconds(50)
        timer.recordMilliseconds(100)
        timer.recordMilliseconds(500)
        timer.recordSeconds(4)
        let lines = text()
        #expect(lines.contains(#"wait_seconds_bucket{le="0.1"} 2"#))
        #expect(lines.contains(#"wait_seconds_bucket{le="1"} 3"#))
        #expect(lines.contains(#"wait_seconds_bucket{le="+Inf"} 4"#))
        #expect(lines.contains("wait_seconds_count 4"))
        #expect(lines.contains("wait_seconds_sum 4.65"))
    }

    @Test func `gauges go up and down`() {
        let meter = Meter(label: "open", dimensions: [], factory: registry)
        meter.set(5)
        meter.increment(by: 2.5)
        meter.decrement()
        #expect(text().contains("open 6.5"))
    }

    @Test func `names get the form that Prometheus reads`() {
        Counter(label: "1st-thing.done", dimensions: [("http.method", "GET")], factory: registry).increment()
        #expect(text().contains(#"_1st_thing_done{http_method="GET"} 1"#))
    }

    @Test func `past the limit a series counts but is not kept`() {
        let registry = MetricRegistry(seriesLimit: 2)
        for index in 0..<5 {
            Counter(label: "c", dimensions: [("i", "\(index)")], factory: registry).increment()
        }
        let text = PrometheusText.render(registry)
        #expect(text.contains("gantry_metrics_refused_total 3"))
        #expect(text.split(separator: "\n").count { $0.hasPrefix("c{") } == 2)
    }

    @Test func `counting from many tasks loses nothing`() async {
        let counter = Counter(label: "many", dimensions: [], factory: registry)
        let meter = Meter(label: "level", dimensions: [], factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        meter.increment(by: 0.5)
                    }
                }
            }
        }
        #expect(text().contains("many 8000"))
        #expect(text().contains("level 4000"))
    }
}
