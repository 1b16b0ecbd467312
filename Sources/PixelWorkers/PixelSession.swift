package import DICOMCore
package import DICOMPixels
package import NIOCore

/// A worker while one request has it. Errors are `PixelFailure`.
///
/// `@unchecked Sendable`: its calls do not overlap, for the one task that it was lent to waits for each.
package final class PixelSession: @unchecked Sendable {
    private let workers: PixelWorkers
    private var worker: PixelWorkers.Worker?

    init(_ workers: PixelWorkers, _ worker: PixelWorkers.Worker?) {
        self.workers = workers
        self.worker = worker
    }

    /// The worker, unless it is gone.
    var reusableWorker: PixelWorkers.Worker? {
        if case .process(let process) = worker, !process.isAlive { return nil }
        return worker
    }

    /// Undoes the compression of a frame.
    ///
    /// - Parameter codestream: its fragments, joined.
    package func decode(
        _ codestream: ByteBuffer, from transferSyntax: TransferSyntax, as image: ImagePixelDescription
    ) async throws -> DecodedFrame {
        let (bytes, description) = try await pixels(.decode(from: transferSyntax.uid, image), [codestream])
        return DecodedFrame(bytes: bytes, description: description)
    }

    /// Compresses a frame without loss.
    package func encode(
        _ samples: ByteBuffer, _ image: ImagePixelDescription, to transferSyntax: TransferSyntax
    ) async throws -> DecodedFrame {
        let (bytes, description) = try await pixels(.encode(image, to: transferSyntax.uid), [samples])
        return DecodedFrame(bytes: bytes, description: description)
    }

    /// Compresses a frame otherwise, without loss.
    package func transcode(
        _ codestream: ByteBuffer, from source: TransferSyntax, as image: ImagePixelDescription,
        to target: TransferSyntax
    ) async throws -> DecodedFrame {
        let (bytes, description) = try await pixels(.transcode(from: source.uid, image, to: target.uid), [codestream])
        return DecodedFrame(bytes: bytes, description: description)
    }

    /// Makes an image for viewing.
    ///
    /// - Parameters:
    ///   - stored: the frame as it is stored: a codestream, or its samples, little endian and on a byte boundary.
    ///   - state: a file with a presentation state's grays.
    ///   - head: the file up to its pixel data; asked for when the worker does not know it yet.
    package func render(
        _ rendering: FrameRendering, _ stored: ByteBuffer, presentedBy state: ByteBuffer?,
        head: () async throws -> ByteBuffer
    ) async throws -> ByteBuffer {
        var first = rendering
        first.stateLength = state?.readableBytes ?? 0
        let answer = try await perform(.render(first), [state, stored].compactMap(\.self))
        guard case .needsHead = answer.reply else { return try Self.bytes(answer) }
        return try await render(rendering, stored, presentedBy: state, with: head())
    }

    /// The same, with the head sent along at once: what pays for an image of one frame, which no worker knows.
    package func render(
        _ rendering: FrameRendering, _ stored: ByteBuffer, presentedBy state: ByteBuffer?, with head: ByteBuffer
    ) async throws -> ByteBuffer {
        var rendering = rendering
        rendering.stateLength = state?.readableBytes ?? 0
        rendering.headLength = head.readableBytes
        return try Self.bytes(try await perform(.render(rendering), [state, head, stored].compactMap(\.self)))
    }

    private func pixels(
        _ work: PixelJob.Work, _ input: [ByteBuffer]
    ) async throws -> (ByteBuffer, ImagePixelDescription) {
        let answer = try await perform(work, input)
        let bytes = try Self.bytes(answer)
        guard case .bytes(_, .some(let description)) = answer.reply else {
            throw PixelFailure(.crashed, "the worker's answer is not complete")
        }
        return (bytes, description)
    }

    private static func bytes(_ answer: (reply: PixelReply, bytes: ByteBuffer)) throws(PixelFailure) -> ByteBuffer {
        switch answer.reply {
        case .bytes: answer.bytes
        case .needsHead: throw PixelFailure(.crashed, "the worker asks for what it has got")
        case .failed(let failure): throw failure
        }
    }

    private func perform(
        _ work: PixelJob.Work, _ input: [ByteBuffer]
    ) async throws -> (reply: PixelReply, bytes: ByteBuffer) {
        let length = input.reduce(0) { $0 + $1.readableBytes }
        let job = PixelJob(work, inputLength: length, limits: workers.limits)
        let (workers, seconds) = (workers, workers.configuration.timeout)
        return try await workers.blocking { [self] in
            let worker = try self.worker ?? workers.makeWorker()
            self.worker = worker
            switch worker {
            case .process(let process):
                try process.shared.reserve(length)
                var offset = 0
                for piece in input {
                    piece.withUnsafeReadableBytes { bytes in
                        UnsafeMutableRawBufferPointer(rebasing: process.shared.bytes[offset...]).copyMemory(from: bytes)
                    }
                    offset += piece.readableBytes
                }
                let reply = try process.exchange(job, seconds: seconds)
                defer { process.shared.trim() }
                guard case .bytes(let count, _) = reply else { return (reply, ByteBuffer()) }
                return (reply, ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: process.shared.bytes[..<count])))
            case .thread(let thread):
                var whole = ByteBuffer()
                for piece in input { whole.writeImmutableBuffer(piece) }
                return thread.perform(job, whole)
            }
        }
    }
}

/// The pixels of one frame in another form, and the description that goes with them.
package struct DecodedFrame: Sendable {
    package let bytes: ByteBuffer
    package let description: ImagePixelDescription
}
