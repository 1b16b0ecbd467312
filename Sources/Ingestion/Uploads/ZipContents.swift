import BlobStorage
import NIOCore

/// Ingests the files of an archive that landed.
///
/// The archive is read twice: the first time nothing is kept, so that one that breaks a limit, is damaged or encrypted leaves nothing behind; the second time
/// its files go through the pipeline, some at a time.
struct ZipContents {
    let reader: ZipReader
    let pipeline: IngestionPipeline
    let origin: IngestionOrigin

    /// What came of it.
    struct Outcome {
        var result = UploadResult()
        /// The metadata of the archive, if it has them.
        var sidecar: [UInt8]?
        /// Set when storage was not to be had, so that it has to be done again.
        var isPostponed = false
    }

    func ingest() async throws -> Outcome {
        let survey = try await survey()
        var outcome = Outcome()
        var batch = Batch()
        var current: (name: String, receiver: InstanceReceiver)?
        var number = 0
        var sidecar: [UInt8] = []
        do {
            try await reader.read { finding in
                switch finding {
                case .file(let name, let length):
                    number += 1
                    await finish(&current, into: &batch)
                    if batch.isFull { await commit(&batch, &outcome) }
                    if number == survey.sidecar { return true }
                    guard survey.files.contains(number) else { return false }
                    current = (name, await pipeline.receive(expectedLength: length, origin: origin))
                case .bytes(let bytes):
                    if number == survey.sidecar {
                        sidecar += Array(bytes.readableBytesView)
                    } else {
                        await current?.receiver.write(bytes)
                    }
                }
                return true
            }
        } catch {
            await current?.receiver.abandon()
            for file in batch.files { await pipeline.discard(file.received) }
            throw error
        }
        await finish(&current, into: &batch)
        await commit(&batch, &outcome)
        for name in survey.others { outcome.result.add(.notDICOM(file: name)) }
        outcome.result.failureCount += survey.otherCount - survey.others.count
        if survey.sidecar != nil { outcome.sidecar = sidecar }
        return outcome
    }

    // MARK: - First reading

    /// What is in the archive; its files are counted from 1 in its order.
    private struct Survey {
        /// Files for the pipeline.
        var files: Set<Int> = []
        /// Names of files that are nothing for us; of very many the first ones.
        var others: [String] = []
        var otherCount = 0
        /// The file with metadata.
        var sidecar: Int?

        mutating func add(other name: String) {
            otherCount += 1
            if others.count < UploadResult.mostListed { others.append(name) }
        }
    }

    private struct SurveyedFile {
        var number: Int
        var name: String
        var head: [UInt8] = []
        var length = 0
    }

    private func survey() async throws -> Survey {
        var survey = Survey()
        var jsonFiles: [SurveyedFile] = []
        var current: SurveyedFile?
        var number = 0

        func classify() throws {
            guard let file = current else { return }
            current = nil
            guard !Self.isClutter(file.name) else { return }
            switch UploadContent(head: file.head) {
            case .part10: survey.files.insert(file.number)
            case .zip, .emptyZip, .otherArchive: throw ArchiveBreach.nested(name: file.name)
            case .unknown:
                if file.name.lowercased().hasSuffix(".json"), jsonFiles.count < UploadResult.mostListed {
                    jsonFiles.append(file)
                } else {
                    survey.add(other: file.name)
                }
            }
        }

        try await reader.read { finding in
            switch finding {
            case .file(let name, _):
                try classify()
                number += 1
                current = SurveyedFile(number: number, name: name)
            case .bytes(let bytes):
                let missing = UploadContent.headLength - (current?.head.count ?? UploadContent.headLength)
                if missing > 0 { current?.head += Array(bytes.readableBytesView.prefix(missing)) }
                current?.length += bytes.readableBytes
            }
            return true
        }
        try classify()
        let name = Self.sidecar(among: jsonFiles.map(\.name))
        for file in jsonFiles {
            if survey.sidecar == nil, file.name == name, file.length <= reader.limits.sidecarBytes {
                survey.sidecar = file.number
            } else {
                survey.add(other: file.name)
            }
        }
        guard !survey.files.isEmpty || survey.otherCount > 0 || survey.sidecar != nil else { throw ArchiveBreach.empty }
        return survey
    }

    /// The file with metadata: `metadata.json`, the one that is least deep, or else the only JSON file there is.
    static func sidecar(among names: [String]) -> String? {
        let named = names.filter { $0.split(separator: "/").last?.lowercased() == "metadata.json" }
        if let first = named.min(by: { depth($0) < depth($1) }) { return first }
        return names.count == 1 ? names.first : nil
    }

    private static func depth(_ name: String) -> Int { name.count { $0 == "/" } }

    /// Files that media and operating systems leave, of which nobody wants to hear.
    static func isClutter(_ name: String) -> Bool {
        let parts = name.split(separator: "/")
        guard let last = parts.last?.lowercased() else { return true }
        return parts.contains("__MACOSX") || ["dicomdir", ".ds_store", "thumbs.db", "desktop.ini"].contains(last)
    }

    // MARK: - Second reading

    /// Files that wait to be committed together.
    private struct Batch {
        var files: [(name: String, received: ReceivedInstance)] = []
        var bytes = 0

        var isFull: Bool { files.count >= 64 || bytes >= 16 << 20 }
    }

    private func finish(_ current: inout (name: String, receiver: InstanceReceiver)?, into batch: inout Batch) async {
        guard var open = current else { return }
        current = nil
        let received = await open.receiver.finish()
        batch.bytes += received.length
        batch.files.append((open.name, received))
    }

    private func commit(_ batch: inout Batch, _ outcome: inout Outcome) async {
        let files = batch.files
        batch = Batch()
        guard !files.isEmpty else { return }
        for (file, verdict) in zip(files, await pipeline.ingest(files.map(\.received))) {
            if verdict.isPassing { outcome.isPostponed = true }
            outcome.result.add(verdict, file: file.name)
        }
    }
}

extension IngestionOutcome {
    /// Whether another attempt may go better, because it is not the instance that is to blame.
    var isPassing: Bool {
        guard case .refused(let cause, _) = self else { return false }
        return cause.isBackendDown || cause.isOutOfSpace
    }
}
