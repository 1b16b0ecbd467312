import Archive
import Audit
import BlobStorage
import DICOMCore
import GantryTesting
import Ingestion
import SQLStorage
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct RefusalTests {
    /// An input, the failure reason that it gets, and whether it is told of with its SOP UIDs.
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var bytes: [UInt8]
        var code: UInt16
        var isIdentified: Bool
        var testDescription: String { name }
    }

    static let cases: [Case] = {
        func instance(_ change: (inout TestInstance) -> Void) -> [UInt8] {
            var instance = TestInstance()
            change(&instance)
            return instance.part10()
        }
        func without(_ tag: DICOMCore.Tag) -> [UInt8] {
            let instance = TestInstance()
            var dataSet = instance.dataSet()
            dataSet.remove(tag)
            return instance.part10(dataSet: TestBytes.encode(dataSet))
        }
        func syntax(_ uid: String) -> [UInt8] {
            let instance = TestInstance()
            return instance.part10(
                dataSet: TestBytes.encode(instance.dataSet(hasPixelData: false)), transferSyntaxUID: uid)
        }
        let deep = (0..<100).reduce(into: [UInt8]()) { bytes, _ in
            bytes += TestBytes.element(DICOMCore.Tag(0x0040, 0xA730), .SQ, length: TestBytes.undefined)
            bytes += TestBytes.item(length: TestBytes.undefined)
        }
        let whole = TestInstance().part10()
        return [
            Case(name: "no bytes", bytes: [], code: 0xC000, isIdentified: false),
            Case(name: "text", bytes: Array("<html>".utf8), code: 0xC000, isIdentified: false),
            Case(name: "cut off", bytes: Array(whole.dropLast(9)), code: 0xC000, isIdentified: false),
            Case(
                name: "too deep",
                bytes: TestInstance().part10(
                    dataSet: TestBytes.encode(
                        TestInstance().dataSet(hasPixelData: false)) + deep), code: 0xC001, isIdentified: false),
            Case(name: "MIME syntax", bytes: syntax("1.2.840.10008.1.2.6.1"), code: 0xC122, isIdentified: true),
            Case(name: "no class", bytes: without(.sopClassUID), code: 0x0120, isIdentified: false),
            Case(name: "no instance", bytes: without(.sopInstanceUID), code: 0x0120, isIdentified: false),
            Case(name: "no study", bytes: without(.studyInstanceUID), code: 0x0120, isIdentified: true),
            Case(name: "no series", bytes: without(.seriesInstanceUID), code: 0x0120, isIdentified: true),
            Case(name: "empty instance", bytes: instance { $0.sopInstanceUID = "" }, code: 0x0121, isIdentified: false),
            Case(name: "empty study", bytes: instance { $0.studyUID = "" }, code: 0x0121, isIdentified: true),
            Case(name: "path as study", bytes: instance { $0.studyUID = "../../x" }, code: 0x0106, isIdentified: true),
            Case(name: "two dots", bytes: instance { $0.seriesUID = "1..2" }, code: 0x0106, isIdentified: true),
            Case(
                name: "denied class", bytes: instance { $0.sopClassUID = "1.2.3" }, code: 0x0122, isIdentified: true),
            Case(
                name: "DICOMDIR", bytes: instance { $0.sopClassUID = "1.2.840.10008.1.3.10" }, code: 0x0122,
                isIdentified: true),
        ]
    }()

    @Test(arguments: cases)
    func `refuses with the reason of the standard and keeps nothing`(input: Case) async throws {
        var configuration = IngestionConfiguration()
        configuration.deniedSOPClasses = ["1.2.3"]
        try await IngestionHarness.run(configuration) { (harness) async throws in
            let outcome = await harness.store(input.bytes)
            #expect(outcome.code == input.code)
            #expect((outcome.refusedIdentity != nil) == input.isIdentified)
            #expect(harness.blobs.staged == 0)
            #expect(harness.blobs.stored.isEmpty)
            #expect(try await harness.events().isEmpty)
            let audit = try await harness.audit()
            #expect(audit.map(\.outcome) == [.minorFailure])
            #expect(audit.map(\.kind) == [input.code == 0xC001 ? .securityAlert : .instancesTransferred])
        }
    }

    @Test(arguments: IngestionConfiguration.UnknownTransferSyntax.allCases)
    func `a private transfer syntax is stored or refused, as configured`(
        policy: IngestionConfiguration.UnknownTransferSyntax
    ) async throws {
        var configuration = IngestionConfiguration()
        configuration.unknownTransferSyntax = policy
        try await IngestionHarness.run(configuration) { (harness) async throws in
            let instance = TestInstance()
            let outcome = await harness.store(
                instance.part10(
                    dataSet: TestBytes.encode(instance.dataSet(hasPixelData: false)), transferSyntaxUID: "1.2.3.4.5"))
            #expect(outcome.code == (policy == .refuse ? 0xC122 : nil))
        }
    }

    @Test func `bytes behind the data set and other UIDs in the file meta give warnings`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            let instance = TestInstance()
            #expect(await harness.store(instance.part10() + [0, 0, 0, 0, 0, 0, 0, 0]).warning == .slack)
            let other = TestInstance(instance: 2)
            let outcome = await harness.store(
                [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + instance.fileMeta()
                    + TestBytes.encode(other.dataSet()))
            #expect(outcome.warning == .fileMetaDiffers)
        }
    }

    @Test func `a database that is down refuses with 0110 and leaves no blob behind`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            harness.database.failure = SQLError(.busy, "locked")
            let outcome = await harness.store(TestInstance().part10())
            #expect(outcome.code == 0x0110)
            #expect(outcome.cause?.isBackendDown == true)
            #expect(harness.blobs.stored.isEmpty)
            harness.database.failure = nil
            #expect(await harness.store(TestInstance().part10()).isStored)
        }
    }

    @Test func `a commit of unknown outcome leaves the blob to the sweep`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            harness.database.failure = SQLError(.outcomeUnknown, "gone")
            #expect(await harness.store(TestInstance().part10()).cause?.isBackendDown == true)
            #expect(harness.blobs.stored.count == 1)
            harness.database.failure = SQLError(.connection, "gone before the commit")
            #expect(await harness.store(TestInstance(instance: 2).part10()).cause?.isBackendDown == true)
            #expect(harness.blobs.stored.count == 1)
        }
    }

    @Test func `a full database or disk refuses with A700`() async throws {
        try await IngestionHarness.run { (harness) async throws in
            harness.database.failure = SQLError(.full, "full")
            #expect(await harness.store(TestInstance().part10()).code == 0xA700)
            harness.database.failure = nil
            harness.blobs.failure = .init(.full, in: "pwritev")
            #expect(await harness.store(TestInstance().part10()).code == 0xA700)
            harness.blobs.failure = .init(.io(errno: 5), in: "fdatasync")
            #expect(await harness.store(TestInstance().part10()).cause?.isBackendDown == true)
            harness.blobs.failure = nil
            #expect(harness.blobs.stored.isEmpty)
            #expect(harness.blobs.staged == 0)
            #expect(await harness.store(TestInstance().part10()).isStored)
        }
    }

    @Test func `a record that fails does not take the others of its batch along`() async throws {
        try await IngestionHarness.run(steps: [FailingStep(instance: TestInstance(instance: 7).sopInstanceUID)]) {
            (harness) async throws in
            let codes = await withTaskGroup(of: UInt16?.self) { group in
                for number in 1...20 {
                    let bytes = TestInstance(instance: number).part10()
                    group.addTask { await harness.store(bytes).code }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 19)
            #expect(codes.count { $0 == 0x0110 } == 1)
            #expect(harness.blobs.stored.count == 19)
            #expect(try await harness.events().count == 19)
        }
    }
}

/// A step that cannot record one of the instances.
private struct FailingStep: IngestionStep {
    struct Failure: Error {}
    let instance: String

    func examine(_ instance: CheckedInstance) async throws -> RefusalCause? { nil }

    func record(_ instances: [RecordedInstance], in transaction: any SQLTransaction) throws {
        if instances.contains(where: { $0.instance.identity.instance.string == instance }) { throw Failure() }
    }
}
