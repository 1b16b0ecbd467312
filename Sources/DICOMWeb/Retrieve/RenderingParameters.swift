/// How a rendered resource or a thumbnail is wanted: the parameters of its query string (PS3.18 8.3.5, 10.4.1.1.2,
/// 10.4.1.1.3).
public struct RenderingParameters: Hashable, Sendable {
    /// `window=center,width,function`
    public struct Window: Hashable, Sendable {
        public enum Function: String, Hashable, Sendable {
            case linear
            case linearExact = "linear-exact"
            case sigmoid
        }

        public var center: Double
        /// At least 1 for `linear`, above 0 for the others.
        public var width: Double
        public var function: Function

        public init(center: Double, width: Double, function: Function) {
            self.center = center
            self.width = width
            self.function = function
        }
    }

    /// `viewport=vw,vh,sx,sy,sw,sh`
    public struct Viewport: Hashable, Sendable {
        public var width: Int
        public var height: Int
        public var x: Double
        public var y: Double
        /// Up to the edge when absent, mirrored when negative; never zero.
        public var regionWidth: Double?
        public var regionHeight: Double?

        public init(
            width: Int, height: Int, x: Double = 0, y: Double = 0, regionWidth: Double? = nil,
            regionHeight: Double? = nil
        ) {
            self.width = width
            self.height = height
            self.x = x
            self.y = y
            self.regionWidth = regionWidth
            self.regionHeight = regionHeight
        }

        /// Whether only the size is given.
        public var isSizeOnly: Bool { self == Viewport(width: width, height: height) }
    }

    /// What is burned into the image.
    public enum Annotation: String, Hashable, Sendable {
        case patient
        case technique
    }

    /// Whether, and with which colours, an ICC profile is embedded.
    public enum ICCProfile: String, Hashable, Sendable {
        case no
        case yes
        case srgb
        case adobergb
        case rommrgb
    }

    public enum Resource: Hashable, Sendable {
        case rendered
        case thumbnail
    }

    public var window: Window?
    public var viewport: Viewport?
    /// 1 to 100.
    public var quality: Int?
    /// Each at most once, in the order of the request.
    public var annotations: [Annotation] = []
    public var iccProfile: ICCProfile?
    /// Names of character sets, best first.
    public var charsets: [String] = []
    /// The values of `accept` parameters.
    public var accept: [String] = []
    /// Texts for `Warning: 299` headers.
    public var warnings: [String] = []

    /// No image is asked for that is longer on one side.
    public static let maximumViewportSide = 16384

