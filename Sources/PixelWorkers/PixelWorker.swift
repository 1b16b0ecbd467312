import CLinux
import DICOMCore
import DICOMPixels
import Glibc

/// Does the jobs: decodes, encodes and renders, one at a time, on the calling thread.
///
/// It is all that runs in a worker's process. What it has read of an instance it keeps for the next frames.
package struct PixelWorker: ~Copyable {
    private var sources = RenderingSources()
    private var animation: Animation?
    private var animationWindow: VOIWindow?
    private let codecs = CodecTable.standard

    private struct Animation: ~Copyable {
        var file: GIFAnimation
    }

    package init() {}

    /// Does a job on `input` and hands the result to `give`, which is called at most once.
    package mutating func perform(
        _ job: PixelJob, _ input: UnsafeRawBufferPointer,
        give: (UnsafeRawBufferPointer) throws(PixelFailure) -> Void
    ) -> PixelReply {
        do throws(PixelFailure) {
            switch job.work {
            case .decode(let source, let image):
                return try reply(try decode(input, source, image, job.limits), give)
            case .encode(let image, let target):
                guard let frame = FrameBuffer(image, bytes: Array(input)) else {
                    throw PixelFailure(.disagrees, "the frame has not the bytes that the data set tells")
                }
                return try reply(try encode(frame, target), give)
            case .transcode(let source, let image, let target):
                return try reply(try encode(try decode(input, source, image, job.limits), target), give)
            case .render(let rendering):
                return try render(rendering, input, job.limits, give)
            }
        } catch {
            return .failed(error)
        }
    }

    // MARK: - Codecs

    private func decode(
        _ input: UnsafeRawBufferPointer, _ source: String, _ image: ImagePixelDescription, _ limits: CodecLimits
    ) throws(PixelFailure) -> FrameBuffer {
        guard let syntax = TransferSyntax(uid: source) else {
            throw PixelFailure(.unsupported, "unknown transfer syntax")
        }
        do throws(CodecError) {
            return try codecs.decode(input, from: syntax, as: image, limits: limits)
        } catch {
            throw PixelFailure(error)
        }
    }

    private func encode(_ frame: FrameBuffer, _ target: String) throws(PixelFailure) -> EncodedFrame {
        guard let syntax = TransferSyntax(uid: target) else {
            throw PixelFailure(.unsupported, "unknown transfer syntax")
        }
        do throws(CodecError) {
            return try codecs.encode(frame, to: syntax)
        } catch {
            throw PixelFailure(error)
        }
    }

    private func reply(
        _ frame: FrameBuffer, _ give: (UnsafeRawBufferPointer) throws(PixelFailure) -> Void
    ) throws(PixelFailure) -> PixelReply {
        try pass(frame.bytes, give)
        return .bytes(count: frame.bytes.count, frame.description)
    }

    private func reply(
        _ frame: EncodedFrame, _ give: (UnsafeRawBufferPointer) throws(PixelFailure) -> Void
    ) throws(PixelFailure) -> PixelReply {
        try pass(frame.bytes, give)
        return .bytes(count: frame.bytes.count, frame.description)
    }

    private func pass(
        _ bytes: [UInt8], _ give: (UnsafeRawBufferPointer) throws(PixelFailure) -> Void
    ) throws(PixelFailure) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(PixelFailure) in try give(UnsafeRawBufferPointer(bytes)) }
    }

    // MARK: - Rendering

    private mutating func render(
        _ rendering: FrameRendering, _ input: UnsafeRawBufferPointer, _ limits: CodecLimits,
        _ give: (UnsafeRawBufferPointer) throws(PixelFailure) -> Void
    ) throws(PixelFailure) -> PixelReply {
        guard rendering.stateLength >= 0, rendering.headLength >= 0, rendering.stateLength <= input.count,
            rendering.headLength <= input.count - rendering.stateLength
        else { throw PixelFailure(.badRequest, "the job is not complete") }
        let state = UnsafeRawBufferPointer(rebasing: input[..<rendering.stateLength])
        let behind = UnsafeRawBufferPointer(rebasing: input[rendering.stateLength...])
        let head = UnsafeRawBufferPointer(rebasing: behind[..<rendering.headLength])
        let stored = UnsafeRawBufferPointer(rebasing: behind[rendering.headLength...])
        if rendering.headLength > 0 { try sources.read(head, as: rendering.source) }
        guard let source = sources[rendering.source] else { return .needsHead }

        // 1. The frame without its compression.
        guard let image = source.image else {
            throw PixelFailure(.notRenderable, "there is no usable image description")
        }
        let syntax = TransferSyntax(uid: rendering.transferSyntaxUID)
        let frame: FrameBuffer
        if let syntax, syntax.isEncapsulated {
            frame = try decode(stored, syntax.uid, image, limits)
        } else {
            guard let plain = FrameBuffer(image, bytes: Array(stored)) else {
                throw PixelFailure(.disagrees, "the frame has not the bytes that the data set tells")
            }
            frame = plain
        }

        // 2. The image.
        var attributes = source.attributes(ofFrame: rendering.frame)
        if !state.isEmpty {
            attributes.apply(presentationState: try RenderingSources.dataSet(state), isSigned: image.isSigned)
        }
        var request = rendering.request
        request.annotation =
            (rendering.showsPatient ? AnnotationLines.patient(source.dataSet) : [])
            + (rendering.showsTechnique ? AnnotationLines.technique(source.dataSet) : [])
        let pipeline = RenderingPipeline(attributes, pixelLimit: limits.frameBytes / 4)
        let table = sources.table(for: pipeline, frame.description, request)
        let bytes: [UInt8]
        do throws(RenderingError) {
            switch rendering.output {
            case .jpeg(let quality):
                bytes = try pipeline.jpeg(frame, request, quality: quality, table: table)
            case .png: bytes = try ImageFileEncoder.png(pipeline.render(frame, request, table: table))
            case .gif: bytes = try ImageFileEncoder.gif(pipeline.render(frame, request, table: table))
            case .animation(let isFirst, let isLast):
                // One window for all frames: grays must not change from one to the next.
                if isFirst { animationWindow = table == nil ? pipeline.automaticWindow(for: frame) : nil }
                request.window = request.window ?? animationWindow
                let picture = try pipeline.render(frame, request, table: table)
                bytes = try append(picture, isFirst: isFirst, isLast: isLast, frameTime: source.frameTime)
            }
        } catch {
            throw PixelFailure(error)
        }
        try pass(bytes, give)
        return .bytes(count: bytes.count, nil)
    }

    /// The animation's bytes when it is complete; none while it goes on.
    private mutating func append(
        _ picture: RenderedImage, isFirst: Bool, isLast: Bool, frameTime: Double
    ) throws(RenderingError) -> [UInt8] {
        if isFirst {
            animation = Animation(
                file: try GIFAnimation(width: picture.width, height: picture.height, frameTime: frameTime))
        }
        guard var current = animation.take() else { throw RenderingError(.encoderFailed) }
        try current.file.append(picture)
        guard isLast else {
            animation = consume current
            return []
        }
        return try current.file.finish()
    }
}

