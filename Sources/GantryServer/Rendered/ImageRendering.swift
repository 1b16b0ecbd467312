import Archive
import DICOMCore
import DICOMPixels
import DICOMWeb
import NIOCore
import PixelWorkers

/// How frames become images for viewing: the parameters of a request in the words of the pixel workers.
struct ImageRendering: Hashable, Sendable {
    var request = RenderingRequest()
    /// What a presentation state says of grays instead of the image; the version of an answer tells which one.
    var state: PresentationState.Grays?
    var showsPatient = false
    var showsTechnique = false
    /// Of JPEG, 1 to 100.
    var quality: Int?

    /// What is used when the request does not say.
    static let quality = 90

    init() {}

    /// Reads the parameters of a rendered resource (PS3.18 8.3.5.1).
    init(_ parameters: RenderingParameters) throws {
        if let window = parameters.window {
            let function: VOIWindow.Function =
                switch window.function {
                case .linear: .linear
                case .linearExact: .linearExact
                case .sigmoid: .sigmoid
                }
            guard let window = VOIWindow(center: window.center, width: window.width, function: function) else {
                throw Problem(.invalidQuery, "The window cannot be used.")
            }
            request.window = window
        }
        if let viewport = parameters.viewport {
            request.viewport = Viewport(
                width: viewport.width, height: viewport.height, x: viewport.x, y: viewport.y,
                regionWidth: viewport.regionWidth, regionHeight: viewport.regionHeight)
        }
        // The parameter first, then the image's own profile.
        request.colorProfile =
            switch parameters.iccProfile {
            case nil, .yes: .yes
            case .no: .no
            case .srgb: .srgb
            case .adobergb: .adobeRGB
            case .rommrgb: .rommRGB
            }
        showsPatient = parameters.annotations.contains(.patient)
        showsTechnique = parameters.annotations.contains(.technique)
        quality = parameters.quality
    }

    /// A mark that differs between different ways of rendering, for entity tags.
    var fingerprint: String {
        // Field by field: a description of the whole would be made by reflection, which takes longer than the image.
        var text = "\(quality ?? 0) \(showsPatient) \(showsTechnique) \(request.drawsOverlays) \(request.colorProfile)"
        if let window = request.window { text += " w\(window.center),\(window.width),\(window.function)" }
        if let view = request.viewport {
            text += " v\(view.width),\(view.height),\(view.x),\(view.y),\(view.enlarges)"
            text += ",\(view.regionWidth ?? 0),\(view.regionHeight ?? 0)"
        }
        return text.fingerprint
    }

    /// Whether a stored JPEG that is shown right by itself may be the answer.
    var allowsStoredJPEG: Bool {
        request.window == nil && request.viewport == nil && request.drawsOverlays && quality == nil && !showsPatient
            && !showsTechnique && state == nil
            && (request.colorProfile == .yes || request.colorProfile == .no)
    }

    func rendering(of frame: StoredFrame, as output: FrameRendering.Output) -> FrameRendering {
        var request = request
        // GIF has no place for a profile.
        switch output {
        case .jpeg, .png: break
        case .gif, .animation: request.colorProfile = .no
        }
        return FrameRendering(
            source: UInt64(bitPattern: frame.instance.version), transferSyntaxUID: frame.instance.transferSyntaxUID,
            frame: frame.number, request: request, showsPatient: showsPatient,
            showsTechnique: showsTechnique,
            output: output)
    }

    /// A frame as an image in one of the types that every browser shows.
    func image(of frame: StoredFrame, as mediaType: String, by access: PixelAccess) async throws -> ByteBuffer {
        let output: FrameRendering.Output
        switch mediaType {
        case "image/png": output = .png
        case "image/gif": output = .gif
        default:
            if allowsStoredJPEG, let stored = try await StoredJPEG.bytes(of: frame, by: access) { return stored }
            output = .jpeg(quality: quality ?? Self.quality)
        }
        let rendering = rendering(of: frame, as: output)
        return try await access.workers.withWorker { session in
            if let (head, stored) = try await frame.bytesWithHead(from: access.blobs) {
                return try await session.render(rendering, stored, presentedBy: state?.file, with: head)
            }
            return try await session.render(
                rendering, frame.bytes(from: access.blobs), presentedBy: state?.file
            ) {
                try await InstanceHead.bytes(of: frame.instance, in: access.blobs)
            }
        }
    }

    /// Frames as one animated GIF.
    func animation(
        of frames: [StoredFrame], presentedBy state: PresentationState? = nil, by access: PixelAccess
    ) async throws -> ByteBuffer {
        guard let first = frames.first else { throw Problem(.noSuchResource, "There is no such frame.") }
        let image = try await access.image(of: first.instance)
        let size = request.viewport.map { $0.width * $0.height } ?? image.rows * image.columns
        guard frames.count <= Self.animationPixels / max(1, size) else {
            throw Problem(.tooLarge, "The animation would have more than \(Self.animationPixels) pixels.")
        }
        return try await access.workers.withWorker { session in
            var bytes = ByteBuffer()
            for (index, frame) in frames.enumerated() {
                try Task.checkCancellation()
                let output = FrameRendering.Output.animation(
                    isFirst: index == 0, isLast: index == frames.count - 1)
                let (instance, number) = (frame.instance.identity.instance, frame.number)
                let shown = state?.applied(to: self, of: instance, frame: number) ?? self
                bytes = try await session.render(
                    shown.rendering(of: frame, as: output), frame.bytes(from: access.blobs),
                    presentedBy: shown.state?.file
                ) { try await InstanceHead.bytes(of: frame.instance, in: access.blobs) }
            }
            return bytes
        }
    }

    /// Pixels of all frames of an animation, which is in memory as a whole.
    private static let animationPixels = 1 << 28
}
