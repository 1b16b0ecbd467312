import Archive
import DICOMCore
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// WADO-URI for `application/dicom` (PS3.18 9).
struct URIServiceRoute: Sendable {
    let archive: Archive
    let pixels: PixelAccess

    private static let renderedOnly = [
        "frameNumber", "imageQuality", "imageAnnotation", "rows", "columns", "region", "windowCenter", "windowWidth",
        "presentationUID", "presentationSeriesUID",
    ]

    func answer(_ request: Request) async throws -> Response {
        let query = request.uri.queryParameters
        func text(_ name: String) -> String? { query[Substring(name)].map(String.init) }
        guard text("requestType") == "WADO" else {
            throw Problem(.invalidQuery, "The parameter requestType has to be WADO.")
        }
        func uid(_ name: String) throws -> UID {
            guard let uid = text(name).flatMap({ UID($0) }) else {
                throw Problem(.invalidQuery, "The parameter \(name) is missing or no UID.")
            }
            return uid
        }
        let entity = EntityPath(
            study: try uid("studyUID"), series: try uid("seriesUID"), instance: try uid("objectUID"))
        let types = text("contentType")?.split(separator: ",").map { $0.trimmingSpaces.lowercased() } ?? []
        guard types.contains("application/dicom") else {
            throw Problem(
                .notAcceptable, "This version does not render images; ask with contentType=application/dicom.")
        }
        for name in Self.renderedOnly where text(name) != nil {
            throw Problem(.invalidQuery, "The parameter \(name) does not go with application/dicom.")
        }
        if text("anonymize") == "yes" {
            throw Problem(.notAcceptable, "This server does not anonymize; nothing was sent.")
        }
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        guard let instance = found.instances.first else { throw Problem(.noSuchResource, "There is no such instance.") }
        let wish = TransferSyntaxWish(parameter: text("transferSyntax"))
        let content: InstanceContent
        switch TransferSyntaxSelection.withCodecs.instance(stored: instance.transferSyntaxUID, wish: wish) {
        case .stored: content = InstanceContent(stored: instance)
        case .convert(let uid):
            guard let target = TransferSyntax(uid: uid) else {
                throw Problem(.notAcceptable, TransferSyntaxSelection.Reason.cannotEncode.explanation)
            }
            content = InstanceContent(instance, convertedTo: target, by: pixels)
        case .unavailable(let reason): throw Problem(.notAcceptable, reason.explanation)
        }
        let conditional = Conditional(
            version: instance.version, representation: "u" + content.transferSyntaxUID.fingerprint)
        if let notModified = conditional.notModified(request) { return notModified }
        var response = try await SinglePartFile(content: content, blobs: archive.blobs).response(request)
        conditional.apply(to: &response)
        return response
    }
}
