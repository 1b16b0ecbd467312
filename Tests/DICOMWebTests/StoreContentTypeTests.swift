import DICOMWeb
import HTTPTypes
import Testing

@Suite struct StoreContentTypeTests {
    @Test(arguments: [
        (#"multipart/related; type="application/dicom"; boundary=b"#, StoreContentType.Payload.dicom, "b"),
        ("multipart/related; type=application/dicom; boundary=b", .dicom, "b"),
        ("multipart/related; boundary=b", .unstated, "b"),
        (#"Multipart/Related; Boundary="b c"; Type="Application/DICOM""#, .dicom, "b c"),
        (#"multipart/related; type="application/dicom+json"; boundary=b"#, .dicomJSON, "b"),
        (#"multipart/related; type="application/dicom+xml"; boundary=b"#, .dicomXML, "b"),
        (
            "multipart/related; type=application/dicom; transfer-syntax=1.2; boundary=----------f0d9ae2", .dicom,
            "----------f0d9ae2"
        ),
        ("multipart/related; type=application/dicom; boundary=----=_Part_0_1.2", .dicom, "----=_Part_0_1.2"),
    ])
    func `takes what clients send`(text: String, payload: StoreContentType.Payload, boundary: String) throws {
        #expect(try StoreContentType([text]) == .multipart(try #require(MultipartBoundary(boundary)), payload))
    }

    @Test func `takes a single instance`() throws {
        #expect(try StoreContentType(["Application/DICOM; transfer-syntax=*"]) == .instance)
    }

    @Test(arguments: [
        ([], 415), (["text/plain"], 415), (["application/zip"], 415), (["application/dicom+json"], 415),
        (["multipart/form-data; boundary=b"], 415), ([#"multipart/related; type="application/pdf"; boundary=b"#], 415),
        ([#"multipart/related; type="application/dicom""#], 400),
        ([#"multipart/related; type="application/dicom"; boundary="#], 400),
        (["multipart/related; type=application/dicom; boundary=a; boundary=b"], 400),
        (["multipart/related; type=application/dicom; boundary=" + String(repeating: "x", count: 71)], 400),
        (["dicom"], 400), (["application/dicom", "text/plain"], 400),
    ])
    func `refuses the rest`(values: [String], status: Int) {
        let error = #expect(throws: DICOMWebError.self) { try StoreContentType(values) }
        #expect(error?.status.code == status)
    }

    @Test func `the first part tells when the body does not`() throws {
        func header(_ type: String?) -> PartHeader {
            PartHeader(fields: type.map { [.init("content-type", $0)] } ?? [])
        }
        let unstated = StoreContentType.Payload.unstated
        #expect(try unstated.resolved(firstPart: header("application/dicom; x=1")) == .dicom)
        #expect(try unstated.resolved(firstPart: header("application/dicom+json")) == .dicomJSON)
        for type in [nil, "text/plain", "nonsense"] {
            let error = #expect(throws: DICOMWebError.self) { try unstated.resolved(firstPart: header(type)) }
            #expect(error?.status == .unsupportedMediaType)
        }
        #expect(StoreContentType.Payload.dicom.role(of: header(nil), isFirst: false) == .instance)
        #expect(
            StoreContentType.Payload.dicom.role(of: header("application/octet-stream; name=x"), isFirst: true)
                == .instance)
        #expect(StoreContentType.Payload.dicom.role(of: header("text/plain"), isFirst: false) == .foreign)
        #expect(StoreContentType.Payload.dicomJSON.role(of: header(nil), isFirst: true) == .metadata)
        #expect(StoreContentType.Payload.dicomJSON.role(of: header("image/jpeg"), isFirst: false) == .bulkData)
    }
}
