import DICOMModels

/// What the service offers, as a WADL document (PS3.18 8.9, Annex H).
public struct CapabilitiesDescription: Sendable {
    /// The media type of the document.
    public static let mediaType = "application/vnd.sun.wadl+xml"

    /// Parts of the service that can be switched off.
    public struct Features: Sendable {
        public var deletes = true
        public var hasURIService = true

        public init() {}
    }

    private let features: Features

    public init(features: Features = Features()) { self.features = features }

    /// The document for a service at this public address, which has no slash at its end.
    public func wadl(serviceURL: String) -> [UInt8] {
        var writer = WADLWriter()
        writer.open("application", [("xmlns", "http://wadl.dev.java.net/2009/02")])
        writer.open("resources", [("base", serviceURL + "/")])
        writer.method("OPTIONS", id: "RetrieveCapabilities", responses: [Self.mediaType])
        if features.hasURIService { writeURIService(to: &writer) }
        writeStudies(to: &writer)
        writer.resource("series") { $0.search("SearchForSeries") }
        writer.resource("instances") { $0.search("SearchForInstances") }
        writer.close("resources")
        writer.close("application")
        return Array(writer.text.utf8)
    }

    private func writeStudies(to writer: inout WADLWriter) {
        writer.resource("studies") { writer in
            writer.search("SearchForStudies")
            writer.store("StoreInstances")
            writer.resource("{study}", isTemplate: true) { writer in
                writeEntity("Study", to: &writer)
                writer.store("StoreStudyInstances")
                writer.resource("instances") { $0.search("SearchForStudyInstances") }
                writer.resource("series") { writer in
                    writer.search("SearchForStudySeries")
                    writer.resource("{series}", isTemplate: true) { writer in
                        writeEntity("Series", to: &writer)
                        writer.resource("instances") { writer in
                            writer.search("SearchForStudySeriesInstances")
                            writer.resource("{instance}", isTemplate: true, writeInstance)
                        }
                    }
                }
            }
        }
    }

    private func writeInstance(to writer: inout WADLWriter) {
        writeEntity("Instance", to: &writer)
        writer.resource("frames") { writer in
            writer.resource("{frames}", isTemplate: true) { writer in
                writer.retrieve("RetrieveFrames", WADLWriter.bulkDataTypes)
                writeRendered("Frames", to: &writer)
            }
        }
    }

    private func writeEntity(_ name: String, to writer: inout WADLWriter) {
        writer.retrieve("Retrieve\(name)", WADLWriter.instanceTypes + (name == "Instance" ? ["application/dicom"] : []))
        if features.deletes { writer.method("DELETE", id: "Delete\(name)", responses: []) }
        writer.resource("metadata") { $0.retrieve("Retrieve\(name)Metadata", WADLWriter.modelTypes) }
        writer.resource("bulkdata") { writer in
            writer.retrieve("Retrieve\(name)BulkData", WADLWriter.bulkDataTypes)
            guard name == "Instance" else { return }
            writer.resource("{bulkdata}", isTemplate: true) {
                $0.retrieve("RetrieveBulkData", WADLWriter.bulkDataTypes)
            }
        }
        writer.resource("pixeldata") { $0.retrieve("Retrieve\(name)PixelData", WADLWriter.bulkDataTypes) }
        writeRendered(name, to: &writer)
    }

    private func writeRendered(_ name: String, to writer: inout WADLWriter) {
        writer.resource("rendered") { writer in
            writer.method(
                "GET", id: "Retrieve\(name)Rendered",
                parameters: ["accept", "annotation", "quality", "viewport", "window", "iccprofile"],
                responses: WADLWriter.imageTypes + WADLWriter.otherRenderedTypes
                    + WADLWriter.imageTypes.map { "multipart/related; type=\"\($0)\"" })
        }
        writer.resource("thumbnail") { writer in
            writer.method(
                "GET", id: "Retrieve\(name)Thumbnail", parameters: ["accept", "viewport"],
                responses: WADLWriter.imageTypes)
        }
    }

