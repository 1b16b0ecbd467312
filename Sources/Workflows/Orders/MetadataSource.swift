/// Where a value of an order's metadata comes from. A later one wins over those before it.
package enum MetadataSource: Int, Hashable, Sendable, CaseIterable, Comparable {
    /// Computed from other values of the header.
    case computed
    /// The DICOM header.
    case header
    /// The JSON file that came along with the instances.
    case sidecar
    /// The sender, by PATCH or when it made the order.
    case patch

    package static func < (left: MetadataSource, right: MetadataSource) -> Bool { left.rawValue < right.rawValue }

    /// As answers tell it.
    package var name: String {
        switch self {
        case .computed: "computed"
        case .header: "header"
        case .sidecar: "sidecar"
        case .patch: "patch"
        }
    }
}
