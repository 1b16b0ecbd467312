import Synchronization

/// Shows on standard error how far long work is: a bar on a terminal, a line now and then elsewhere.
final class ProgressDisplay: Sendable {
    private struct State {
        var bytes = 0
        var items = 0
        var lastShown: ContinuousClock.Instant?
        var isBarVisible = false
    }

    private let total: (bytes: Int, items: Int)?
    private let noun: String
    private let isInteractive: Bool
    private let isSilent: Bool
    private let start: ContinuousClock.Instant
    private let state = Mutex(State())

    /// - Parameter total: `nil` when nobody knows how much there is.
    init(total: (bytes: Int, items: Int)?, noun: String, isSilent: Bool = false) {
        self.total = total
        self.noun = noun
        self.isSilent = isSilent
        isInteractive = Terminal.isErrorInteractive
        start = .now
    }

    var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

    func add(bytes: Int = 0, items: Int = 0) {
        state.withLock { state in
            state.bytes += bytes
            state.items += items
            let now = ContinuousClock.now
            let pause: Duration = isInteractive ? .milliseconds(100) : .seconds(10)
            guard !isSilent, now - (state.lastShown ?? start) >= pause else { return }
            state.lastShown = now
            show(&state)
        }
    }

    /// Writes a line without damage to the bar.
    func note(_ line: String) {
        state.withLock { state in
            clear(&state)
            Terminal.writeError(Terminal.printable(line) + "\n")
        }
    }

    /// Takes the bar away.
    func finish() {
        state.withLock { clear(&$0) }
    }

    private func clear(_ state: inout State) {
        guard state.isBarVisible else { return }
        Terminal.writeError("\r\u{1B}[K")
        state.isBarVisible = false
    }

    private func show(_ state: inout State) {
        let rate = Double(max(state.bytes, 0)) / max(seconds, 0.001)
        var text = "\(state.items)"
        if let total { text += "/\(total.items)" }
        text += " \(noun)  \(Self.size(Int(rate)))/s"
        guard let total, total.bytes > 0 else {
            Terminal.writeError(isInteractive ? "\r\u{1B}[K\(text)" : text + "\n")
            state.isBarVisible = isInteractive
            return
        }
        let share = min(1, Double(max(state.bytes, 0)) / Double(total.bytes))
        if rate > 0, share < 1 { text += "  \(Self.time(Double(total.bytes - state.bytes) / rate)) left" }
        let percent = "\(Int(share * 100)) %"
        guard isInteractive else {
            Terminal.writeError("\(percent)  \(text)\n")
            return
        }
        let width = max(10, min(40, Terminal.width - text.count - 12))
        let filled = Int(share * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        Terminal.writeError("\r\u{1B}[K\(bar) \(percent)  \(text)")
        state.isBarVisible = true
    }

    /// `34.5 MB`
    static func size(_ bytes: Int) -> String {
        let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)]
        guard let unit = units.first(where: { Double(bytes) >= $0.1 }) else { return "\(bytes) B" }
        let tenths = Int((Double(bytes) / unit.1 * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit.0)"
    }

    /// `1:05` or `2:00:00`
    static func time(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 359_999).rounded(.up))
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes) = (whole / 3_600, whole / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
    }
}
