/// Makes images for viewing of the frames of an image (PS3.4 N.2, PS3.18 8.3.5).
///
/// Order: overlays that lie in unused bits are taken out, modality LUT, VOI LUT, presentation LUT; palette and YBR become
/// RGB; region, scale, colour profile, annotation. (The profile comes behind scaling, where there are fewer pixels.)
public struct RenderingPipeline: Sendable {
    public var attributes: RenderingAttributes
    /// Pixels that a result may have.
    public var pixelLimit: Int

    public init(_ attributes: RenderingAttributes, pixelLimit: Int = 1 << 26) {
        self.attributes = attributes
        self.pixelLimit = pixelLimit
    }

    /// The table of all frames with this layout under this request; `nil` where there is none: the pixels of each frame
    /// decide about the window, samples have more than 16 bits, or pixels three samples.
    public func table(for description: ImagePixelDescription, _ request: RenderingRequest) -> RenderingTable? {
        guard description.samplesPerPixel == 1, attributes.sampleKind == .integer else { return nil }
        let bits = StoredBits(description)
        guard bits.count <= RenderingTable.maximumBits else { return nil }
        if description.photometricInterpretation == .paletteColor {
            return attributes.palette.flatMap { RenderingTable($0, bits: bits) }
        }
        guard let values = valuesOfInterest(request, bits) else { return nil }
        return table(values, description, request)
    }

    /// The window that spreads the pixels of a frame, padding left out, over all grays: what is used where neither the
    /// request nor the data set has one. For the frames of an animation it should be the same one. `nil` for frames of
    /// colours, and those without a value that is a number.
    public func automaticWindow(for frame: FrameBuffer) -> VOIWindow? {
        let description = frame.description
        guard description.samplesPerPixel == 1, description.photometricInterpretation != .paletteColor,
            (try? checkSize(of: frame)) != nil, (try? checkSamples(of: description)) != nil
        else { return nil }
        return PixelRange(frame, attributes).window
    }

    /// Renders a frame.
    ///
    /// - Parameter table: what `table(for:_:)` made for the same request; one that is for other pixels is not used.
    public func render(
        _ frame: FrameBuffer, _ request: RenderingRequest, table: RenderingTable? = nil
    ) throws(RenderingError) -> RenderedImage {
        let geometry = try geometry(of: frame, request)
        let samples = try samples(of: frame, request, table: table)
        var image = frame.bytes.withUnsafeBytes { bytes in
            let rows = rows(of: frame.description, bytes, samples, request)
            return RenderedImage(
                known: geometry.width, geometry.height, rows.colorSpace,
                ImageScaling(source: rows, geometry: geometry).samples())
        }
        try ColorManagement.apply(request.colorProfile, embedded: attributes.iccProfile, to: &image)
        TextBurning.burn(request.annotation, into: &image)
        return image
    }

    /// Renders a frame and writes it as JPEG. A large one in its own size is never there as a whole in eight bits: rows
    /// are encoded as they are made.
    public func jpeg(
        _ frame: FrameBuffer, _ request: RenderingRequest, quality: Int = 90, table: RenderingTable? = nil
    ) throws(RenderingError) -> [UInt8] {
        let geometry = try geometry(of: frame, request)
        guard geometry.isOneToOne, !geometry.mirrorsVertically, geometry.width * geometry.height >= 1 << 20,
            request.annotation.isEmpty,
            request.colorProfile == .no || request.colorProfile == .yes && attributes.iccProfile == nil
        else { return try ImageFileEncoder.jpeg(try render(frame, request, table: table), quality: quality) }
        let samples = try samples(of: frame, request, table: table)
        return try frame.bytes.withUnsafeBufferPointer { bytes throws(RenderingError) in
            let rows = rows(of: frame.description, UnsafeRawBufferPointer(bytes), samples, request)
            let scaling = ImageScaling(source: rows, geometry: geometry)
            return try JPEGStrips.encode(
                width: geometry.width, height: geometry.height, rows.colorSpace, quality: quality
            ) { scaling.copy($0, into: $1) }
        }
    }

    // MARK: - Checks

    private func geometry(
        of frame: FrameBuffer, _ request: RenderingRequest
    ) throws(RenderingError) -> RegionGeometry {
        try checkSize(of: frame)
        return try RegionGeometry(
            request.viewport, columns: frame.description.columns, rows: frame.description.rows, pixelLimit: pixelLimit)
    }

