import CLCMS

/// Converts rendered images to a colour space that was asked for, and finds the profile to embed (PS3.18 8.3.5.1.5).
enum ColorManagement {
    /// Larger profiles are not looked at: JPEG has no place for them (ICC.1 B.4).
    private static let sizeLimit = 255 * 65519

    /// Images without a usable profile of their own count as sRGB. Gray ones are converted between the tone curves.
    static func apply(
        _ wish: RenderingRequest.ColorProfile, embedded: [UInt8]?, to image: inout RenderedImage
    ) throws(RenderingError) {
        let isGray = image.colorSpace == .gray
        // The data set's is one of colours: it says nothing about grays.
        let embedded = embedded.flatMap { isGray || $0.count > sizeLimit ? nil : $0 }
        let target: StandardProfile
        switch wish {
        case .no: return
        case .yes:
            if let embedded, let profile = Profile(embedded), profile.isRGB { image.iccProfile = embedded }
            return
        case .srgb: target = .srgb
        case .adobeRGB: target = .adobeRGB
        case .rommRGB: target = .rommRGB
        }
        guard let destination = Profile(target, isGray: isGray), let bytes = destination.bytes() else {
            throw RenderingError(.invalidColorProfile)
        }
        image.iccProfile = bytes
        if let own = embedded.flatMap({ Profile($0) }), own.isRGB, convert(&image, from: own, to: destination) {
            return
        }
        guard target != .srgb else { return }
        guard let source = Profile(.srgb, isGray: isGray), convert(&image, from: source, to: destination) else {
            throw RenderingError(.invalidColorProfile)
        }
    }

    /// Says whether it could: a profile may turn out to be none only now.
    private static func convert(
        _ image: inout RenderedImage, from source: borrowing Profile, to destination: borrowing Profile
    ) -> Bool {
        let format = image.colorSpace == .gray ? gantry_gray8 : gantry_rgb8
        guard
            let transform = cmsCreateTransform(
                source.handle, format, destination.handle, format, UInt32(INTENT_PERCEPTUAL), 0)
        else { return false }
        defer { cmsDeleteTransform(transform) }
        let rowBytes = image.width * image.colorSpace.channels
        let (width, height) = (UInt32(image.width), image.height)
        image.samples.withUnsafeMutableBytes { samples in
            guard let base = samples.baseAddress else { return }
            for row in 0..<height {
                let line = base + row * rowBytes
                cmsDoTransform(transform, line, line, width)
            }
        }
        return true
    }

    private enum StandardProfile { case srgb, adobeRGB, rommRGB }

    /// A profile of the library's, closed with the value.
    private struct Profile: ~Copyable {
        let handle: cmsHPROFILE

        init?(_ bytes: [UInt8]) {
            guard let handle = cmsOpenProfileFromMem(bytes, UInt32(clamping: bytes.count)) else { return nil }
            self.handle = handle
        }

        init?(_ standard: StandardProfile, isGray: Bool) {
            guard let handle = isGray ? Self.gray(standard) : Self.rgb(standard) else { return nil }
            self.handle = handle
        }

        deinit { cmsCloseProfile(handle) }

        var isRGB: Bool { cmsGetColorSpace(handle) == cmsSigRgbData }

        /// The profile as it is embedded, the same bytes each time.
        func bytes() -> [UInt8]? {
            var count: UInt32 = 0
            guard cmsSaveProfileToMem(handle, nil, &count) != 0, count >= 128 else { return nil }
            var bytes = [UInt8](repeating: 0, count: Int(count))
            guard cmsSaveProfileToMem(handle, &bytes, &count) != 0 else { return nil }
            // When the library made it would make each answer another one (ICC.1 7.2.10).
            bytes.replaceSubrange(24..<36, with: [0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
            return bytes
        }

        private static let d65 = cmsCIExyY(x: 0.3127, y: 0.3290, Y: 1)
        private static let d50 = cmsCIExyY(x: 0.3457, y: 0.3585, Y: 1)

        private static func rgb(_ standard: StandardProfile) -> cmsHPROFILE? {
            guard standard != .srgb else { return cmsCreate_sRGBProfile() }
            // Adobe RGB (1998) 4.3.1; ISO 22028-2 (ROMM RGB).
            var white = standard == .adobeRGB ? d65 : d50
            var primaries =
                standard == .adobeRGB
                ? triple((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
                : triple((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
            return withCurve(standard) { curve in
                var curves: [OpaquePointer?] = [curve, curve, curve]
                return cmsCreateRGBProfile(&white, &primaries, &curves)
            }
        }

        private static func gray(_ standard: StandardProfile) -> cmsHPROFILE? {
            var white = d50
            return withCurve(standard) { cmsCreateGrayProfile(&white, $0) }
        }

        private static func triple(
            _ red: (Double, Double), _ green: (Double, Double), _ blue: (Double, Double)
        ) -> cmsCIExyYTRIPLE {
            cmsCIExyYTRIPLE(
                Red: cmsCIExyY(x: red.0, y: red.1, Y: 1), Green: cmsCIExyY(x: green.0, y: green.1, Y: 1),
                Blue: cmsCIExyY(x: blue.0, y: blue.1, Y: 1))
        }

        private static func withCurve(
            _ standard: StandardProfile, _ body: (OpaquePointer) -> cmsHPROFILE?
        ) -> cmsHPROFILE? {
            // Type 4: ((a x + b) ^ g) from d, c x below it.
            let curve =
                switch standard {
                case .srgb: cmsBuildParametricToneCurve(nil, 4, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045])
                case .adobeRGB: cmsBuildGamma(nil, 563.0 / 256)
                case .rommRGB: cmsBuildParametricToneCurve(nil, 4, [1.8, 1, 0, 1.0 / 16, 16.0 / 512])
                }
            guard let curve else { return nil }
            defer { cmsFreeToneCurve(curve) }
            return body(curve)
        }
    }
}
