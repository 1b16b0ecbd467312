import DICOMWeb
import HTTPTypes
import Testing

@Suite struct RetrieveRequestTests {
    private func first(_ kind: ResourceKind, _ accept: String?, query: [String] = []) -> Representation? {
        do throws(DICOMWebError) {
            return try RetrieveRequest(kind, accept: accept.map { [$0] } ?? [], query: query).representations.first
        } catch {
            #expect(error.status == .notAcceptable)
            return nil
        }
    }

    private static let dicom = #"multipart/related; type="application/dicom""#
    private static let ohif =
        "application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*"

    @Test(arguments: [
        "*/*", nil, dicom, "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        "application/dicom, " + dicom, dicom + ", image/jpeg",
    ])
    func `a study comes as multipart files`(accept: String?) {
        let representation = first(.instances, accept)
        #expect(representation?.content == .dicom && representation?.packaging == .multipart)
        #expect(representation?.transferSyntax == .default)
    }

    @Test(arguments: [
        (ResourceKind.instances, "application/dicom"), (.instances, "text/csv"), (.metadata, "text/csv"),
        (.metadata, "application/xml"), (.searchResult, "application/dicom+json;q=0"), (.storeResponse, "image/png"),
        (.frames(count: 2), "application/octet-stream"),
    ])
    func `nothing acceptable is 406`(kind: ResourceKind, accept: String) {
        #expect(first(kind, accept) == nil)
    }

    @Test(arguments: [
        ohif, ohif + "; transfer-syntax=*", "application/dicom+json, application/json", "*/*", "application/json",
        #"application/dicom+json;q=0.9, text/csv, image/png;q="1""#, "APPLICATION/DICOM+JSON", nil,
    ])
    func `metadata come as JSON`(accept: String?) {
        #expect(
            first(.metadata, accept)
                == first(.metadata, accept).map {
                    Representation(.dicomJSON, .single, quality: $0.quality, isWildcard: $0.isWildcard)
                })
        #expect(first(.metadata, accept)?.content == .dicomJSON)
    }

    @Test func `one instance may come alone`() {
        #expect(
            first(.instance, "application/dicom; transfer-syntax=*")
                == Representation(.dicom, .single, transferSyntax: .any))
        #expect(first(.instance, "*/*", query: ["application/dicom"])?.packaging == .single)
        #expect(
            first(.metadata, "*/*", query: [#"multipart/related; type="application/dicom+xml""#])?.content == .dicomXML)
    }

    @Test(arguments: ["image/x-jls", "image/dicom+jpeg-ls", "image/jls"])
    func `frames come in the type asked for, by any of its names`(name: String) {
        #expect(
            first(.frames(count: 2), "multipart/related; type=\(name)")
                == Representation(.pixels("image/jls"), .multipart))
        #expect(first(.frames(count: 1), name) == Representation(.pixels("image/jls"), .single))
    }

    @Test func `whoever takes any image takes the stored one`() throws {
        let request = try RetrieveRequest(.frames(count: 1), accept: [#"multipart/related; type="image/*""#])
        #expect(request.representations.allSatisfy { $0.transferSyntax == .any && $0.packaging == .multipart })
        #expect(request.representations.contains { $0.content == .pixels("image/jp2") })
        #expect(!request.representations.contains { $0.content == .pixels("video/mp4") })
    }

    @Test(arguments: ["*/*", nil, "application/json", "application/dicom", "application/dicom+json"])
    func `a store is answered in JSON`(accept: String?) {
        #expect(first(.storeResponse, accept)?.content == .dicomJSON)
    }

    @Test func `documents come in their own type`() throws {
        func document(_ accept: String) -> String? {
            (try? RetrieveRequest(.bulkData, accept: [accept]))?.document("application/pdf")?.mediaType
        }
        #expect(
            document("multipart/related; type=application/octet-stream, multipart/related; type=application/pdf")
                == "application/pdf")
        #expect(document("multipart/related; type=application/pdf") == "application/pdf")
        #expect(document("multipart/related; type=application/octet-stream") == "application/octet-stream")
        #expect(document("*/*") == "application/pdf")
        #expect(document("multipart/related; type=text/xml") == nil)
        #expect(document("image/jpeg") == nil)
    }

    @Test func `instances come as an archive to those who name it`() {
        for kind in [ResourceKind.instances, .instance] {
            #expect(
                first(kind, "application/zip; transfer-syntax=*") == Representation(.zip, .single, transferSyntax: .any)
            )
            #expect(first(kind, "*/*", query: ["application/zip"])?.content == .zip)
            #expect(first(kind, "*/*")?.content == .dicom)
            #expect(first(kind, Self.dicom + ";q=0.1, application/zip;q=0.2")?.content == .zip)
            #expect(first(kind, Self.dicom + ", application/zip")?.content == .dicom)
        }
        #expect(first(.metadata, "application/zip") == nil)
        #expect(first(.bulkData, "application/zip") == nil)
    }

    @Test func `documents are weighed against other types`() {
        #expect(first(.instance, "application/dicom;q=0.5, application/pdf")?.content == .document("application/pdf"))
        #expect(first(.instance, "application/dicom, application/pdf;q=0.5")?.content == .dicom)
        #expect(first(.instance, "*/*, application/pdf;q=0.5")?.content == .document("application/pdf"))
        #expect(first(.instances, "multipart/related; type=application/pdf")?.packaging == .multipart)
        #expect(first(.instances, "application/pdf") == nil)
        #expect(
            first(.instance, "application/dicom", query: ["application/pdf"])?.content == .document("application/pdf"))
        #expect(first(.instance, "application/pdf", query: ["application/dicom"])?.content == .dicom)
    }

    @Test(arguments: ["*/*", "multipart/related", "nonsense", ""])
    func `what can be no document's type counts as bytes`(mediaType: String) throws {
        let request = try RetrieveRequest(.bulkData, accept: ["*/*"])
        #expect(request.document(mediaType)?.content == .octetStream)
    }

    @Test func `several items do not fit into a single part`() throws {
        let request = try RetrieveRequest(.bulkData, accept: ["application/octet-stream"])
        #expect(try request.representations(forItems: 1).count == 1)
        #expect(throws: DICOMWebError.self) { try request.representations(forItems: 2) }
        var rules = NegotiationRules()
        rules.requiresAccept = true
        #expect(throws: DICOMWebError.self) { try RetrieveRequest(.metadata, accept: [], rules: rules) }
    }
}

