import DICOMWeb
import HTTPTypes
import Testing

@Suite struct RenderedMediaTypesTests {
    private typealias Offer = RenderedMediaTypes.Offer

    private func best(_ categories: [RenderedMediaTypes.Category], _ accept: String?, query: [String] = []) -> Offer? {
        do throws(DICOMWebError) {
            return try RenderedMediaTypes(categories).choices(
                accept: AcceptHeader(accept.map { [$0] } ?? ["*/*"]),
                query: query.isEmpty ? nil : AcceptHeader(query)
            ).first
        } catch {
            #expect(error.status == .notAcceptable)
            return nil
        }
    }

    @Test(arguments: [
        ("*/*", "image/jpeg"), ("image/*", "image/jpeg"), ("image/jpeg", "image/jpeg"), ("image/png", "image/png"),
        ("image/gif", "image/gif"), ("image/gif;q=0.5, image/png", "image/png"), ("text/html, image/png", "image/png"),
        ("application/dicom, image/gif", "image/gif"), ("image/gif, image/jpeg, */*", "image/jpeg"),
    ])
    func `one image comes alone`(accept: String, type: String) {
        #expect(best([.singleFrameImage], accept) == Offer(type, isMultipart: false))
    }

    @Test func `several instances come in parts`() {
        let study: [RenderedMediaTypes.Category] = [.singleFrameImage, .singleFrameImage]
        #expect(best(study, "*/*") == Offer("image/jpeg", isMultipart: true))
        #expect(best(study, "image/jpeg") == nil)
        #expect(best(study, #"multipart/related; type="image/png""#) == Offer("image/png", isMultipart: true))
        #expect(
            best(study + [.structuredReport], "multipart/related; type=text/html")
                == Offer("text/html", isMultipart: true))
    }

    @Test func `all frames are parts, or an animation`() {
        #expect(best([.multiFrameImage], "*/*") == Offer("image/jpeg", isMultipart: true))
        #expect(best([.multiFrameImage], "image/gif") == Offer("image/gif", isMultipart: false))
        #expect(best([.multiFrameImage], "image/jpeg") == nil)
    }

    @Test func `reports, documents and videos have types of their own`() {
        #expect(best([.structuredReport], "*/*") == Offer("text/html", isMultipart: false))
        #expect(best([.structuredReport], "text/*") == Offer("text/html", isMultipart: false))
        #expect(best([.structuredReport], "text/plain") == Offer("text/plain", isMultipart: false))
        #expect(best([.structuredReport], "image/jpeg") == nil)
        #expect(best([.document("application/pdf")], "application/pdf") == Offer("application/pdf", isMultipart: false))
        #expect(best([.video("video/mp4")], "*/*") == Offer("video/mp4", isMultipart: false))
        #expect(best([.other], "*/*") == nil)
    }

    @Test func `a range with a transfer syntax is passed over`() {
        #expect(best([.singleFrameImage], "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50") == nil)
        #expect(
            best([.singleFrameImage], "image/jpeg; transfer-syntax=*, image/png")
                == Offer("image/png", isMultipart: false))
    }

    @Test func `the query parameter comes first`() {
        #expect(best([.singleFrameImage], "image/jpeg", query: ["image/png"]) == Offer("image/png", isMultipart: false))
    }
}
