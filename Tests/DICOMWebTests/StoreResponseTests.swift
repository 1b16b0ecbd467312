import DICOMCore
import DICOMWeb
import HTTPTypes
import Testing

@Suite struct StoreResponseTests {
    private func uid(_ text: String) throws -> UID { try #require(UID(text)) }

    private func stored(
        _ instance: String, study: String = "1.1", warning: WarningReason? = nil
    ) throws -> StoreResponse.Outcome {
        .stored(
            .init(
                study: try uid(study), series: try uid("2.2"), sopClass: try uid("3.3"), sopInstance: try uid(instance)),
            warning: warning)
    }

    private func failed(_ reason: FailureReason) throws -> StoreResponse.Outcome {
        .failed(sopClass: try uid("3.3"), sopInstance: try uid("9.9"), reason)
    }

    @Test func `lists what was stored and nothing else`() throws {
        let response = StoreResponse(outcomes: [try stored("4.1"), try stored("4.2", warning: .dataSetMismatch)])
        let module = response.dataSet(serviceURL: "http://h/dicomweb")
        #expect(module.map(\.tag) == [.retrieveURL, .referencedSOPSequence])
        #expect(text(module[.retrieveURL]) == "http://h/dicomweb/studies/1.1 ")
        let items = module[.referencedSOPSequence]?.items ?? []
        #expect(items.count == 2)
        #expect(items[0].map(\.tag) == [.referencedSOPClassUID, .referencedSOPInstanceUID, .retrieveURL])
        #expect(text(items[0][.referencedSOPInstanceUID]) == "4.1\0")
        #expect(
            text(items[1][.retrieveURL])?.hasPrefix("http://h/dicomweb/studies/1.1/series/2.2/instances/4.2") == true)
        #expect(items[1][.warningReason]?.bytes == [0x07, 0xB0])
    }

    @Test func `failures go where they can be told`() throws {
        let response = StoreResponse(outcomes: [try failed(.missingAttribute), .unidentified(.cannotUnderstand)])
        let module = response.dataSet(serviceURL: "http://h")
        #expect(module.map(\.tag) == [.retrieveURL, .failedSOPSequence, .otherFailuresSequence])
        #expect(module[.retrieveURL]?.isEmpty == true)
        #expect(module[.failedSOPSequence]?.items?.first?[.failureReason]?.bytes == [0x20, 0x01])
        #expect(module[.otherFailuresSequence]?.items?.first?.map(\.tag) == [.failureReason])
    }

    @Test func `several studies have no common URL`() throws {
        let response = StoreResponse(outcomes: [try stored("4.1"), try stored("4.2", study: "1.9")])
        #expect(response.study == nil)
        #expect(response.dataSet(serviceURL: "http://h")[.retrieveURL]?.isEmpty == true)
    }

    @Test func `the status is decided by all outcomes together`() throws {
        let good = try stored("4.1")
        let cases: [([StoreResponse.Outcome], Int)] = [
            ([], 204), ([good], 200), ([good, good], 200), ([try stored("4.1", warning: .coercion)], 202),
            ([good, .unidentified(.cannotUnderstand)], 202), ([.unidentified(.cannotUnderstand)], 400),
            ([.unidentified(.malformedPart), try failed(.cannotUnderstand)], 400),
            ([try failed(.missingAttribute)], 409),
            ([try failed(.missingAttribute), .unidentified(.cannotUnderstand)], 409),
            ([try failed(.unresolvedBulkData)], 409),
            ([try failed(.transferSyntaxNotSupported)], 409), ([try failed(.outOfResources)], 507),
            ([try failed(.outOfResources), try failed(.studyMismatch)], 409), ([try failed(.processingFailure)], 503),
        ]
        for (outcomes, status) in cases {
            #expect(StoreResponse(outcomes: outcomes).status.code == status, "\(outcomes)")
        }
    }

    @Test func `each reason is told once`() throws {
        let response = StoreResponse(outcomes: [
            try failed(.outOfResources), try failed(.outOfResources), try stored("4.1", warning: .coercion),
        ])
        #expect(response.warningText == "A700: out of resources; B000: coercion of data elements")
        #expect(StoreResponse(outcomes: [try stored("4.1")]).warningText == nil)
        #expect(FailureReason(rawValue: 0x0111).description == "0111: duplicate SOP Instance")
    }

    private func text(_ element: DataElement?) -> String? {
        element?.bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}
