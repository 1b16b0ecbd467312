package import CoreMetrics
import Synchronization

/// Keeps all metrics of the process and hands them out to swift-metrics.
///
/// Making a metric takes a lock and a look-up, so what counts per request keeps its `Counter`. Counting does not come
/// here. The number of series is bounded: past the limit a new series counts, but is not kept.
package final class MetricRegistry: Sendable {
    /// What a series is called: the metric's name and its labels in order of their names.
    struct Identity: Hashable, Sendable {
        var name: String
        var labels: [Label]
    }

    struct Label: Hashable, Sendable, Comparable {
        var name: String
        var value: String

        static func < (left: Label, right: Label) -> Bool {
            (left.name, left.value) < (right.name, right.value)
        }
    }

    enum Series: Sendable {
        case counter(CounterSeries)
        case floatingPointCounter(FloatingPointCounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)
    }

    struct State: Sendable {
        var series: [Identity: Series] = [:]
        var help: [String: String] = [:]
        var bounds: [String: [Double]] = [:]
        var refused: UInt64 = 0
    }

    /// Seconds from a millisecond to two minutes, for timers.
    package static let timeBounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
    ]
    /// Powers of four from 256 to 16 Gi, for sizes.
    package static let sizeBounds: [Double] = (4...17).map { Double(1 << (2 * $0)) }

    private let state = Mutex(State())
    private let limit: Int

    package init(seriesLimit: Int = 10_000) {
        self.limit = seriesLimit
    }

    /// Says what a metric means, and gives a histogram its upper bounds. Must come before the metric is made.
    package func describe(_ name: String, _ help: String, bounds: [Double]? = nil) {
        let name = Self.metricName(name)
        state.withLock { state in
            state.help[name] = help
            if let bounds { state.bounds[name] = bounds.sorted() }
        }
    }

    /// All that is kept now.
    func snapshot() -> State { state.withLock { $0 } }

    /// Finds the series, or makes and keeps it.
    private func series(_ name: String, _ dimensions: [(String, String)], make: (State, String) -> Series) -> Series {
        let name = Self.metricName(name)
        let labels = dimensions.map { Label(name: Self.labelName($0.0), value: $0.1) }.sorted()
        let identity = Identity(name: name, labels: labels)
        return state.withLock { state in
            if let series = state.series[identity] { return series }
            let series = make(state, name)
            if state.series.count < limit {
                state.series[identity] = series
            } else {
                state.refused &+= 1
            }
            return series
        }
    }

    private func remove(where matches: (Series) -> Bool) {
        state.withLock { state in
            guard let index = state.series.firstIndex(where: { matches($0.value) }) else { return }
            state.series.remove(at: index)
        }
    }

    /// The name with everything outside `[a-zA-Z0-9_:]` made an underscore.
    private static func metricName(_ name: String) -> String {
        let allowed = name.unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == ":")
                ? Character(scalar) : "_"
        }
        let text = String(allowed)
        return text.first?.isNumber ?? true ? "_" + text : text
    }

    private static func labelName(_ name: String) -> String {
        String(metricName(name).map { $0 == ":" ? "_" : $0 })
    }
}

extension MetricRegistry: MetricsFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let made = series(label, dimensions) { _, _ in .counter(CounterSeries()) }
        guard case .counter(let counter) = made else { return CounterSeries() }
        return counter
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let made = series(label, dimensions) { _, _ in .floatingPointCounter(FloatingPointCounterSeries()) }
        guard case .floatingPointCounter(let counter) = made else { return FloatingPointCounterSeries() }
        return counter
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        let made = series(label, dimensions) { _, _ in .gauge(GaugeSeries()) }
        guard case .gauge(let gauge) = made else { return GaugeSeries() }
        return gauge
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        let made = series(label, dimensions) { state, name in
            guard aggregate else { return .gauge(GaugeSeries()) }
            return .histogram(HistogramSeries(bounds: state.bounds[name] ?? Self.sizeBounds))
        }
        switch made {
        case .gauge(let gauge): return gauge
        case .histogram(let histogram): return histogram
        case .counter, .floatingPointCounter: return GaugeSeries()
        }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let made = series(label, dimensions) { state, name in
            .histogram(HistogramSeries(bounds: state.bounds[name] ?? Self.timeBounds))
        }
        guard case .histogram(let histogram) = made else { return HistogramSeries(bounds: Self.timeBounds) }
        return histogram
    }

    package func destroyCounter(_ handler: any CounterHandler) {
        remove { if case .counter(let counter) = $0 { counter === handler } else { false } }
    }

    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        remove { if case .floatingPointCounter(let counter) = $0 { counter === handler } else { false } }
    }

    package func destroyMeter(_ handler: any MeterHandler) {
        remove { if case .gauge(let gauge) = $0 { gauge === handler } else { false } }
    }

    package func destroyRecorder(_ handler: any RecorderHandler) {
        remove {
            switch $0 {
            case .gauge(let gauge): gauge === handler
            case .histogram(let histogram): histogram === handler
            case .counter, .floatingPointCounter: false
            }
        }
    }

    package func destroyTimer(_ handler: any TimerHandler) {
        remove { if case .histogram(let histogram) = $0 { histogram === handler } else { false } }
    }
}