@Suite struct TransferSyntaxSelectionTests {
    private static let ele = "1.2.840.10008.1.2.1"
    private static let ile = "1.2.840.10008.1.2"
    private static let ebe = "1.2.840.10008.1.2.2"
    private static let deflated = "1.2.840.10008.1.2.1.99"
    private static let rle = "1.2.840.10008.1.2.5"
    private static let j2k = "1.2.840.10008.1.2.4.90"
    private static let jpeg = "1.2.840.10008.1.2.4.50"
    private static let mpeg = "1.2.840.10008.1.2.4.100"

    /// Decodes RLE.
    private let selection = TransferSyntaxSelection { from, to in from == rle && to == ele }

    @Test(arguments: [
        (ele, TransferSyntaxWish.default, TransferSyntaxSelection.Decision.stored),
        (ile, .default, .convert(to: ele)), (ebe, .default, .convert(to: ele)), (deflated, .default, .convert(to: ele)),
        (rle, .default, .convert(to: ele)), (j2k, .default, .stored), (jpeg, .default, .stored),
        ("1.2.3", .default, .stored),
        (j2k, .any, .stored), (ile, .any, .convert(to: ele)), (ebe, .any, .convert(to: ele)), (deflated, .any, .stored),
        ("1.2.840.113619.5.2", .any, .convert(to: ele)), ("1.2.3", .any, .stored),
        (ele, .named(ile), .unavailable(.forbidden)), (ile, .named(ile), .unavailable(.forbidden)),
        (ele, .named(ebe), .unavailable(.forbidden)), (j2k, .named(j2k), .stored),
        (ele, .named(deflated), .convert(to: deflated)),
        (ile, .named(ele), .convert(to: ele)), (rle, .named(ele), .convert(to: ele)),
        (j2k, .named(ele), .unavailable(.cannotDecode)),
        (ele, .named(mpeg), .unavailable(.cannotEncode)), (ele, .named("1.2.3.4.5.6"), .unavailable(.cannotEncode)),
        (jpeg, .named(j2k), .unavailable(.lossySource)),
    ])
    func `instances`(stored: String, wish: TransferSyntaxWish, expected: TransferSyntaxSelection.Decision) {
        #expect(selection.instance(stored: stored, wish: wish) == expected)
    }

    @Test func `what would not fit uncompressed stays as it is`() {
        #expect(selection.instance(stored: Self.rle, wish: .default, fitsUncompressed: false) == .stored)
        #expect(
            selection.instance(stored: Self.rle, wish: .named(Self.ele), fitsUncompressed: false)
                == .unavailable(.cannotDecode))
    }

    @Test(arguments: [
        (ele, TransferSyntaxWish.default, TransferSyntaxSelection.Decision.stored), (ebe, .default, .convert(to: ele)),
        (rle, .default, .convert(to: ele)), (j2k, .default, .unavailable(.cannotDecode)), (j2k, .any, .stored),
        (ile, .any, .convert(to: ele)), (j2k, .named(j2k), .stored), (rle, .named(ele), .convert(to: ele)),
    ])
    func `frames as bytes`(stored: String, wish: TransferSyntaxWish, expected: TransferSyntaxSelection.Decision) {
        #expect(selection.octets(stored: stored, wish: wish) == expected)
    }

    @Test(arguments: [
        ("image/jp2", j2k, TransferSyntaxWish.default, TransferSyntaxSelection.Decision.stored),
        ("image/jpeg", jpeg, .default, .unavailable(.lossySource)), ("image/jpeg", jpeg, .any, .stored),
        ("image/jpeg", jpeg, .named(jpeg), .stored), ("image/jpeg", j2k, .named(j2k), .unavailable(.notOfMediaType)),
        ("image/jls", ele, .default, .unavailable(.cannotEncode)),
        ("image/png", ele, .any, .unavailable(.notOfMediaType)),
    ])
    func `frames in a compressed type`(
        mediaType: String, stored: String, wish: TransferSyntaxWish, expected: TransferSyntaxSelection.Decision
    ) {
        #expect(selection.pixels(mediaType: mediaType, stored: stored, wish: wish) == expected)
    }

    @Test func `weight counts first, then the least work`() {
        let ele = Self.ele
        #expect(selection.best(of: [(1000, .convert(to: ele)), (1000, .stored)]) == 1)
        #expect(selection.best(of: [(1000, .convert(to: ele)), (500, .stored)]) == 0)
        #expect(selection.best(of: [(1000, .unavailable(.cannotDecode)), (500, .stored)]) == 1)
        #expect(selection.best(of: [(1000, .convert(to: ele)), (1000, .convert(to: Self.j2k))]) == 1)
        #expect(selection.best(of: [(1000, .unavailable(.forbidden))]) == nil)
    }
}
