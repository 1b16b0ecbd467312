import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension DICOMWebClient {
    /// What happens while files are stored.
    package enum StoreEvent: Sendable {
        /// So many more bytes have been handed to the network. Bytes of a repeated attempt count again, and
        /// are taken back before by a negative number.
        case bytes(Int)
        case finished(StoreBatch, StoreReport)
        /// The batch has no answer.
        case failed(StoreBatch, any Error)
    }

    /// Stores batches, as many at a time as there are connections. `onEvent` is called from several tasks.
    package func store(
        _ batches: [StoreBatch], study: String? = nil, onEvent: @escaping @Sendable (StoreEvent) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var next = batches.makeIterator()
            func add() -> Bool {
                guard let batch = next.next() else { return false }
                group.addTask {
                    do {
                        let report = try await store(batch, study: study) { onEvent(.bytes($0)) }
                        onEvent(.finished(batch, report))
                    } catch is CancellationError {
                        throw CancellationError()
                    } catch {
                        onEvent(.failed(batch, error))
                    }
                }
                return true
            }
            for _ in 0..<connections where !add() { break }
            while try await group.next() != nil { _ = add() }
        }
    }

    /// Stores the files of one batch in one request (PS3.18 10.5).
    package func store(
        _ batch: StoreBatch, study: String? = nil, onBytes: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> StoreReport {
        let address = study.map { "\(base)/studies/\($0)" } ?? "\(base)/studies"
        let sent = SentBytes(tell: onBytes)
        let response = try await sender.send {
            sent.startOver()
            let boundary = "gantry-" + String(UInt64.random(in: .min ... .max), radix: 36)
            let files = MultipartFiles(
                parts: batch.files.map { MultipartFiles.Part(path: $0.path, length: $0.length) }, boundary: boundary,
                onBytes: { sent.add($0) })
            var request = HTTPClientRequest(url: address)
            request.method = .POST
            request.headers.add(name: "content-type", value: files.contentType)
            request.headers.add(name: "accept", value: "application/dicom+json")
            request.body = .stream(files, length: .known(Int64(files.length)))
            return request
        }
        let body = try await response.body.collect(upTo: 64 << 20)
        return StoreReport(
            status: Int(response.status.code), contentType: response.headers.first(name: "content-type") ?? "",
            body: Array(body.readableBytesView))
    }
}
