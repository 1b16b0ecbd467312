package import Access
package import BlobStorage

/// What uploads ask of orders, and tell them.
package struct UploadOrders: Sendable {
    /// Whether an upload may name an order.
    package enum Verdict: Hashable, Sendable {
        case accepted
        /// There is none that this client may know of.
        case unknown
        /// It takes no more instances.
        case ended
    }

    /// Metadata that came along in an archive.
    package struct Sidecar: Sendable {
        /// The file's bytes: JSON, which nobody has looked at yet.
        package var json: [UInt8]
        package var upload: UploadKey
        package var orderID: String?
        /// Study Instance UIDs of the archive's instances, all of which are held by now.
        package var studies: [String]
        package var principal: Principal
    }

    /// Asked before a URL is issued.
    package var check: @Sendable (_ orderID: String, Principal) async throws -> Verdict
    /// Takes metadata on. It is called again after a crash: the same metadata twice must be as once. Answers why they cannot be used, in a sentence for the
    /// sender; `nil` when they were taken. An error has it tried again later.
    package var addMetadata: @Sendable (Sidecar) async throws -> String?

    package init(
        check: @escaping @Sendable (_ orderID: String, Principal) async throws -> Verdict,
        addMetadata: @escaping @Sendable (Sidecar) async throws -> String?
    ) {
        self.check = check
        self.addMetadata = addMetadata
    }

    /// No orders: none can be named, and metadata go nowhere.
    package static let none = UploadOrders(
        check: { _, _ in .unknown }, addMetadata: { _ in "This server keeps no metadata beside the images." })
}
