import CGIF

/// Writes a GIF (89a) of one image, or of several that are shown one after the other for ever, by giflib.
///
/// Images are taken one at a time, so that not all have to be in memory.
public struct GIFAnimation: ~Copyable {
    private let file: UnsafeMutablePointer<GifFileType>
    /// What giflib has written so far; it has a reference.
    private let bytes: Unmanaged<WrittenBytes>
    private let width: Int
    private let height: Int
    private let frameTime: Double?
    private var isClosed = false
    private var hasScreen = false

    /// - Parameter frameTime: how long each image is shown, in milliseconds (Frame Time (0018,1063)); `nil` for one
    ///   image that stays.
    public init(width: Int, height: Int, frameTime: Double?) throws(RenderingError) {
        guard (1...0xFFFF).contains(width), (1...0xFFFF).contains(height) else {
            throw RenderingError(.tooLargeForFormat)
        }
        let bytes = Unmanaged.passRetained(WrittenBytes())
        var status: Int32 = 0
        let write: OutputFunc = { file, source, count in
            guard let file, let source, let written = file.pointee.UserData else { return 0 }
            Unmanaged<WrittenBytes>.fromOpaque(written).takeUnretainedValue().append(source, count)
            return count
        }
        guard let file = EGifOpen(bytes.toOpaque(), write, &status) else {
            bytes.release()
            throw RenderingError(.encoderFailed)
        }
        self.file = file
        self.bytes = bytes
        self.width = width
        self.height = height
        self.frameTime = frameTime
    }

    deinit {
        if !isClosed { _ = EGifCloseFile(file, nil) }
        bytes.release()
    }

    /// Adds an image of the animation's size.
    public mutating func append(_ image: RenderedImage) throws(RenderingError) {
        guard image.width == width, image.height == height else { throw RenderingError(.differentFrameSizes) }
        let indexed = IndexedImage(image)
        guard let map = GifMakeMapObject(256, nil) else { throw RenderingError(.encoderFailed) }
        defer { GifFreeMapObject(map) }
        for (index, color) in indexed.colors.prefix(256).enumerated() {
            map.pointee.Colors[index] = GifColorType(
                Red: UInt8(truncatingIfNeeded: color >> 16), Green: UInt8(truncatingIfNeeded: color >> 8),
                Blue: UInt8(truncatingIfNeeded: color))
        }
        let isFirst = !hasScreen
        if isFirst {
            EGifSetGifVersion(file, true)
            try check(EGifPutScreenDesc(file, Int32(width), Int32(height), 8, 0, map))
            hasScreen = true
            if frameTime != nil { try loopForever() }
        }
        if let frameTime { try show(for: frameTime) }
        // Grays share the table of the screen; colours are each image's own.
        let isShared = isFirst || indexed.isGray && sharesGrays
        if isFirst { sharesGrays = indexed.isGray }
        try check(EGifPutImageDesc(file, 0, 0, Int32(width), Int32(height), false, isShared ? nil : map))
        var pixels = indexed.pixels
        let count = width
        for row in 0..<height {
            let status = pixels.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map { EGifPutLine(file, $0 + row * count, Int32(count)) } ?? 0
            }
            try check(status)
        }
    }

    /// Whether the table of the screen is that of all gray images.
    private var sharesGrays = false

    /// Ends the file and returns it.
    public consuming func finish() throws(RenderingError) -> [UInt8] {
        guard hasScreen else { throw RenderingError(.encoderFailed) }
        isClosed = true
        try check(EGifCloseFile(file, nil))
        return bytes.takeUnretainedValue().bytes
    }

    // MARK: - Extensions

    /// The looping application extension that all browsers know.
    private func loopForever() throws(RenderingError) {
        try check(EGifPutExtensionLeader(file, APPLICATION_EXT_FUNC_CODE))
        try check(EGifPutExtensionBlock(file, 11, Array("NETSCAPE2.0".utf8)))
        try check(EGifPutExtensionBlock(file, 3, [1, 0, 0] as [UInt8]))
        try check(EGifPutExtensionTrailer(file))
    }

    /// Viewers take times below 20 ms for a mistake and show such images slowly.
    private func show(for milliseconds: Double) throws(RenderingError) {
        let hundredths = milliseconds.isFinite ? Int(max(2, min((milliseconds / 10).rounded(), 6000))) : 10
        var control = GraphicsControlBlock(
            DisposalMode: DISPOSE_DO_NOT, UserInputFlag: false, DelayTime: Int32(hundredths),
            TransparentColor: NO_TRANSPARENT_COLOR)
        var block = [UInt8](repeating: 0, count: 4)
        let count = EGifGCBToExtension(&control, &block)
        try check(EGifPutExtension(file, GRAPHICS_EXT_FUNC_CODE, Int32(count), block))
    }

    private func check(_ status: Int32) throws(RenderingError) {
        guard status == GIF_OK else { throw RenderingError(.encoderFailed) }
    }
}

/// What giflib writes, at an address that stays.
private final class WrittenBytes {
    private(set) var bytes: [UInt8] = []

    func append(_ source: UnsafePointer<UInt8>, _ count: Int32) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: source, count: max(0, Int(count))))
    }
}
