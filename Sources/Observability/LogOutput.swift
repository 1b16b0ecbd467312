import Glibc
import Synchronization

/// Where finished log lines go.
package struct LogOutput: Sendable {
    private let take: @Sendable ([UInt8]) -> Void

    /// Gives each line, with its line feed, to the closure.
    package init(_ take: @escaping @Sendable ([UInt8]) -> Void) {
        self.take = take
    }

    /// A line is written whole, by one call unless the descriptor takes less.
    package func write(_ line: [UInt8]) { take(line) }

    /// The process's standard error.
    package static let standardError = LogOutput { line in
        standardErrorLock.withLock { _ in
            line.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = Glibc.write(
                        STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0 {
                        // Nobody can be told that the log cannot be written.
                        guard errno == EINTR else { return }
                    } else {
                        rest = rest.dropFirst(count)
                    }
                }
            }
        }
    }

    /// Keeps lines of several threads apart.
    private static let standardErrorLock = Mutex(())
}

/// A moment in UTC as RFC 3339 has it, with milliseconds.
package struct LogTime: Sendable, Hashable {
    package var secondsSince1970: Int
    package var milliseconds: Int

    package init(secondsSince1970: Int, milliseconds: Int) {
        self.secondsSince1970 = secondsSince1970
        self.milliseconds = milliseconds
    }

    /// The system's clock.
    package static var now: LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(secondsSince1970: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// Appends `2026-11-21T11:32:05.042Z`. Without the C library's calendar: that takes a lock and reads the zone.
    package func write(into bytes: inout [UInt8]) {
        let days = Int((Double(secondsSince1970) / 86_400).rounded(.down))
        let second = secondsSince1970 - days * 86_400
        // Days since 1 March of the year 0, in eras of 400 years: leap days then fall at the end of a year.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

        func digits(_ value: Int, _ width: Int) {
            var divisor = width == 4 ? 1_000 : width == 3 ? 100 : 10
            while divisor > 0 {
                bytes.append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
                divisor /= 10
            }
        }
        digits(year, 4)
        bytes.append(UInt8(ascii: "-"))
        digits(month, 2)
        bytes.append(UInt8(ascii: "-"))
        digits(day, 2)
        bytes.append(UInt8(ascii: "T"))
        digits(second / 3_600, 2)
        bytes.append(UInt8(ascii: ":"))
        digits(second / 60 % 60, 2)
        bytes.append(UInt8(ascii: ":"))
        digits(second % 60, 2)
        bytes.append(UInt8(ascii: "."))
        digits(milliseconds, 3)
        bytes.append(UInt8(ascii: "Z"))
    }
}