    /// Whatever was changed since the frame was made.
    private func checkSize(of frame: FrameBuffer) throws(RenderingError) {
        let description = frame.description
        guard description.rows > 0, description.columns > 0, description.rows <= 0xFFFF, description.columns <= 0xFFFF,
            let needed = description.frameByteCount, needed > 0, needed <= frame.bytes.count
        else { throw RenderingError(.frameDoesNotFitDescription) }
    }

    /// Whether pixels of one sample are of a kind that can be read.
    private func checkSamples(of description: ImagePixelDescription) throws(RenderingError) {
        let allocated = description.bitsAllocated
        guard [1, 8, 16, 32, 64].contains(allocated), attributes.sampleKind == .integer || allocated >= 32 else {
            throw RenderingError(.unsupportedPixels(bitsAllocated: allocated, samplesPerPixel: 1))
        }
    }

    // MARK: - Samples

    private func rows(
        of description: ImagePixelDescription, _ bytes: UnsafeRawBufferPointer, _ samples: FrameRows.Samples,
        _ request: RenderingRequest
    ) -> FrameRows {
        let bits = StoredBits(description)
        let overlays = request.drawsOverlays ? attributes.overlays.filter { !$0.lies(in: bits) } : []
        return FrameRows(bytes: bytes, description: description, samples: samples, overlays: overlays)
    }

    private func samples(
        of frame: FrameBuffer, _ request: RenderingRequest, table: RenderingTable?
    ) throws(RenderingError) -> FrameRows.Samples {
        let description = frame.description
        guard description.samplesPerPixel == 1 else { return .color(try ColorSamples(description)) }
        try checkSamples(of: description)
        let allocated = description.bitsAllocated
        let bits = StoredBits(description)
        if let table, table.bits == bits, attributes.sampleKind == .integer { return .table(table) }
        if let table = self.table(for: description, request) { return .table(table) }
        guard description.photometricInterpretation != .paletteColor else {
            throw RenderingError(
                attributes.palette == nil
                    ? .paletteMissing : .unsupportedPixels(bitsAllocated: allocated, samplesPerPixel: 1))
        }
        let values =
            valuesOfInterest(request, bits)
            ?? PixelRange(frame, attributes).window.map { .window($0) } ?? .window(.unit)
        if attributes.sampleKind == .integer, let table = self.table(values, description, request) {
            return .table(table)
        }
        let wide: WideSamples =
            switch attributes.sampleKind {
            case .integer: .integer(bitsAllocated: allocated, bits)
            case .floatingPoint: allocated == 32 ? .float32 : .float64
            }
        return .computed(wide, transformation(values, description, request))
    }

    private func table(
        _ values: GrayscaleTransformation.ValuesOfInterest, _ description: ImagePixelDescription,
        _ request: RenderingRequest
    ) -> RenderingTable? {
        let transformation = transformation(values, description, request)
        let bits = StoredBits(description)
        if attributes.hasSupplementalPalette, let palette = attributes.palette {
            return RenderingTable(palette, others: transformation, bits: bits)
        }
        return RenderingTable(transformation, bits: bits)
    }

    /// What the request or the data set says; single bits are all or nothing without any window.
    private func valuesOfInterest(
        _ request: RenderingRequest, _ bits: StoredBits
    ) -> GrayscaleTransformation.ValuesOfInterest? {
        if let window = request.window { return .window(window) }
        if let values = attributes.valuesOfInterest { return values }
        guard bits.count == 1, attributes.sampleKind == .integer else { return nil }
        let ends = [attributes.modality.output(0), attributes.modality.output(1)].sorted()
        return VOIWindow(spreading: ends[0], ends[1]).map { .window($0) }
    }

    private func transformation(
        _ values: GrayscaleTransformation.ValuesOfInterest, _ description: ImagePixelDescription,
        _ request: RenderingRequest
    ) -> GrayscaleTransformation {
        // The shape of MONOCHROME1 images is INVERSE: both say the same once (PS3.3 C.8.11.3.1.2).
        let isMonochrome1 = description.photometricInterpretation == .monochrome1 && !attributes.isPresented
        return GrayscaleTransformation(
            modality: attributes.modality, valuesOfInterest: values,
            presentation: isMonochrome1 ? .inverse : attributes.presentation, padding: attributes.padding)
    }
}
