import CoreMetrics
import Synchronization

/// A counter of Prometheus: only grows. Counting is one atomic addition.
final class CounterSeries: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }
    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }
}

/// A counter of fractions, as of seconds.
final class FloatingPointCounterSeries: FloatingPointCounterHandler, Sendable {
    private let number = AtomicNumber()

    var value: Double { number.value }
    func increment(by amount: Double) { number.add(amount) }
    func reset() { number.set(0) }
}

/// A value that goes up and down.
final class GaugeSeries: MeterHandler, RecorderHandler, Sendable {
    private let number = AtomicNumber()

    var value: Double { number.value }
    func set(_ value: Int64) { number.set(Double(value)) }
    func set(_ value: Double) { number.set(value) }
    func increment(by amount: Double) { number.add(amount) }
    func decrement(by amount: Double) { number.add(-amount) }
    func record(_ value: Int64) { number.set(Double(value)) }
    func record(_ value: Double) { number.set(value) }
}

/// Counts of values by size. Recording takes a lock for a few instructions.
final class HistogramSeries: RecorderHandler, TimerHandler, Sendable {
    struct Counts: Sendable {
        /// How many values were at most the bound of the same index and above the one before; the last has no bound.
        var buckets: [UInt64]
        var count: UInt64 = 0
        var sum: Double = 0
    }

    /// Upper bounds, ascending.
    let bounds: [Double]
    private let state: Mutex<Counts>

    init(bounds: [Double]) {
        self.bounds = bounds
        self.state = Mutex(Counts(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    var counts: Counts { state.withLock { $0 } }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Double) {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        state.withLock { state in
            state.buckets[low] &+= 1
            state.count &+= 1
            state.sum += value
        }
    }
}

/// A floating-point number that several threads change.
private struct AtomicNumber: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: seen) + amount).bitPattern
            let (exchanged, original) = bits.weakCompareExchange(
                expected: seen, desired: sum, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }
}
