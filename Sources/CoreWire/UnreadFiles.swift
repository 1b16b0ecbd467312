import Archive
import BlobStorage
import DICOMCore
import NIOCore
import Synchronization

/// Files of the bucket that nobody of us has indexed: what is to be known of them is read from them, once.
final class UnreadFiles: Sendable {
    private struct Known: Sendable {
        var location: BlobLocation
        var file: DICOMFile
        var used: UInt64
    }

    private let blobs: any BlobStore
    private let known = Mutex<(files: [ObjectName: Known], clock: UInt64)>(([:], 0))

    /// Files that are remembered.
    private static let limit = 4096
    /// Files that are read at a time.
    private static let window = 8

    init(blobs: any BlobStore) { self.blobs = blobs }

    /// The instances with what their files tell, where that was not known.
    func read(_ instances: [StoredInstance]) async throws -> [StoredInstance] {
        guard instances.contains(where: \.isUnread) else { return instances }
        return try await Self.map(instances) { [self] instance in
            guard instance.isUnread, case .named(let name) = instance.location.place else { return instance }
            let (location, file) = try await file(name)
            return instance.read(as: file, at: location)
        }
    }

    /// The instances that the files hold.
    func identify(_ names: [(name: ObjectName, modifiedAt: Int64)]) async throws -> [StoredInstance] {
        try await Self.map(names) { [self] entry in
            let (location, file) = try await file(entry.name)
            let dataSet = file.dataSet
            guard let study = dataSet.uid(for: .studyInstanceUID), let series = dataSet.uid(for: .seriesInstanceUID),
                let instance = dataSet.uid(for: .sopInstanceUID), let sopClass = dataSet.uid(for: .sopClassUID)
            else { throw CoreConnection.Failure.unreadable }
            // A version of its own for each: those of one moment differ by their place.
            return StoredInstance(
                unread: InstanceIdentity(study: study, series: series, instance: instance, sopClass: sopClass),
                location: location, version: entry.modifiedAt << 20 ^ Int64(Self.mark(of: entry.name)),
                storedAt: entry.modifiedAt
            ).read(as: file, at: location)
        }
    }

    /// The data sets of files, as far as metadata tells of them.
    func dataSets(
        of instances: [StoredInstance]
    ) async throws -> [(instance: StoredInstance, dataSet: DataSet)] {
        try await Self.map(instances) { [self] instance in
            guard let name = ObjectName(instance.location.objectName) else { throw CoreConnection.Failure.unreadable }
            return (instance: instance, dataSet: try await file(name).file.dataSet)
        }
    }

    private func file(_ name: ObjectName) async throws -> (location: BlobLocation, file: DICOMFile) {
        let found: Known? = known.withLock { known in
            known.clock += 1
            known.files[name]?.used = known.clock
            return known.files[name]
        }
        if let found { return (found.location, found.file) }
        guard let location = try await blobs.blob(named: name) else { throw BlobError(.notFound, in: "read") }
        var reader = Part10Reader()
        for try await chunk in blobs.chunks(location) {
            try chunk.withUnsafeReadableBytes { bytes throws(DataSetReadError) in try reader.receive(bytes) }
        }
        let file = try reader.finish()
        known.withLock { known in
            if known.files.count >= Self.limit,
                let oldest = known.files.min(by: { $0.value.used < $1.value.used })?.key
            {
                known.files[oldest] = nil
            }
            known.files[name] = Known(location: location, file: file, used: known.clock)
        }
        return (location, file)
    }

    /// Twenty bits that differ between different names, most of the time (FNV-1a).
    private static func mark(of name: ObjectName) -> UInt32 {
        name.description.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 } & 0xF_FFFF
    }

    /// Some at a time, in their order.
    private static func map<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], _ transform: @escaping @Sendable (Input) async throws -> Output
    ) async throws -> [Output] {
        try await withThrowingTaskGroup(of: (Int, Output).self) { group in
            var outputs: [(Int, Output)] = []
            outputs.reserveCapacity(inputs.count)
            for (index, input) in inputs.enumerated() {
                if index >= window, let done = try await group.next() { outputs.append(done) }
                group.addTask { (index, try await transform(input)) }
            }
            for try await done in group { outputs.append(done) }
            return outputs.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
