package import DICOMCore

/// The UIDs that say which instance this is, where it belongs, and what kind it is (PS3.3 C.7, C.12.1).
package struct InstanceIdentity: Hashable, Codable, Sendable {
    package var study: UID
    package var series: UID
    package var instance: UID
    package var sopClass: UID

    package init(study: UID, series: UID, instance: UID, sopClass: UID) {
        self.study = study
        self.series = series
        self.instance = instance
        self.sopClass = sopClass
    }
}
