/// A store did not do what its contract says.
package struct ContractViolation: Error, CustomStringConvertible {
    package let description: String
}

/// Throws unless the condition holds.
func require(_ holds: Bool, _ promise: String) throws {
    guard holds else { throw ContractViolation(description: promise) }
}
