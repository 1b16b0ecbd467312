/// The names of our own events, as they stand in a CloudEvent's `type`.
///
/// A name that is out is never used for another meaning; a change of meaning gets the next version number.
package struct EventType: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// An instance is stored that was not there before.
    package static let instanceStored = EventType(rawValue: "gantry.dicom.instance.stored.v1")
    /// An instance has taken the place of another version of itself.
    package static let instanceReplaced = EventType(rawValue: "gantry.dicom.instance.replaced.v1")
    /// A study, a series or an instance is deleted.
    package static let resourceDeleted = EventType(rawValue: "gantry.dicom.resource.deleted.v1")
}