    private func writeURIService(to writer: inout WADLWriter) {
        writer.resource("wado") { writer in
            writer.method(
                "GET", id: "RetrieveByURI",
                parameters: ["requestType", "studyUID", "seriesUID", "objectUID", "contentType", "transferSyntax"]
                    + ["frameNumber", "imageQuality", "imageAnnotation", "rows", "columns", "region", "windowCenter"]
                    + ["windowWidth", "presentationUID", "presentationSeriesUID"],
                responses: ["application/dicom"] + WADLWriter.imageTypes + WADLWriter.otherRenderedTypes)
        }
    }
}

/// Elements of WADL, in text.
private struct WADLWriter {
    static let modelTypes = ["application/dicom+json", "multipart/related; type=\"application/dicom+xml\""]
    static let instanceTypes = [
        "multipart/related; type=\"application/dicom\"", "multipart/related; type=\"application/octet-stream\"",
        "application/zip",
    ]
    static let bulkDataTypes =
        ["multipart/related; type=\"application/octet-stream\"", "application/octet-stream"]
        + PixelMediaTypes.all.map { "multipart/related; type=\"\(PixelMediaTypes.wireName($0))\"" }
    static let imageTypes = ["image/jpeg", "image/png", "image/gif"]
    static let otherRenderedTypes = [
        "text/html", "text/plain", "text/xml", "application/pdf", "video/mp4", "video/mpeg", "video/H265",
    ]
    static let storeTypes =
        ["", "+json", "+xml"].map { "multipart/related; type=\"application/dicom\($0)\"" } + ["application/dicom"]

    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private var depth = 0

    mutating func open(_ name: String, _ attributes: [(String, String)] = []) {
        line(tag(name, attributes, end: ">"))
        depth += 1
    }

    mutating func close(_ name: String) {
        depth -= 1
        line("</\(name)>")
    }

    mutating func resource(_ path: String, isTemplate: Bool = false, _ body: (inout WADLWriter) -> Void) {
        open("resource", [("path", path)])
        if isTemplate {
            let name = String(path.dropFirst().dropLast())
            leaf("param", [("name", name), ("style", "template"), ("required", "true")])
        }
        body(&self)
        close("resource")
    }

    mutating func retrieve(_ id: String, _ responses: [String]) {
        method("GET", id: id, parameters: ["accept"], responses: responses)
    }

    mutating func search(_ id: String) {
        method(
            "GET", id: id,
            parameters: ["accept", "includefield", "limit", "offset", "orderby"]
                + ["fuzzymatching", "emptyvaluematching", "multiplevaluematching", "{attributeID}"],
            responses: Self.modelTypes)
    }

    mutating func store(_ id: String) {
        method(
            "POST", id: id, requests: Self.storeTypes, responses: ["application/dicom+json", "application/dicom+xml"])
    }

    mutating func method(
        _ name: String, id: String, parameters: [String] = [], requests: [String] = [], responses: [String]
    ) {
        open("method", [("name", name), ("id", id)])
        open("request")
        if !responses.isEmpty { leaf("param", [("name", "Accept"), ("style", "header")]) }
        if !requests.isEmpty { leaf("param", [("name", "Content-Type"), ("style", "header"), ("required", "true")]) }
        for parameter in parameters { leaf("param", [("name", parameter), ("style", "query")]) }
        for type in requests { leaf("representation", [("mediaType", type)]) }
        close("request")
        if !responses.isEmpty {
            open("response")
            for type in responses { leaf("representation", [("mediaType", type)]) }
            close("response")
        }
        close("method")
    }

    private mutating func leaf(_ name: String, _ attributes: [(String, String)]) {
        line(tag(name, attributes, end: "/>"))
    }

    private mutating func line(_ content: String) {
        text += String(repeating: "  ", count: depth)
        text += content
        text += "\n"
    }

    private func tag(_ name: String, _ attributes: [(String, String)], end: String) -> String {
        var text = "<" + name
        for (name, value) in attributes { text += " \(name)=\"\(value.escapedForMarkup)\"" }
        return text + end
    }
}
