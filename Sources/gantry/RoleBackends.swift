import BlobStorage
import CoreWire
import GantryServer
import Logging

/// Turns the configuration of a role into what the role works on.
struct RoleBackends {
    let parts: RoleParts
    /// Closes what the parts use and do not own.
    let close: @Sendable () async throws -> Void

    /// Opens what the role needs. What is missing was told when the configuration was read.
    static func open(_ configuration: GantryConfiguration, logger: Logger) async throws -> RoleBackends {
        switch configuration.role {
        case .all: throw CommandFailure.wrongUse("the role all is made of its own backends")
        case .core:
            return RoleBackends(
                parts: .core(
                    database: try Backends.openDatabase(configuration, logger),
                    blobs: try await Backends.openBucket(configuration, logger)), close: {})
        case .stow:
            guard let sink = configuration.core.sink, let blobs = try await Backends.openBucket(configuration, logger)
            else {
                throw CommandFailure.wrongUse(
                    "the role stow needs core.sink (K_SINK) and objects.s3.bucket (BUCKET_NAME)")
            }
            let connection = CoreConnection.open(base: sink, timeout: configuration.core.timeout)
            let stage = CoreCommit(sink: connection, identity: CoreCommit.Identity(configuration))
            return RoleBackends(
                parts: .stow(blobs: blobs, stage: stage, check: { try await connection.checkHealth() }),
                close: { try await connection.close() })
        case .wado:
            guard let query = configuration.core.query, let blobs = try await Backends.openBucket(configuration, logger)
            else {
                throw CommandFailure.wrongUse(
                    "the role wado needs core.query (QUERY_ENDPOINT) and objects.s3.bucket (BUCKET_NAME)")
            }
            let connection = CoreConnection.open(base: query, timeout: configuration.core.timeout)
            let index = RemoteArchive(core: connection, provider: configuration.provider, blobs: blobs)
            return RoleBackends(
                parts: .wado(
                    blobs: blobs, index: index, check: { try await index.check() },
                    audit: { try await index.append($0) }),
                close: { try await connection.close() })
        }
    }
}

extension CoreCommit.Identity {
    /// What events of this process say of it.
    init(_ configuration: GantryConfiguration) {
        self.init(
            source: configuration.core.eventSource ?? "stow.imaging-ingestion.svc.cluster.local",
            provider: configuration.provider, bucketName: configuration.s3.bucket,
            wadoInternalEndpoint: configuration.wado.internalEndpoint,
            wadoExternalEndpoint: configuration.wado.externalEndpoint ?? configuration.wado.internalEndpoint)
    }
}
