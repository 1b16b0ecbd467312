/// A value that does not show when it is printed, logged, dumped or reflected.
package struct Redacted<Value> {
    /// The value itself, for the one place that needs it.
    package let exposed: Value

    package init(_ value: Value) {
        self.exposed = value
    }
}

extension Redacted: Sendable where Value: Sendable {}
extension Redacted: Equatable where Value: Equatable {}
extension Redacted: Hashable where Value: Hashable {}

extension Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
