import DICOMWeb

extension HostileInputs {
    /// The Content-Type of a store request, a line feed, and its body.
    public static func multipart(_ input: [UInt8]) {
        let lineEnd = input.firstIndex(of: 0x0A) ?? 0
        let contentType = String(decoding: input[..<lineEnd], as: UTF8.self)
        var boundary = MultipartBoundary("b")
        if case .multipart(let named, _)? = try? StoreContentType([contentType]) { boundary = named }
        guard let boundary else { return }
        let body = Array(input[lineEnd...].dropFirst())
        var small = PartLimits()
        small.headerBytes = 64
        small.headerFields = 2
        small.parts = 3
        for limits in [PartLimits.standard, small] {
            let whole = MultipartBody(body, boundary, limits, (.max, .max))
            for cut in cuts(body.count) {
                let pieced = MultipartBody(body, boundary, limits, cut)
                hold(pieced == whole, "cut into \(cut): \(pieced)\nas a whole: \(whole)")
            }
            let payload = whole.parts.reduce(0) { $0 + $1.payload.count }
            hold(payload + whole.parts.count * (boundary.text.utf8.count + 2) <= body.count + 2, "payload from nowhere")
            hold(whole.parts.count == whole.partCount && whole.partCount <= limits.parts, "count of parts")
            checkWriting(of: whole, limits)
        }
    }

    /// Parts that are written come back as they were.
    private static func checkWriting(of body: MultipartBody, _ limits: PartLimits) {
        guard !body.parts.isEmpty, body.error == nil else { return }
        var digits = Digits()
        var writer = MultipartRelatedWriter(partType: "application/dicom", using: &digits)
        let boundary = "--\(writer.boundary.text)".utf8
        guard !body.parts.contains(where: { $0.payload.contains(boundary) }) else { return }
        var bytes: [UInt8] = []
        for part in body.parts {
            bytes += writer.partBegins(contentType: "application/dicom") + part.payload
        }
        bytes += writer.end()
        let again = MultipartBody(bytes, writer.boundary, limits, (.max, .max))
        hold(again.parts.map(\.payload) == body.parts.map(\.payload), "parts change when they are written")
        hold(again.ending == .closed, "what was written is not closed")
    }
}

/// The same numbers in every run.
private struct Digits: RandomNumberGenerator {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
    }
}

/// The parts of a body.
private struct MultipartBody: Equatable {
    struct Part: Equatable {
        var header: PartHeader
        var payload: [UInt8] = []
        var hasEnded = false
    }

    var parts: [Part] = []
    var ending = MultipartRelatedParser.Ending.empty
    var error: MultipartError?
    var partCount: Int
    var hasBareLineFeeds: Bool

    init(
        _ body: [UInt8], _ boundary: MultipartBoundary, _ limits: PartLimits, _ cut: (first: Int, others: Int)
    ) {
        var parser = MultipartRelatedParser(boundary: boundary, limits: limits)
        var found: [Part] = []
        do throws(MultipartError) {
            try HostileInputs.pieces(of: body, cut) { (piece) throws(MultipartError) in
                var offset = 0
                while let event = try parser.next(in: piece, from: &offset) {
                    switch event {
                    case .partBegins(let header):
                        HostileInputs.hold(found.last?.hasEnded != false, "a part inside a part")
                        found.append(Part(header: header))
                    case .bytes(let range):
                        HostileInputs.hold(!range.isEmpty && range.upperBound <= piece.count, "bytes outside the piece")
                        HostileInputs.hold(found.last?.hasEnded == false, "bytes outside a part")
                        found[found.count - 1].payload += piece[range]
                    case .heldBytes(let bytes):
                        HostileInputs.hold(found.last?.hasEnded == false, "bytes outside a part")
                        found[found.count - 1].payload += bytes
                    case .partEnds:
                        HostileInputs.hold(found.last?.hasEnded == false, "an end without a part")
                        found[found.count - 1].hasEnded = true
                    }
                }
                HostileInputs.hold(offset == piece.count, "a piece is left over")
            }
        } catch {
            self.error = error
        }
        partCount = parser.partCount
        hasBareLineFeeds = parser.hasBareLineFeeds
        parts = found
        guard error == nil else { return }
        ending = parser.finish()
        if case .insidePart(let bytes) = ending {
            HostileInputs.hold(found.last?.hasEnded == false, "ended inside a part that is none")
            // How many bytes are held at the end depends on how they come.
            parts[parts.count - 1].payload += bytes
            ending = .insidePart(heldBytes: [])
        }
    }
}
