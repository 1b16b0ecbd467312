package import DICOMCore

/// One study's journey from the first byte to the report.
package struct Order: Hashable, Sendable {
    /// Why an order failed.
    package enum Failure: String, Hashable, Sendable, CaseIterable {
        /// Required metadata did not come in time.
        case metadataMissing = "metadata-missing"
        /// The instances it waits for did not come.
        case abandoned = "abandoned"
    }

    /// When what happened, in milliseconds since 1970.
    package struct Times: Hashable, Sendable {
        package var created: Int64
        package var firstInstance: Int64?
        package var lastInstance: Int64?
        package var complete: Int64?
        package var processing: Int64?
        /// When it was completed, failed or cancelled.
        package var ended: Int64?
    }

    package let id: OrderID
    package let owner: OrderOwner
    /// `nil` until an instance arrives, unless it was told.
    package var study: UID?
    /// The how-manieth order of the study this is; 0 while the study is not known.
    package var revision = 0
    package internal(set) var state: OrderState = .created
    package internal(set) var failure: Failure?
    /// Keywords of the required attributes that have no value yet.
    package var missing: [String]
    /// How many instances the sender said there are.
    package var expectedInstances: Int?
    /// Instances that arrived, each counted once.
    package var instances = 0
    /// How often an instance came again with other content.
    package var replacements = 0
    package internal(set) var times: Times
    /// When it fails without the required metadata; `nil` before the first instance.
    package internal(set) var metadataDeadline: Int64?
    /// Whether it was told that it is about to fail.
    package internal(set) var isWarned = false
    /// Whether the order is a study's own, made because an instance came without one.
    package var isImplicit = false

    package init(id: OrderID, owner: OrderOwner, missing: [String], time: Int64) {
        self.id = id
        self.owner = owner
        self.missing = missing
        times = Times(created: time)
    }
}
