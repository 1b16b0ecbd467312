import DICOMCore

/// Ours, not the one of the testing library.
typealias Tag = DICOMCore.Tag
