import DICOMCore

/// Testing has a `Tag` too; here it is always ours.
typealias Tag = DICOMCore.Tag