    /// Reads a raw query string. Malformed parameters and repeated ones are refused; unknown ones, and those that a
    /// thumbnail does not have, are ignored with a warning.
    public init(_ resource: Resource = .rendered, query text: String?) throws(DICOMWebError) {
        var values: [String: String] = [:]
        var ignored: [String] = []
        for pair in (text ?? "").split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decoded(halves[0]),
                let value = PercentEncoding.decoded(halves.count == 2 ? halves[1] : "")
            else {
                throw QueryParameters.malformed(
                    "An escape is malformed, or what it encodes is not UTF-8.", "PS3.18 8.3.1")
            }
            switch name {
            case "accept": accept.append(value)
            case "viewport", "charset": try Self.put(value, name, &values)
            case "window", "quality", "annotation", "iccprofile":
                if resource == .rendered { try Self.put(value, name, &values) } else { ignored.append(name) }
            case "_", "access_token": continue
            default: ignored.append(name)
            }
        }
        window = try values["window"].map(Self.window)
        viewport = try values["viewport"].map { text throws(DICOMWebError) in
            try Self.viewport(text, sizeOnly: resource == .thumbnail)
        }
        quality = try values["quality"].map(Self.quality)
        iccProfile = try values["iccprofile"].map(Self.iccProfile)
        charsets = (values["charset"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        if let text = values["annotation"] { try readAnnotations(text) }
        guard !ignored.isEmpty else { return }
        let names = ignored.map(SearchRequest.printable).joined(separator: ", ")
        warnings.append("The following query parameters were ignored: \(names)")
    }

    /// Refuses what cannot be embedded in the media type of the answer (PS3.18 8.3.5.1.5).
    public func check(mediaType: String) throws(DICOMWebError) {
        guard let iccProfile, iccProfile != .no, !["image/jpeg", "image/png", "image/jp2"].contains(mediaType) else {
            return
        }
        throw Self.invalid("iccprofile", "asks for a profile, which the media type has no place for", "8.3.5.1.5")
    }

    /// Refuses what a presentation state decides itself (PS3.18 8.3.5.1.3, 8.3.5.1.4).
    public func checkForPresentationState() throws(DICOMWebError) {
        guard window == nil else {
            throw Self.invalid("window", "cannot be used on a presentation state", "8.3.5.1.4")
        }
        guard viewport?.isSizeOnly ?? true else {
            throw Self.invalid("viewport", "has a region, which a presentation state does not allow", "8.3.5.1.3")
        }
    }

    // MARK: - Values

    private static func put(
        _ value: String, _ name: String, _ values: inout [String: String]
    ) throws(DICOMWebError) {
        guard values.updateValue(value, forKey: name) == nil else {
            throw invalid(name, "is given more than once", "8.3.5")
        }
    }

    private static func window(_ text: String) throws(DICOMWebError) -> Window {
        let fields = fields(text)
        guard fields.count == 3 else {
            throw invalid("window", "needs three values: center, width and function", "8.3.5.1.4")
        }
        guard let center = decimal(fields[0]), let width = decimal(fields[1]) else {
            throw invalid("window", "has a center or width that is not a decimal number", "8.3.5.1.4")
        }
        guard let function = Window.Function(rawValue: fields[2]) else {
            throw invalid("window", "has a function that is none of linear, linear-exact and sigmoid", "8.3.5.1.4")
        }
        guard function == .linear ? width >= 1 : width > 0 else {
            throw invalid(
                "window", function == .linear ? "has a width below 1" : "has a width that is not above 0", "8.3.5.1.4")
        }
        return Window(center: center, width: width, function: function)
    }

    private static func viewport(_ text: String, sizeOnly: Bool) throws(DICOMWebError) -> Viewport {
        let fields = fields(text)
        guard (2...6).contains(fields.count) else {
            throw invalid("viewport", "needs a width and a height, and at most four values for a region", "8.3.5.1.3")
        }
        guard fields.count == 2 || !sizeOnly else {
            throw invalid("viewport", "has more than two values, which a thumbnail does not allow", "8.3.5.1.3")
        }
        guard let width = wholeNumber(fields[0]), let height = wholeNumber(fields[1]), width > 0, height > 0 else {
            throw invalid("viewport", "has a width or height that is not a positive whole number", "8.3.5.1.3")
        }
        guard width <= maximumViewportSide, height <= maximumViewportSide else {
            throw invalid("viewport", "is larger than \(maximumViewportSide) pixels on a side", "8.3.5.1.3")
        }
        var region: [Double?] = [nil, nil, nil, nil]
        for (index, field) in fields.dropFirst(2).enumerated() where !field.isEmpty {
            guard let value = decimal(field) else {
                throw invalid("viewport", "has a region of something else than decimal numbers", "8.3.5.1.3")
            }
            region[index] = value
        }
        guard region[2] != 0, region[3] != 0 else {
            throw invalid("viewport", "has a region without extent", "8.3.5.1.3")
        }
        return Viewport(
            width: width, height: height, x: region[0] ?? 0, y: region[1] ?? 0, regionWidth: region[2],
            regionHeight: region[3])
    }

    private static func quality(_ text: String) throws(DICOMWebError) -> Int {
        guard let quality = wholeNumber(text), (1...100).contains(quality) else {
            throw invalid("quality", "is not a whole number from 1 to 100", "8.3.5.1.2")
        }
        return quality
    }

    private static func iccProfile(_ text: String) throws(DICOMWebError) -> ICCProfile {
        guard let profile = ICCProfile(rawValue: text) else {
            throw invalid("iccprofile", "is none of no, yes, srgb, adobergb and rommrgb", "8.3.5.1.5")
        }
        return profile
    }

    private mutating func readAnnotations(_ text: String) throws(DICOMWebError) {
        var unknown: [String] = []
        for field in Self.fields(text) {
            guard !field.isEmpty, field.utf8.allSatisfy(Self.isKeywordByte) else {
                throw Self.invalid("annotation", "is not a list of keywords", "8.3.5.1.1")
            }
            guard let annotation = Annotation(rawValue: field) else {
                unknown.append(SearchRequest.printable(field))
                continue
            }
            if !annotations.contains(annotation) { annotations.append(annotation) }
        }
        guard !unknown.isEmpty else { return }
        warnings.append("The following annotations are not supported: \(unknown.joined(separator: ", "))")
    }

    // MARK: - Grammar

    private static func invalid(_ name: String, _ what: String, _ section: String) -> DICOMWebError {
        QueryParameters.malformed("\(name) \(what).", "PS3.18 \(section)")
    }

    private static func fields(_ text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func isKeywordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }

    private static func wholeNumber(_ text: String) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    /// A number in the notation of a Decimal String: no names, no other base than ten.
    private static func decimal(_ text: String) -> Double? {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
            default: false
            }
        }
        guard isPlain, let value = Double(text), value.isFinite else { return nil }
        return value
    }
}
