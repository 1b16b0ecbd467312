/// Why the store refused.
package struct BlobError: Error, Hashable {
    /// What kind of refusal, as callers tell them apart.
    package enum Code: Hashable, Sendable {
        /// No space left. Answered with 507.
        case full
        /// Nothing is stored at the location.
        case notFound
        /// The range is not inside the blob.
        case outOfBounds
        /// The stored bytes are not those that were taken.
        case corrupt
        /// The store is closed, or the blob was finished or given up before.
        case closed
        /// The folder is in use by another process.
        case locked
        /// A file with secrets may be read by others.
        case exposed
        /// The store does not answer; later it may.
        case unavailable
        /// The store does not let us in, or is not set up for us.
        case denied
        /// A system call failed with this number.
        case io(errno: Int32)
    }

    package var code: Code
    /// What was being done, such as `fdatasync`.
    package var operation: StaticString

    package init(_ code: Code, in operation: StaticString) {
        self.code = code
        self.operation = operation
    }

    package static func == (left: BlobError, right: BlobError) -> Bool { left.code == right.code }

    package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension BlobError: CustomStringConvertible {
    package var description: String { "\(operation): \(code)" }
}
