package import DICOMCore

/// What searches and retrievals ask of the archive: its own tables (``Archive``), or another process that has them.
package protocol ArchiveReading: Sendable {
    /// The instances of a study, of a series of it, or one instance, in series and instance number order.
    func instances(study: UID, series: UID?, instance: UID?) async throws -> Lookup<StoredInstances>

    /// The metadata of a study, of a series of it, or of one instance (PS3.18 10.4.1.1.2).
    func documents(study: UID, series: UID?, instance: UID?) async throws -> Lookup<MetadataDocuments>

    /// The version of a study, of a series of it, or of one instance, for conditional requests.
    func version(study: UID, series: UID?, instance: UID?) async throws -> Lookup<ResourceVersion>

    /// The page of matches that the query asks for, of at most `maximum`, and the exact number of all matches.
    ///
    /// - Parameters:
    ///   - text: the same search as it came.
    ///   - assumed: the zone of stored dates and times whose data set names none.
    func search(
        _ query: InstanceQuery, as text: SearchText, maximum: Int, assuming assumed: TimezoneOffset
    ) async throws -> SearchResult
}

extension ArchiveReading {
    /// The instances of a study.
    package func instances(study: UID) async throws -> Lookup<StoredInstances> {
        try await instances(study: study, series: nil, instance: nil)
    }
}

extension Archive: ArchiveReading {
    package func search(
        _ query: InstanceQuery, as text: SearchText, maximum: Int, assuming assumed: TimezoneOffset
    ) async throws -> SearchResult {
        try await search(query, maximum: maximum, assuming: assumed)
    }
}

/// A search as it came, for who passes it on: path and query string of the request (PS3.18 10.6.1).
package struct SearchText: Hashable, Sendable {
    /// Below the service root, as `/studies/1.2/series`.
    package var resource: String
    /// What stands behind the question mark, still encoded.
    package var parameters: String

    package init(resource: String, parameters: String) {
        self.resource = resource
        self.parameters = parameters
    }
}