// MARK: - The process

extension PixelWorker {
    /// Where a worker's process finds the socket of its jobs and the memory of their bytes.
    package static let socket: Int32 = 3
    package static let memory: Int32 = 4

    /// Longest message.
    static let messageLength = 16 << 10

    /// Does jobs until there are no more, with no more memory than `memoryLimit` bytes, few open files, and no way to
    /// gain rights or to outlive its parent.
    package static func run(memoryLimit: Int) {
        gantry_confine_to_parent()
        limit(RLIMIT_AS, memoryLimit)
        // Of the memory that both sides see, too.
        limit(RLIMIT_FSIZE, memoryLimit)
        limit(RLIMIT_NOFILE, 32)
        limit(RLIMIT_CORE, 0)
        let shared = SharedBytes(descriptor: memory)
        var worker = PixelWorker()
        var message = [UInt8](repeating: 0, count: messageLength)
        while true {
            let count = recv(socket, &message, message.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            let answer = answer(to: message[..<count], shared, &worker).encoded()
            guard send(socket, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count else { return }
        }
    }

    private static func answer(
        to message: ArraySlice<UInt8>, _ shared: SharedBytes, _ worker: inout PixelWorker
    ) -> PixelReply {
        do {
            let job = try PixelJob(decoding: message)
            try shared.refresh(job.inputLength)
            let input = UnsafeRawBufferPointer(rebasing: shared.bytes[..<job.inputLength])
            return worker.perform(job, input) { result throws(PixelFailure) in
                try shared.reserve(result.count)
                shared.bytes.copyMemory(from: result)
            }
        } catch let failure as PixelFailure {
            return .failed(failure)
        } catch {
            return .failed(PixelFailure(.badRequest, "the job cannot be read"))
        }
    }

    private static func limit(_ resource: __rlimit_resource, _ value: Int) {
        var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
        setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
    }
}
