import AsyncHTTPClient
import Crypto
import DICOMCore
import GantryTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@Suite("Byte-identical round trips", .serialized)
struct RoundTripTests {
    @Test(.timeLimit(.minutes(2)))
    func `a series of 500 slices comes back as it was sent`() async throws {
        try await RunningServer.run { server in
            // 1. Store: ten full slices among small ones, fifty in a request.
            let images = (1...500).map { number in
                let side = number % 50 == 0 ? 512 : 64
                return SampleImage(instance: number, rows: side, columns: side)
            }
            for start in stride(from: 0, to: images.count, by: 50) {
                let answer = try await server.store(images[start..<start + 50].map(\.bytes))
                #expect(answer.status == 200)
                #expect(answer.stored.count == 50)
            }
            // 2. Each of them.
            for image in images {
                let answer = try await server.stored(image.path)
                #expect(answer.status == 200)
                #expect(answer["content-type"]?.hasPrefix("application/dicom") == true)
                #expect(answer.body == image.bytes, "instance \(image.instance.instanceNumber)")
            }
            // 3. What is known of them.
            let series = try await server.get("series").dataSets
            #expect(series.first?.int(for: .numberOfSeriesRelatedInstances) == 500)
            let metadata = try await server.get("studies/\(images[0].instance.studyUID)/metadata").dataSets
            #expect(metadata.compactMap { $0.int(for: .instanceNumber) } == Array(1...500))
        }
    }

    /// REL-21: memory stays within 64 MiB of an idle server, which a debug build holds too.
    @Test(.timeLimit(.minutes(3)))
    func `an object of 1 GiB passes through in little memory`() async throws {
        try await RunningServer.run { server in
            let large = LargeImage()
            // 1. Warm up, so that idle means what it will after a day.
            _ = try await server.store([SampleImage(study: 9, rows: 1024, columns: 1024).bytes])
            _ = try await server.stored(SampleImage(study: 9).path)
            let idle = server.process.memory("VmRSS")
            server.process.forgetMostMemory()

            // 2. There, with its length and the second time chunked, which is the same instance again.
            let digest = large.digest
            for length in [HTTPClientRequest.Body.Length.known(Int64(large.length)), .unknown] {
                let answer = try await large.store(to: server, length)
                #expect(answer.status == 200)
                #expect(answer.stored.map(\.instance) == [large.image.instance.sopInstanceUID])
            }
            #expect(try await server.changes().count == 2)

            // 3. And back.
            #expect(try await large.retrievedDigest(from: server) == digest)
            let middle = LargeImage.frames / 2
            let frame = try await server.get(
                "\(large.image.path)/frames/\(middle)", ["Accept": "application/octet-stream"])
            #expect(frame.status == 200)
            #expect(frame.body == large.image.frame(middle))
            let begin = (middle - 1) * large.image.frameLength + 100
            let range = try await server.get(
                "\(large.image.path)/bulkdata/7FE00010",
                ["Accept": "application/octet-stream", "Range": "bytes=\(begin)-\(begin + 999)"])
            #expect(range.status == 206)
            #expect(range["content-range"] == "bytes \(begin)-\(begin + 999)/\(large.image.pixelLength)")
            #expect(range.body == Array(large.image.frame(middle)[100..<1100]))

            let most = server.process.memory("VmHWM")
            #expect(most - idle <= 64 << 10, "\(idle) KiB idle, \(most) KiB at most")
        }
    }
}

/// A multi-frame object of 1 GiB that is made while it is sent.
private struct LargeImage: Sendable {
    static let frames = 512
    let image = SampleImage(rows: 1024, columns: 1024, frames: Self.frames)
    let head: [UInt8]

    init() { head = image.head }

    var length: Int { head.count + image.pixelLength }

    /// The file in pieces: its head, then frame by frame.
    private func piece(_ index: Int) -> ByteBuffer { ByteBuffer(bytes: index == 0 ? head : image.frame(index)) }

    var digest: [UInt8] {
        var hash = SHA256()
        for index in 0...Self.frames { piece(index).withUnsafeReadableBytes { hash.update(bufferPointer: $0) } }
        return Array(hash.finalize())
    }

    func store(to server: RunningServer, _ length: HTTPClientRequest.Body.Length) async throws -> StoreAnswer {
        var request = HTTPClientRequest(url: server.service + "/studies")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/dicom")
        let position = Counter()
        let pieces = AsyncStream<ByteBuffer> { [self] in
            let next = position.next()
            return next <= Self.frames ? piece(next) : nil
        }
        request.body = .stream(pieces, length: length)
        let response = try await server.client.execute(request, timeout: .seconds(120))
        let body = try await response.body.collect(upTo: 1 << 20)
        return StoreAnswer(
            Answer(status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView)))
    }

    func retrievedDigest(from server: RunningServer) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: "\(server.service)/\(image.path)")
        request.headers.add(name: "accept", value: "application/dicom; transfer-syntax=*")
        let response = try await server.client.execute(request, timeout: .seconds(120))
        #expect(response.status == .ok)
        #expect(response.headers.first(name: "content-length") == "\(length)")
        var hash = SHA256()
        for try await piece in response.body { piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) } }
        return Array(hash.finalize())
    }
}

/// Counts up from 0.
private final class Counter: Sendable {
    private let number = Atomic(0)

    func next() -> Int { number.add(1, ordering: .relaxed).oldValue }
}
