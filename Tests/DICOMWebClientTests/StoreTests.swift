import Testing

@testable import DICOMWebClient

struct StoreFileSearchTests {
    private let folder = TemporaryFolder()

    @Test func `folders give what is DICOM by its contents, named files everything`() async throws {
        let first = try folder.write(part10(sopInstanceUID: "1.2.3"), to: "in/a.txt")
        let second = try folder.write(part10(sopInstanceUID: "1.2.4"), to: "in/deep/er/b")
        _ = try folder.write(Array("no DICOM".utf8), to: "in/c.dcm")
        let named = try folder.write([1, 2, 3], to: "raw")
        let found = try await StoreFileSearch().find([folder.path + "/in", named, folder.path + "/missing"])
        #expect(
            found.files == [
                StoreFile(path: first, length: part10(sopInstanceUID: "1.2.3").count, sopInstanceUID: "1.2.3"),
                StoreFile(path: second, length: part10(sopInstanceUID: "1.2.3").count, sopInstanceUID: "1.2.4"),
                StoreFile(path: named, length: 3, sopInstanceUID: nil),
            ])
        #expect(found.otherCount == 1)
        #expect(found.unreadable.map(\.path) == [folder.path + "/missing"])
    }
}

struct Part10HeadTests {
    @Test func `names the instance`() {
        #expect(Part10Head(part10(sopInstanceUID: "1.2.34"))?.sopInstanceUID == "1.2.34")
    }

    @Test(arguments: [("1.2.840.10008.1.2.1", true), ("1.2.840.10008.1.2", false)])
    func `the data set counts before the file meta information`(transferSyntax: String, isExplicit: Bool) {
        let header: [UInt8] = isExplicit ? [0x55, 0x49, 4, 0] : [4, 0, 0, 0]
        let bytes = part10(
            sopInstanceUID: "1.2.34", transferSyntaxUID: transferSyntax,
            content: [8, 0, 0x18, 0] + header + Array("9.87".utf8))
        #expect(Part10Head(bytes)?.sopInstanceUID == "9.87")
        #expect(Part10Head(bytes)?.transferSyntaxUID == transferSyntax)
    }

    @Test func `a UID that could leave a folder is none`() {
        #expect(Part10Head(part10(sopInstanceUID: "../../etc/x"))?.sopInstanceUID == nil)
        #expect(Part10Head(part10(sopInstanceUID: ".."))?.sopInstanceUID == nil)
    }

    @Test func `bytes cut off anywhere are no trouble`() {
        let bytes = part10(sopInstanceUID: "1.2.34")
        for count in 0...bytes.count { _ = Part10Head(bytes.prefix(count)) }
        #expect(Part10Head(bytes.prefix(131)) == nil)
        #expect(Part10Head(bytes.prefix(150)) != nil)
    }
}

struct StoreBatchTests {
    private func file(_ length: Int) -> StoreFile { StoreFile(path: "f", length: length, sopInstanceUID: nil) }

    @Test func `a batch is full by number or by size`() {
        let lengths = StoreBatch.divide([5, 5, 5, 100, 1, 1, 1, 1].map(file), count: 3, bytes: 12).map {
            $0.files.map(\.length)
        }
        #expect(lengths == [[5, 5], [5], [100], [1, 1, 1], [1]])
        #expect(StoreBatch.divide([]) == [])
    }
}

struct StoreReportTests {
    @Test func `tells what became of each instance`() {
        let body = """
            {"00081199":{"vr":"SQ","Value":[
               {"00081155":{"vr":"UI","Value":["1.1"]}},
               {"00081155":{"vr":"UI","Value":["1.2"]},"00081196":{"vr":"US","Value":[45063]}}]},
             "00081198":{"vr":"SQ","Value":[
               {"00081155":{"vr":"UI","Value":["1.3"]},"00081197":{"vr":"US","Value":[273]}}]},
             "0008119A":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49152]}}]}}
            """
        let report = StoreReport(status: 202, contentType: "application/dicom+json", body: Array(body.utf8))
        #expect(
            report.instances == [
                .init(sopInstanceUID: "1.1", outcome: .stored),
                .init(sopInstanceUID: "1.2", outcome: .storedWithWarning(reason: 0xB007)),
                .init(sopInstanceUID: "1.3", outcome: .failed(reason: 0x0111)),
            ])
        #expect(report.otherFailures == [0xC000])
        #expect(report.storedCount == 2)
        #expect(report.failedCount == 2)
    }

    @Test func `keeps what is not a response module as the explanation`() {
        let report = StoreReport(
            status: 413, contentType: "application/problem+json", body: Array(#"{"title":"Too large"}"#.utf8))
        #expect(report.explanation == #"{"title":"Too large"}"#)
        #expect(report.instances.isEmpty)
    }
}
