import DICOMCore
import GantryTesting
import Glibc
import NIOHTTP1
import Testing

/// Programs of others: `dicomweb-client`, `pydicom`, `curl` and DCMTK. They are never left out: when one is missing, the
/// test fails and says what to run.
@Suite("Real clients")
struct RealClientTests {
    private static let advice: Comment = "what the tests need is installed by: Scripts/setup test"

    static var python: String {
        let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
        let cache = getenv("XDG_CACHE_HOME").map { String(cString: $0) } ?? home + "/.cache"
        return cache + "/gantry/venv/bin/python"
    }

    /// Runs a tool that must be there and must end with 0; gives back what it wrote.
    @discardableResult
    private static func tool(
        _ program: String, _ arguments: [String], in folder: TemporaryFolder,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        do {
            let result = try await IntegrationTests.run(program, arguments, in: folder)
            #expect(
                result.ending == .exit(0), "\(program) \(arguments.first ?? ""): \(result.output)\(result.errors)",
                sourceLocation: sourceLocation)
            return result.output
        } catch let error as ChildProcess.SpawnError {
            Issue.record(advice, sourceLocation: sourceLocation)
            throw error
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `dicomweb-client and pydicom store, search, retrieve and read`() async throws {
        try await RunningServer.run { server in
            let images =
                (1...4).map { SampleImage(series: 1 + $0 % 2, instance: $0, rows: 16, columns: 24) }
                + [SampleImage(study: 2, rows: 16, columns: 24, frames: 5)]
            for (index, image) in images.enumerated() {
                _ = try server.folder.write(image.bytes, to: "image\(index).dcm")
            }
            let script =
                #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/Clients/round_trip.py"
            try #require(access(Self.python, X_OK) == 0, Self.advice)
            let output = try await Self.tool(
                Self.python, [script, server.service, server.folder.path], in: server.folder)
            #expect(output.hasSuffix("all well\n"), "\(output)")
            #expect(try await server.count("instances") == 5)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `the lines of the README work with curl`() async throws {
        try await RunningServer.run { server in
            let image = SampleImage(rows: 1024, columns: 1024)
            let file = try server.folder.write(image.bytes, to: "image.dcm")
            func curl(_ arguments: String...) async throws -> String {
                try await Self.tool("curl", ["--silent", "--show-error", "--fail"] + arguments, in: server.folder)
            }
            let stored = try await curl(
                "-H", "Content-Type: application/dicom", "--data-binary", "@\(file)", server.service + "/studies")
            #expect(stored.contains(image.instance.sopInstanceUID))
            #expect(try await curl(server.service + "/studies?PatientName=Smith*").contains(image.instance.studyUID))
            #expect(
                try await curl(server.service + "/series?Modality=CT&limit=10").contains(image.instance.seriesUID))
            #expect(
                try await curl("\(server.service)/studies/\(image.instance.studyUID)/metadata")
                    .contains("/bulkdata/7FE00010"))
            let back = server.folder.path + "/back.dcm"
            _ = try await curl(
                "-H", "Accept: application/dicom; transfer-syntax=*", "-o", back, "\(server.service)/\(image.path)")
            #expect(TemporaryFolder.bytes(of: back) == image.bytes)
            let zip = server.folder.path + "/study.zip"
            _ = try await curl(
                "-H", "Accept: application/zip", "-o", zip, "\(server.service)/studies/\(image.instance.studyUID)")
            try await Self.tool("unzip", ["-tq", zip], in: server.folder)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func `DCMTK reads every transfer syntax that is converted`() async throws {
        try await RunningServer.run { server in
            let plain = SampleImage(rows: 32, columns: 32)
            let original = try server.folder.write(plain.bytes, to: "plain.dcm")
            func dump(_ file: String) async throws -> [Substring] {
                try await Self.tool("dcmdump", ["--print-all", "--load-all", file], in: server.folder)
                    .split(separator: "\n").filter { $0.hasPrefix("(") && !$0.hasPrefix("(0002") }
                    .map { $0.prefix { $0 != "#" } }
            }
            let expected = try await dump(original)
            #expect(expected.count > 20)

            for (option, syntax) in [
                ("+ti", "1.2.840.10008.1.2"), ("+te", "1.2.840.10008.1.2.1"), ("+tb", "1.2.840.10008.1.2.2"),
                ("+td", "1.2.840.10008.1.2.1.99"),
            ] {
                _ = try await server.send(.DELETE, plain.path)
                let converted = "\(server.folder.path)/converted\(option).dcm"
                try await Self.tool("dcmconv", [option, original, converted], in: server.folder)
                let bytes = try #require(TemporaryFolder.bytes(of: converted))
                #expect(try await server.store([bytes]).status == 200, "\(syntax)")
                let anySyntax = try await server.stored(plain.path)
                if option == "+te" || option == "+td" {
                    #expect(anySyntax.body == bytes, "\(syntax) as it was stored")
                } else {
                    // These two never leave (PS3.18 8.7.3).
                    #expect(anySyntax["content-type"]?.contains("=1.2.840.10008.1.2.1") == true, "\(syntax)")
                    let asked = try await server.get(
                        plain.path, ["Accept": "application/dicom; transfer-syntax=\(syntax)"])
                    #expect(asked.status == 406, "\(syntax)")
                }

                let littleEndian = try await server.get(
                    plain.path, ["Accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"])
                #expect(littleEndian.status == 200, "\(syntax)")
                #expect(littleEndian["content-type"]?.contains("1.2.840.10008.1.2.1") == true)
                let back = try server.folder.write(littleEndian.body, to: "back\(option).dcm")
                #expect(try await dump(back) == expected, "\(syntax)")
                let file = try await Self.tool("dcmdump", ["--search", "0002,0010", back], in: server.folder)
                #expect(file.contains("LittleEndianExplicit"), "\(syntax): \(file)")
            }
        }
    }
}
