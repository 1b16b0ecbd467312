import DICOMCore
import DICOMPixels

extension PixelJob {
    func encoded() -> [UInt8] {
        var writer = MessageWriter()
        writer.put(inputLength)
        writer.put(limits.frameBytes)
        switch work {
        case .decode(let source, let image):
            writer.put(0)
            writer.put(source)
            writer.put(image)
        case .encode(let image, let target):
            writer.put(1)
            writer.put(image)
            writer.put(target)
        case .transcode(let source, let image, let target):
            writer.put(2)
            writer.put(source)
            writer.put(image)
            writer.put(target)
        case .render(let rendering):
            writer.put(3)
            writer.put(rendering)
        }
        return writer.bytes
    }

    init(decoding bytes: ArraySlice<UInt8>) throws(MessageError) {
        var reader = MessageReader(bytes)
        inputLength = try reader.int()
        limits = CodecLimits(frameBytes: try reader.int())
        switch try reader.int() {
        case 0: work = .decode(from: try reader.string(), try reader.image())
        case 1: work = .encode(try reader.image(), to: try reader.string())
        case 2: work = .transcode(from: try reader.string(), try reader.image(), to: try reader.string())
        case 3: work = .render(try reader.rendering())
        default: throw MessageError()
        }
    }
}

extension PixelReply {
    func encoded() -> [UInt8] {
        var writer = MessageWriter()
        switch self {
        case .bytes(let count, let image):
            writer.put(0)
            writer.put(count)
            writer.put(image != nil)
            if let image { writer.put(image) }
        case .needsHead: writer.put(1)
        case .failed(let failure):
            writer.put(2)
            writer.put(failure.kind.rawValue)
            writer.put(failure.reason)
        }
        return writer.bytes
    }

    init(decoding bytes: ArraySlice<UInt8>) throws(MessageError) {
        var reader = MessageReader(bytes)
        switch try reader.int() {
        case 0:
            let count = try reader.int()
            self = .bytes(count: count, try reader.bool() ? try reader.image() : nil)
        case 1: self = .needsHead
        case 2:
            guard let kind = PixelFailure.Kind(rawValue: try reader.int()) else { throw MessageError() }
            self = .failed(PixelFailure(kind, try reader.string()))
        default: throw MessageError()
        }
    }
}

extension MessageWriter {
    fileprivate mutating func put(_ image: ImagePixelDescription) {
        for number in [
            image.rows, image.columns, image.samplesPerPixel, image.bitsAllocated, image.bitsStored, image.highBit,
            image.planarConfiguration, image.numberOfFrames,
        ] {
            put(number)
        }
        put(image.isSigned)
        put(image.photometricInterpretation.rawValue)
    }

    fileprivate mutating func put(_ rendering: FrameRendering) {
        put(rendering.source)
        put(rendering.stateLength)
        put(rendering.headLength)
        put(rendering.transferSyntaxUID)
        put(rendering.frame)
        put(rendering.showsPatient)
        put(rendering.showsTechnique)
        switch rendering.output {
        case .jpeg(let quality):
            put(0)
            put(quality)
        case .png: put(1)
        case .gif: put(2)
        case .animation(let isFirst, let isLast):
            put(3)
            put(isFirst)
            put(isLast)
        }
        put(rendering.request)
    }

    private mutating func put(_ request: RenderingRequest) {
        put(request.window != nil)
        if let window = request.window {
            put(window.center)
            put(window.width)
            put(VOIWindow.Function.all.firstIndex(of: window.function) ?? 0)
        }
        put(request.viewport != nil)
        if let viewport = request.viewport {
            put(viewport.width)
            put(viewport.height)
            put(viewport.x)
            put(viewport.y)
            put(viewport.regionWidth)
            put(viewport.regionHeight)
            put(viewport.enlarges)
        }
        put(request.drawsOverlays)
        put(RenderingRequest.ColorProfile.all.firstIndex(of: request.colorProfile) ?? 0)
    }
}

extension MessageReader {
    fileprivate mutating func image() throws(MessageError) -> ImagePixelDescription {
        let numbers = [
            try int(), try int(), try int(), try int(), try int(), try int(), try int(), try int(),
        ]
        guard
            let image = ImagePixelDescription(
                rows: numbers[0], columns: numbers[1], samplesPerPixel: numbers[2], bitsAllocated: numbers[3],
                bitsStored: numbers[4], highBit: numbers[5], isSigned: try bool(), planarConfiguration: numbers[6],
                photometricInterpretation: PhotometricInterpretation(rawValue: try string()),
                numberOfFrames: numbers[7])
        else { throw MessageError() }
        return image
    }

    fileprivate mutating func rendering() throws(MessageError) -> FrameRendering {
        let source = try unsigned()
        let (stateLength, headLength) = (try int(), try int())
        let transferSyntaxUID = try string()
        let frame = try int()
        let (showsPatient, showsTechnique) = (try bool(), try bool())
        let output: FrameRendering.Output
        switch try int() {
        case 0: output = .jpeg(quality: try int())
        case 1: output = .png
        case 2: output = .gif
        case 3: output = .animation(isFirst: try bool(), isLast: try bool())
        default: throw MessageError()
        }
        return FrameRendering(
            source: source, stateLength: stateLength, headLength: headLength, transferSyntaxUID: transferSyntaxUID,
            frame: frame,
            request: try request(), showsPatient: showsPatient, showsTechnique: showsTechnique,
            output: output)
    }

    private mutating func request() throws(MessageError) -> RenderingRequest {
        var request = RenderingRequest()
        if try bool() {
            let (center, width, function) = (try double(), try double(), try int())
            guard VOIWindow.Function.all.indices.contains(function),
                let window = VOIWindow(center: center, width: width, function: VOIWindow.Function.all[function])
            else { throw MessageError() }
            request.window = window
        }
        if try bool() {
            request.viewport = Viewport(
                width: try int(), height: try int(), x: try double(), y: try double(),
                regionWidth: try optionalDouble(), regionHeight: try optionalDouble(),
                enlarges: try bool())
        }
        request.drawsOverlays = try bool()
        let profile = try int()
        guard RenderingRequest.ColorProfile.all.indices.contains(profile) else { throw MessageError() }
        request.colorProfile = RenderingRequest.ColorProfile.all[profile]
        return request
    }
}

extension VOIWindow.Function {
    fileprivate static let all: [VOIWindow.Function] = [.linear, .linearExact, .sigmoid]
}

extension RenderingRequest.ColorProfile {
    fileprivate static let all: [RenderingRequest.ColorProfile] = [.no, .yes, .srgb, .adobeRGB, .rommRGB]
}
