/// The text format in which Prometheus reads metrics, version 0.0.4.
package struct PrometheusText: Sendable {
    /// The media type to answer with.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var text = ""

    /// All series of the registry, by name and labels.
    package static func render(_ registry: MetricRegistry) -> String {
        var writer = PrometheusText()
        let state = registry.snapshot()
        let names = Dictionary(grouping: state.series, by: \.key.name)
        for (name, series) in names.sorted(by: { $0.key < $1.key }) {
            let ordered = series.sorted { left, right in
                left.key.labels.lexicographicallyPrecedes(right.key.labels)
            }
            guard let kind = ordered.first?.value else { continue }
            if let help = state.help[name] { writer.text += "# HELP \(name) \(escapedHelp(help))\n" }
            writer.text += "# TYPE \(name) \(typeName(kind))\n"
            for (identity, one) in ordered { writer.write(name, identity.labels, one) }
        }
        writer.text += "# TYPE gantry_metrics_refused_total counter\n"
        writer.text += "gantry_metrics_refused_total \(state.refused)\n"
        return writer.text
    }

    private mutating func write(_ name: String, _ labels: [MetricRegistry.Label], _ series: MetricRegistry.Series) {
        switch series {
        case .counter(let counter): sample(name, labels, "\(counter.value)")
        case .floatingPointCounter(let counter): sample(name, labels, Self.number(counter.value))
        case .gauge(let gauge): sample(name, labels, Self.number(gauge.value))
        case .histogram(let histogram):
            let counts = histogram.counts
            var running: UInt64 = 0
            for (index, bucket) in counts.buckets.enumerated() {
                running &+= bucket
                let bound = index < histogram.bounds.count ? Self.number(histogram.bounds[index]) : "+Inf"
                sample(name + "_bucket", labels + [MetricRegistry.Label(name: "le", value: bound)], "\(running)")
            }
            sample(name + "_sum", labels, Self.number(counts.sum))
            sample(name + "_count", labels, "\(counts.count)")
        }
    }

    private mutating func sample(_ name: String, _ labels: [MetricRegistry.Label], _ value: String) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    private static func typeName(_ series: MetricRegistry.Series) -> String {
        switch series {
        case .counter, .floatingPointCounter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }

    /// Whole numbers without a fraction, others in the shortest form that reads back the same.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n", "\r\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result
    }

    private static func escapedHelp(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\\\"
            case "\n", "\r\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result
    }
}
