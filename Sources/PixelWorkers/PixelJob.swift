package import DICOMPixels

/// What a worker is asked to do with the bytes that are in the shared memory.
package struct PixelJob: Hashable, Sendable {
    package enum Work: Hashable, Sendable {
        /// Undo the compression of a frame. The input is its codestream.
        case decode(from: String, ImagePixelDescription)
        /// Compress a frame. The input is its samples.
        case encode(ImagePixelDescription, to: String)
        /// Both. The input is a codestream.
        case transcode(from: String, ImagePixelDescription, to: String)
        /// Make an image for viewing. The input is the data set's beginning, if the worker needs it, then the frame as
        /// it is stored.
        case render(FrameRendering)
    }

    package var work: Work
    /// Bytes of the input.
    package var inputLength: Int
    package var limits: CodecLimits

    package init(_ work: Work, inputLength: Int, limits: CodecLimits) {
        self.work = work
        self.inputLength = inputLength
        self.limits = limits
    }
}

/// How a stored frame becomes an image for viewing.
package struct FrameRendering: Hashable, Sendable {
    package enum Output: Hashable, Sendable {
        case jpeg(quality: Int)
        case png
        case gif
        /// A frame of an animated GIF, which the worker keeps until the last one.
        case animation(isFirst: Bool, isLast: Bool)
    }

    /// Says for the same stored content always the same: the worker keeps what it has read of it.
    package var source: UInt64
    /// Bytes of a file with a presentation state's grays, at the beginning of the input; 0 without one. Its transformations
    /// take the place of the data set's (PS3.4 N.2.1).
    package var stateLength: Int
    /// Bytes of the file in front of its pixel data, next in the input; 0 when they are not there.
    package var headLength: Int
    package var transferSyntaxUID: String
    /// Which frame it is, from 1.
    package var frame: Int
    package var request: RenderingRequest
    /// Whether lines about the patient, and about how the image was made, are burned in.
    package var showsPatient: Bool
    package var showsTechnique: Bool
    package var output: Output

    package init(
        source: UInt64, stateLength: Int = 0, headLength: Int = 0, transferSyntaxUID: String, frame: Int,
        request: RenderingRequest,
        showsPatient: Bool = false, showsTechnique: Bool = false, output: Output
    ) {
        self.source = source
        self.stateLength = stateLength
        self.headLength = headLength
        self.transferSyntaxUID = transferSyntaxUID
        self.frame = frame
        self.request = request
        self.showsPatient = showsPatient
        self.showsTechnique = showsTechnique
        self.output = output
    }
}

/// A worker's answer.
package enum PixelReply: Hashable, Sendable {
    /// Bytes at the start of the shared memory, and what they describe where it is pixel data.
    case bytes(count: Int, ImagePixelDescription?)
    /// The beginning of the data set is to be sent along.
    case needsHead
    case failed(PixelFailure)
}

/// Why there is no frame or image.
package struct PixelFailure: Error, Hashable, Sendable {
    package enum Kind: Int, Hashable, Sendable {
        /// No codec for it, or one that does not know this variant.
        case unsupported
        /// The stored bytes are damaged.
        case corrupt
        /// The frame or the image would be larger than is allowed.
        case tooLarge
        /// The codestream and the data set describe different images.
        case disagrees
        /// There is nothing to look at: no pixels that can be shown.
        case notRenderable
        /// The request asks for what cannot be.
        case badRequest
        /// The worker ended in the midst of it: the codec crashed, or took more memory than it may.
        case crashed
        /// It took longer than it may.
        case timedOut
        /// No worker could be had, or the server is ending.
        case unavailable
    }

    package var kind: Kind
    /// In words, without anything of the image.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}

extension PixelFailure {
    init(_ error: CodecError) {
        switch error.code {
        case .unsupported: self.init(.unsupported, error.reason)
        case .corrupt: self.init(.corrupt, error.reason)
        case .tooLarge: self.init(.tooLarge, error.reason)
        case .disagreesWithDataSet: self.init(.disagrees, error.reason)
        }
    }

    init(_ error: RenderingError) {
        switch error.code {
        case .frameDoesNotFitDescription:
            self.init(.disagrees, "the frame has not the bytes that the data set tells")
        case .unsupportedPixels(let bits, let samples):
            self.init(.notRenderable, "pixels of \(samples) samples of \(bits) bits cannot be shown")
        case .paletteMissing: self.init(.notRenderable, "there is no palette")
        case .emptyRegion: self.init(.badRequest, "the viewport's region has nothing of the image in it")
        case .tooManyPixels(let limit): self.init(.tooLarge, "the image would have more than \(limit) pixels")
        case .tooLargeForFormat: self.init(.tooLarge, "the image is too large for its format")
        case .invalidQuality: self.init(.badRequest, "the quality is from 1 to 100")
        case .invalidColorProfile: self.init(.notRenderable, "the image's colour profile is not usable")
        case .differentFrameSizes: self.init(.notRenderable, "the frames differ in size")
        case .encoderFailed: self.init(.notRenderable, "the image could not be written")
        }
    }
}
